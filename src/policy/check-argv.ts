// SPDX-License-Identifier: Apache-2.0
import type { Check } from './check.js'
import { deniedPrefixOf, writtenPrefixOf } from './denied-prefixes.js'
import { inlineCodeIn, innerStarts } from './inline-code.js'
import { pythonList } from './python-text.js'

function checkDeniedPrefixes(check: Check, argv: readonly string[]): void {
  const { command, policy, rules, findings } = check
  const isCsc = policy.policy_schema_version === 'csc.policy.v0.1'
  const prefixOf = isCsc ? writtenPrefixOf : deniedPrefixOf
  const denied = prefixOf(argv, rules.deniedPrefixes)
  if (denied === undefined) return
  const at = { commandId: command.id, value: argv, rule: `deny_argv_prefixes[${denied}]` }
  findings.csc('ARGV_PREFIX_DENIED', `argv prefix denied: ${pythonList(argv)}`, at)
}

/** What a policy grants holds in hardened mode only: in local mode nothing confines the code. */
function checkInlineCode(check: Check, argv: readonly string[]): void {
  const { command, rules, mode, findings } = check
  const given = inlineCodeIn(argv)
  if (given.length === 0) return
  if (mode === 'hardened' && given.every((name) => rules.inlineCode.has(name))) return
  const message = `inline code not allowed: ${pythonList(argv)}`
  const rule = 'allow_inline_code'
  findings.own('INLINE_CODE_DENIED', message, { commandId: command.id, value: argv, rule })
}

function checkArgvRules(check: Check, argv: readonly string[]): void {
  const { command, rules, findings } = check
  for (const { stated, path, applies } of rules.argvRules) {
    if (!applies(argv)) continue
    const at = { commandId: command.id, value: argv, rule: path }
    const why = stated.reason ?? stated.id
    if (stated.effect === 'deny') findings.own('ARGV_RULE_DENIED', `argv denied: ${why}`, at)
    else findings.own('APPROVAL_REQUIRED', `argv requires approval: ${why}`, at)
  }
}

/** Checks that whatever has a pinned name is the pinned file. */
function checkPins(check: Check, argv: readonly string[]): void {
  const { command, rules, findings } = check
  if (rules.executables.size === 0) return
  for (const at of [0, ...innerStarts(argv)]) {
    const written = argv[at] ?? ''
    const pin = rules.executables.get(written.slice(written.lastIndexOf('/') + 1))
    if (pin === undefined || written === pin.path) continue
    const isName = !written.includes('/')
    if (!isName) {
      const message = `executable is not the pinned one: ${written}`
      const options = { commandId: command.id, value: written, rule: pin.rule }
      findings.own('EXECUTABLE_NOT_PINNED', message, options)
    }
  }
}

/**
 * Checks one argv of a command: the executable, what the policy denies, code given as text.
 *
 * @param check the command and the rules
 * @param argv one of the command's
 */
export function checkArgv(check: Check, argv: readonly string[]): void {
  const { command, rules, findings } = check
  const executable = argv[0] ?? ''
  if (!rules.commands.has(executable)) {
    const at = { commandId: command.id, value: executable, rule: 'allow_commands' }
    findings.csc('COMMAND_NOT_ALLOWED', `command not allowed: ${executable}`, at)
  }
  checkDeniedPrefixes(check, argv)
  checkInlineCode(check, argv)
  checkArgvRules(check, argv)
  checkPins(check, argv)
}
