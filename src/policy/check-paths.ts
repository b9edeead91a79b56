// SPDX-License-Identifier: Apache-2.0
import type { Check } from './check.js'
import { climbs, hasInvisible, literalPrefix } from './paths.js'
import { isPlainlyInside, matchPrefixes, type Prefixes } from './prefixes.js'
import type { ReasonCode } from './reason-codes.js'
import type { ScopeRule } from './rules.js'

/** What a path is for: the words and the rule that go with it. */
interface PathUse {
  readonly code: ReasonCode
  readonly words: string
  readonly rule: ScopeRule
  /** Whether `*`, `?` and `[` are globs. */
  readonly globs: boolean
}

const CWD: PathUse = {
  code: 'CWD_NOT_ALLOWED',
  words: 'cwd not allowed',
  rule: 'allowed_cwd_prefixes',
  globs: false,
}

const READ: PathUse = {
  code: 'READ_SCOPE_DENIED',
  words: 'read path not allowed',
  rule: 'allowed_read_prefixes',
  globs: true,
}

const WRITE: PathUse = {
  code: 'WRITE_SCOPE_DENIED',
  words: 'write path not allowed',
  rule: 'allowed_write_prefixes',
  globs: true,
}

/** Says whether the tree that a scope reaches is outside, though its text is inside. */
function reachesOutside(path: string, prefixes: Prefixes, globs: boolean): boolean {
  if (climbs(path)) return true
  const literal = globs ? literalPrefix(path) : path
  if (literal === path) return false
  return literal === '' || matchPrefixes(literal, prefixes).kind !== 'inside'
}

function checkPath(check: Check, path: string, use: PathUse): void {
  const { command, rules, findings } = check
  const { code, words, rule, globs } = use
  const prefixes = rules.scopes[rule]
  if (isPlainlyInside(path, prefixes)) return
  const match = matchPrefixes(path, prefixes)
  if (match.kind === 'inside' && !reachesOutside(path, prefixes, globs)) {
    if (hasInvisible(path)) {
      const message = `path holds characters that cannot be seen: ${path}`
      findings.own('PATH_UNCLEAR', message, { commandId: command.id, value: path })
    }
    return
  }
  const options = { commandId: command.id, value: path, rule }
  if (match.kind === 'not_absolute') {
    findings.csc('PATH_NOT_ABSOLUTE', `path must be absolute: ${match.path}`, options)
  } else if (match.kind === 'outside') {
    findings.csc(code, `${words}: ${path}`, options)
  } else {
    findings.own(code, `${words}: ${path}`, options)
  }
}

/**
 * Checks every path of a command. The file for stdin and the globs of artifacts need no judgement of
 * their own: a contract in which they lie outside the trees judged here is not valid.
 */
export function checkPaths(check: Check): void {
  const { command, policy, findings } = check
  checkPath(check, command.cwd, CWD)
  for (const path of command.read_paths) checkPath(check, path, READ)
  if (!policy.require_write_paths_empty) {
    for (const path of command.write_paths) checkPath(check, path, WRITE)
  } else if (command.write_paths.length > 0) {
    const rule = 'require_write_paths_empty'
    const options = { commandId: command.id, value: command.write_paths, rule }
    findings.csc('WRITE_PATHS_NOT_EMPTY', 'writes not allowed in this profile', options)
  }
}
