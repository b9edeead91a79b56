// SPDX-License-Identifier: Apache-2.0
import { argvVectors, type Command } from '../contract/schema.js'
import { NETWORK_MODES } from '../contract/fields.js'
import { baseEffect, type Classification, classify } from './classify.js'
import { environmentRisk } from './environment.js'
import type { Findings } from './findings.js'
import { isInlineCode } from './inline-code.js'
import { climbs, literalPrefix, matchPrefixes } from './paths.js'
import { pythonList } from './python-text.js'
import type { ReasonCode } from './reason-codes.js'
import type { PolicyDocument } from './schema.js'

/** One command under one policy, and where what is found goes. */
interface Check {
  readonly command: Command
  readonly policy: PolicyDocument
  readonly findings: Findings
}

function startsWith(argv: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((item, index) => argv[index] === item)
}

function checkArgv({ command, policy, findings }: Check, argv: readonly string[]): void {
  const commandId = command.id
  const executable = argv[0] ?? ''
  if (!policy.allow_commands.includes(executable)) {
    const options = { commandId, value: executable, rule: 'allow_commands' }
    findings.csc('COMMAND_NOT_ALLOWED', `command not allowed: ${executable}`, options)
  }
  const denied = policy.deny_argv_prefixes.findIndex((prefix) => startsWith(argv, prefix))
  if (denied !== -1) {
    const options = { commandId, value: argv, rule: `deny_argv_prefixes[${denied}]` }
    findings.csc('ARGV_PREFIX_DENIED', `argv prefix denied: ${pythonList(argv)}`, options)
  }
  if (isInlineCode(argv)) {
    const message = `inline code not allowed: ${pythonList(argv)}`
    findings.own('INLINE_CODE_DENIED', message, { commandId, value: argv })
  }
}

function checkEffects({ command, policy, findings }: Check, effects: readonly string[]): void {
  const { id: commandId, proposed_effect_type: proposed } = command
  const rule = 'allowed_effect_types'
  const allowed: readonly string[] = policy.allowed_effect_types
  if (!allowed.includes(proposed)) {
    const options = { commandId, value: proposed, rule }
    findings.csc(
      'EFFECT_TYPE_NOT_ALLOWED',
      `proposed effect type not allowed: ${proposed}`,
      options,
    )
  }
  const manual = policy.manual_approval_for_classified_effect_types
  for (const value of effects) {
    const listed = manual.indexOf(value)
    if (listed !== -1) {
      const at = {
        commandId,
        value,
        rule: `manual_approval_for_classified_effect_types[${listed}]`,
      }
      findings.csc('APPROVAL_REQUIRED', `classified effect type requires approval: ${value}`, at)
    }
    if (value === proposed) continue
    const message = `effect reclassified: ${proposed} -> ${value}`
    findings.own('EFFECT_RECLASSIFIED', message, { commandId, value })
    if (listed === -1 && !allowed.includes(baseEffect(value))) {
      const denial = `classified effect type not allowed: ${value}`
      findings.own('EFFECT_TYPE_NOT_ALLOWED', denial, { commandId, value, rule })
    }
  }
}

function checkLimits({ command, policy, findings }: Check): void {
  const { id: commandId, timeout_sec, network, secret_refs } = command
  if (timeout_sec > policy.max_timeout_sec) {
    const options = { commandId, value: timeout_sec, rule: 'max_timeout_sec' }
    findings.csc('TIMEOUT_EXCEEDS_POLICY', `timeout too large: ${timeout_sec}`, options)
  }
  if (NETWORK_MODES.indexOf(network) > NETWORK_MODES.indexOf(policy.network)) {
    const message = `network mode exceeds policy maximum: ${network}`
    const options = { commandId, value: network, rule: 'network' }
    findings.csc('NETWORK_EXCEEDS_POLICY', message, options)
  }
  if (secret_refs.length > 0 && !policy.allow_secret_refs) {
    const options = { commandId, value: secret_refs, rule: 'allow_secret_refs' }
    findings.csc('SECRET_REF_NOT_ALLOWED', 'secret refs not allowed', options)
  }
}

function checkEnvironment({ command, policy, findings }: Check): void {
  const commandId = command.id
  for (const value of command.env_allow) {
    const risk = environmentRisk(value)
    if (risk === 'code') {
      const message = `environment variable makes programs run other code: ${value}`
      findings.own('ENV_NOT_ALLOWED', message, { commandId, value })
    } else if (risk === 'secret' && !policy.allow_secret_refs) {
      const message = `environment variable looks like a secret: ${value}`
      findings.own('ENV_NOT_ALLOWED', message, { commandId, value, rule: 'allow_secret_refs' })
    }
  }
}

/** What a path is for: the words and the rule that go with it. */
interface PathUse {
  readonly code: ReasonCode
  readonly words: string
  readonly rule: 'allowed_cwd_prefixes' | 'allowed_read_prefixes' | 'allowed_write_prefixes'
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
function reachesOutside(path: string, prefixes: readonly string[], globs: boolean): boolean {
  if (climbs(path)) return true
  if (!globs) return false
  const literal = literalPrefix(path)
  return literal === '' || matchPrefixes(literal, prefixes).kind !== 'inside'
}

function checkPath({ command, policy, findings }: Check, path: string, use: PathUse): void {
  const { code, words, rule, globs } = use
  const prefixes = policy[rule]
  const match = matchPrefixes(path, prefixes)
  const options = { commandId: command.id, value: path, rule }
  if (match.kind === 'not_absolute') {
    findings.csc('PATH_NOT_ABSOLUTE', `path must be absolute: ${match.path}`, options)
  } else if (match.kind === 'outside') {
    findings.csc(code, `${words}: ${path}`, options)
  } else if (reachesOutside(path, prefixes, globs)) {
    findings.own(code, `${words}: ${path}`, options)
  }
}

function checkPaths(check: Check): void {
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

/** Says whether some rule of a policy depends on what a client contacts. */
function judgesTargets(policy: PolicyDocument): boolean {
  const { allowed_egress_hosts, manual_approval_for_classified_effect_types } = policy
  return allowed_egress_hosts.length + manual_approval_for_classified_effect_types.length > 0
}

function checkTargets(check: Check, { targets }: Classification): void {
  const { command, policy, findings } = check
  if (!judgesTargets(policy)) return
  const commandId = command.id
  const rule = 'allowed_egress_hosts'
  for (const value of targets.flatMap(({ unclear }) => unclear)) {
    const message = `egress target cannot be judged: ${value}`
    findings.own('EGRESS_TARGET_UNCLEAR', message, { commandId, value, rule })
  }
  if (command.network !== 'allowlisted' || policy.allowed_egress_hosts.length === 0) return
  const allowed = new Set(policy.allowed_egress_hosts.map((host) => host.toLowerCase()))
  for (const value of targets.flatMap(({ hosts }) => hosts)) {
    if (allowed.has(value)) continue
    const message = `egress host not allowed: ${value}`
    findings.own('EGRESS_HOST_NOT_ALLOWED', message, { commandId, value, rule })
  }
}

/**
 * Checks one command against every rule, in csc's order, whatever is found on the way.
 *
 * @param command of a contract
 * @param policy its rules
 * @param findings takes what is found
 * @returns the effects that the command was classified as
 */
export function checkCommand(
  command: Command,
  policy: PolicyDocument,
  findings: Findings,
): readonly string[] {
  const check = { command, policy, findings }
  for (const argv of argvVectors(command)) checkArgv(check, argv)
  const classification = classify(command, policy)
  checkEffects(check, classification.effects)
  checkLimits(check)
  checkEnvironment(check)
  checkPaths(check)
  checkTargets(check, classification)
  return classification.effects
}
