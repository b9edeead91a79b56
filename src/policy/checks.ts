// SPDX-License-Identifier: Apache-2.0
import { argvVectors } from '../contract/schema.js'
import type { Check } from './check.js'
import { checkArgv } from './check-argv.js'
import { checkGrants } from './check-grants.js'
import { checkNetwork, checkTargets } from './check-network.js'
import { checkPaths } from './check-paths.js'
import { baseEffect, type Classification, classify } from './classify.js'
import { isUnder, literalPrefix } from './paths.js'
import type { ApprovalRule } from './rules.js'

/**
 * Checks what an effect needs approval for. The effect that csc-runner gives counts whatever else
 * the argv says: a better reading never makes an approval needless.
 */
function checkManualEffects(check: Check, { csc, effects }: Classification): void {
  const { command, rules, findings } = check
  for (const value of new Set([csc, ...effects])) {
    const listed = rules.manualEffects.get(value)
    if (listed === undefined) continue
    const rule = `manual_approval_for_classified_effect_types[${listed}]`
    const message = `classified effect type requires approval: ${value}`
    const at = { commandId: command.id, value, rule }
    if (value === csc) findings.csc('APPROVAL_REQUIRED', message, at)
    else findings.own('APPROVAL_REQUIRED', message, at)
  }
}

function checkEffects(check: Check, classification: Classification): void {
  const { command, policy, rules, findings } = check
  const { id: commandId, proposed_effect_type: proposed } = command
  const rule = 'allowed_effect_types'
  const allowed: readonly string[] = policy.allowed_effect_types
  if (!allowed.includes(proposed)) {
    const options = { commandId, value: proposed, rule }
    const message = `proposed effect type not allowed: ${proposed}`
    findings.csc('EFFECT_TYPE_NOT_ALLOWED', message, options)
  }
  checkManualEffects(check, classification)
  for (const value of classification.effects) {
    if (value === proposed) continue
    const message = `effect reclassified: ${proposed} -> ${value}`
    findings.own('EFFECT_RECLASSIFIED', message, { commandId, value })
    if (!rules.manualEffects.has(value) && !allowed.includes(baseEffect(value))) {
      const denial = `classified effect type not allowed: ${value}`
      findings.own('EFFECT_TYPE_NOT_ALLOWED', denial, { commandId, value, rule })
    }
  }
}

function checkTimeout({ command, policy, findings }: Check): void {
  const { id: commandId, timeout_sec: value } = command
  if (value <= policy.max_timeout_sec) return
  const options = { commandId, value, rule: 'max_timeout_sec' }
  findings.csc('TIMEOUT_EXCEEDS_POLICY', `timeout too large: ${value}`, options)
}

/** Says whether every condition of a rule is met. */
function isMet(rule: ApprovalRule, { command, risk }: Check, effects: readonly string[]): boolean {
  const {
    effect_types: types,
    risk_classes: risks,
    network,
    write_prefixes: prefixes,
  } = rule.stated
  const riskNames: readonly string[] | undefined = risks
  return (
    (types === undefined || effects.some((effect) => types.includes(effect))) &&
    (riskNames === undefined || riskNames.includes(risk)) &&
    (network === undefined || network.includes(command.network)) &&
    (prefixes === undefined || command.write_paths.some((path) => reaches(path, prefixes)))
  )
}

/** Says whether a scope lies in one of some trees, or one of them in it. */
function reaches(path: string, trees: readonly string[]): boolean {
  const literal = literalPrefix(path)
  return trees.some((tree) => isUnder(literal, tree) || isUnder(tree, literal))
}

function checkApprovals(check: Check, effects: readonly string[]): void {
  const { command, rules, findings } = check
  for (const rule of rules.approvalRules) {
    if (!isMet(rule, check, effects)) continue
    const message = `rule requires approval: ${rule.stated.reason ?? rule.stated.id}`
    const at = { commandId: command.id, value: rule.stated.id, rule: rule.path }
    findings.own('APPROVAL_REQUIRED', message, at)
  }
}

/**
 * Checks one command against every rule, in csc's order, whatever is found on the way.
 *
 * @param check the command, the rules, and what takes the findings
 * @returns the effects that the command was classified as
 */
export function checkCommand(check: Check): readonly string[] {
  const { command, rules } = check
  for (const argv of argvVectors(command)) checkArgv(check, argv)
  const classification = classify(command, rules)
  const { csc, effects } = classification
  checkEffects(check, classification)
  checkTimeout(check)
  checkNetwork(check)
  checkGrants(check)
  checkPaths(check)
  checkTargets(check, classification)
  checkApprovals(check, [command.proposed_effect_type, csc, ...effects])
  return effects
}
