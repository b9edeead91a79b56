// SPDX-License-Identifier: Apache-2.0
// What is odd about a policy that is valid: rules that never apply, rules that give more than they
// seem to, and text that other readers read otherwise.
import { quote } from '../contract/issues.js'
import type { Position } from '../contract/locate.js'
import { isUsableKey, sameName } from './approver.js'
import { CLASSIFIED_EFFECTS } from './classify.js'
import { environmentRisk } from './environment.js'
import { ALWAYS_CODE, interpreterOf, isWrapper, programName } from './interpreters.js'
import { climbs, isUnder, literalPrefix, normalizePath } from './paths.js'
import type { Policy, PolicyDocument } from './schema.js'

/** What the findings of `policy lint` mean. Append-only, like reason codes. */
const LINT_CODES = {
  APPROVALS_UNSIGNED: 'Approvals are taken without a signature: whoever can write a file approves.',
  APPROVALS_UNREACHABLE: 'Fewer people are named than have to approve: nobody can.',
  APPROVER_KEY_UNUSABLE:
    'This is no public key, or one that anyone can sign for: it approves nothing.',
  CWD_WIDER_THAN_READ: 'A working directory can be read, and no read prefix allows this one.',
  EFFECT_NEVER_CLASSIFIED: 'No command is ever classified as this effect.',
  EXECUTABLE_WRITABLE: 'A pinned file without digest lies where contracts may write.',
  HOST_NEVER_MATCHES: 'A host is a name alone: no scheme, port, path or wildcard.',
  INTERPRETER_ALLOWED: 'This program runs whatever a file in scope says.',
  INSPECTORS_OFF: 'No inspector looks at commands: what they would find is not denied.',
  NETWORK_UNJUDGED: 'The network is allowlisted and the policy lists no host: none is judged.',
  PREFIX_CLIMBS: 'A prefix with `..` allows nothing: paths with `..` are denied.',
  PREFIX_HOLDS_GLOB: 'In a prefix, `*`, `?` and `[` mean themselves.',
  PREFIX_TOO_WIDE: 'This prefix takes in everything.',
  PREFIX_UNUSABLE: 'This prefix is not absolute: every path after it in the list is denied.',
  RULE_NOT_NEEDED: 'What this rule denies is denied already: allow_commands does not list it.',
  RULE_UNREACHABLE: 'An earlier rule denies all that this one would.',
  VARIABLE_RUNS_CODE: 'A variable of this name makes programs run other code.',
  WRAPPER_ALLOWED: 'This program starts whatever its arguments name.',
  WRITE_PREFIXES_UNUSED:
    'require_write_paths_empty denies all writes, whatever the prefixes allow.',
  YAML_READINGS_DIFFER: 'YAML 1.1 reads this otherwise: csc-runner sees another policy and digest.',
} as const

/** A stable name of a finding. */
export type LintCode = keyof typeof LINT_CODES

/** Codes of what may well be meant. */
const NOTES: ReadonlySet<LintCode> = new Set([
  'EFFECT_NEVER_CLASSIFIED',
  'INTERPRETER_ALLOWED',
  'RULE_NOT_NEEDED',
  'WRITE_PREFIXES_UNUSED',
])

/** Something odd about a policy. */
export interface LintFinding extends Position {
  readonly code: LintCode
  readonly severity: 'note' | 'warning'
  /** The rule, such as `allow_commands[2]`; empty where it is about the text. */
  readonly path: string
  readonly message: string
}

type Report = (code: LintCode, path: string, value?: unknown) => void

function lintCommands(document: PolicyDocument, report: Report): void {
  const { allow_commands: commands, argv_rules: rules = [] } = document
  for (const [index, command] of commands.entries()) {
    const name = programName(command)
    const path = `allow_commands[${index}]`
    // who has written rules about its arguments knows what it does
    if (rules.some(({ program }) => program === name)) continue
    if (isWrapper(name) || ALWAYS_CODE.test(name)) report('WRAPPER_ALLOWED', path, command)
    else if (interpreterOf(name) !== undefined) report('INTERPRETER_ALLOWED', path, command)
  }
}

function lintDeniedPrefixes(document: PolicyDocument, report: Report): void {
  const { deny_argv_prefixes: prefixes, allow_commands: commands } = document
  // under a csc policy a prefix is compared with what is written
  const isCsc = document.policy_schema_version === 'csc.policy.v0.1'
  const starts = (name: string, program: string) =>
    name === program ||
    (!isCsc && (programName(name) === programName(program) || isWrapper(programName(name))))
  for (const [index, prefix] of prefixes.entries()) {
    const path = `deny_argv_prefixes[${index}]`
    const covers = (other: readonly string[]) => other.every((word, at) => prefix[at] === word)
    if (prefixes.slice(0, index).some(covers)) report('RULE_UNREACHABLE', path, prefix)
    else if (!commands.some((name) => starts(name, prefix[0] ?? ''))) {
      report('RULE_NOT_NEEDED', path, prefix)
    }
  }
}

const SCOPES = ['allowed_cwd_prefixes', 'allowed_read_prefixes', 'allowed_write_prefixes'] as const

function codeOfPrefix(prefix: string): LintCode | undefined {
  const normal = normalizePath(prefix)
  if (normal === undefined) return 'PREFIX_UNUSABLE'
  if (climbs(prefix)) return 'PREFIX_CLIMBS'
  if (literalPrefix(prefix) !== prefix) return 'PREFIX_HOLDS_GLOB'
  return normal.path === '/' ? 'PREFIX_TOO_WIDE' : undefined
}

function lintScopes(document: PolicyDocument, report: Report): void {
  for (const rule of SCOPES) {
    for (const [index, prefix] of document[rule].entries()) {
      const code = codeOfPrefix(prefix)
      if (code !== undefined) report(code, `${rule}[${index}]`, prefix)
    }
  }
  const reads = document.allowed_read_prefixes
  for (const [index, cwd] of document.allowed_cwd_prefixes.entries()) {
    if (reads.some((prefix) => isUnder(cwd, prefix))) continue
    report('CWD_WIDER_THAN_READ', `allowed_cwd_prefixes[${index}]`, cwd)
  }
  if (document.require_write_paths_empty && document.allowed_write_prefixes.length > 0) {
    report('WRITE_PREFIXES_UNUSED', 'allowed_write_prefixes')
  }
}

const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)$/i

function lintNetwork(document: PolicyDocument, report: Report): void {
  const { allowed_egress_hosts: hosts, network, policy_schema_version: version } = document
  for (const [index, host] of hosts.entries()) {
    if (!HOST.test(host)) report('HOST_NEVER_MATCHES', `allowed_egress_hosts[${index}]`, host)
  }
  if (network === 'allowlisted' && hosts.length === 0 && version === 'csc.policy.v0.1') {
    report('NETWORK_UNJUDGED', 'network')
  }
}

function lintGrants(document: PolicyDocument, report: Report): void {
  const manual = document.manual_approval_for_classified_effect_types
  for (const [index, effect] of manual.entries()) {
    const path = `manual_approval_for_classified_effect_types[${index}]`
    if (!CLASSIFIED_EFFECTS.has(effect)) report('EFFECT_NEVER_CLASSIFIED', path, effect)
  }
  for (const [index, name] of (document.allow_env ?? []).entries()) {
    if (name.includes('*') || environmentRisk(name) !== 'code') continue
    report('VARIABLE_RUNS_CODE', `allow_env[${index}]`, name)
  }
  lintApprovals(document, report)
}

function lintApprovals({ approvals }: PolicyDocument, report: Report): void {
  if (approvals === undefined) return
  if (approvals === 'unsigned') return report('APPROVALS_UNSIGNED', 'approvals')
  const usable = approvals.approvers.filter(({ name, public_key: key }, index) => {
    const isUsable = isUsableKey(key)
    if (!isUsable) report('APPROVER_KEY_UNUSABLE', `approvals.approvers[${index}].public_key`, name)
    return isUsable
  })
  const people = new Set(usable.map(({ name }) => sameName(name)))
  if (people.size < approvals.required) report('APPROVALS_UNREACHABLE', 'approvals.required')
}

function lintPins(document: PolicyDocument, report: Report): void {
  for (const [index, { path, sha256 }] of (document.executables ?? []).entries()) {
    if (sha256 !== undefined) continue
    if (!document.allowed_write_prefixes.some((prefix) => isUnder(path, prefix))) continue
    report('EXECUTABLE_WRITABLE', `executables[${index}]`, path)
  }
}

const PLACES_START: Position = { line: 1, column: 1 }

/**
 * Returns what is odd about a policy, in the order of its text.
 *
 * @param policy as it was read
 */
export function lintPolicy({ document, places }: Policy): readonly LintFinding[] {
  const found: LintFinding[] = places.differences.map(({ line, column, source, yaml11 }) => ({
    code: 'YAML_READINGS_DIFFER' as const,
    severity: 'warning' as const,
    path: '',
    message: `${quote(source)} is ${yaml11} in YAML 1.1: csc-runner sees another policy and digest; quote it or write it otherwise`,
    line,
    column,
  }))
  const report: Report = (code, path, value) => {
    const { line, column } = places.at(path) ?? PLACES_START
    const severity = NOTES.has(code) ? 'note' : 'warning'
    const subject = value === undefined ? '' : `${quote(value)}: `
    found.push({ code, severity, path, message: `${subject}${LINT_CODES[code]}`, line, column })
  }
  lintCommands(document, report)
  lintDeniedPrefixes(document, report)
  lintScopes(document, report)
  lintNetwork(document, report)
  lintGrants(document, report)
  if (document.inspectors?.length === 0) report('INSPECTORS_OFF', 'inspectors')
  lintPins(document, report)
  return found.toSorted((a, b) => a.line - b.line || a.column - b.column)
}
