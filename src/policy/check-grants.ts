// SPDX-License-Identifier: Apache-2.0
// What a command gets from outside its own files: variables, secrets, and what widens its sandbox.
import type { Command } from '../contract/schema.js'
import type { FEATURES } from './ambit-schema.js'
import type { Check } from './check.js'
import { environmentRisk } from './environment.js'
import type { Findings } from './findings.js'
import type { NameRule, Rules } from './rules.js'

const CODE = 'environment variable makes programs run other code'
const SECRET = 'environment variable looks like a secret'

/** Why a variable is not let in, and the rule that says so. */
interface Objection {
  readonly words: string
  readonly rule?: string
}

/** Judges a variable by tables of ours alone. */
function objectionOfTables(name: string, allowsSecrets: boolean): Objection | undefined {
  const risk = environmentRisk(name)
  if (risk === 'code') return { words: CODE }
  if (risk === 'secret' && !allowsSecrets) return { words: SECRET, rule: 'allow_secret_refs' }
  return undefined
}

/** Judges a variable by a list: one that is named is meant, one that a pattern takes in is not. */
function objectionOfList(
  name: string,
  allowed: readonly NameRule[],
  allowsSecrets: boolean,
): Objection | undefined {
  const rules = allowed.filter(({ applies }) => applies(name))
  if (rules.length === 0) return { words: 'environment variable not allowed', rule: 'allow_env' }
  if (rules.some(({ exact }) => exact)) return undefined
  return objectionOfTables(name, allowsSecrets)
}

function objectionOfDenials(name: string, { deniedVariables }: Rules): Objection | undefined {
  const denied = deniedVariables.find(({ applies }) => applies(name))
  return denied && { words: 'environment variable denied', rule: denied.path }
}

function object(findings: Findings, commandId: string, value: string, objection?: Objection): void {
  if (objection === undefined) return
  const { words, rule } = objection
  const at = { commandId, value, ...(rule !== undefined && { rule }) }
  findings.own('ENV_NOT_ALLOWED', `${words}: ${value}`, at)
}

function checkVariables({ command, policy, rules, findings }: Check): void {
  const { allow_secret_refs: allowsSecrets } = policy
  const { allowedVariables } = rules
  for (const name of command.env_allow) {
    const objection =
      objectionOfDenials(name, rules) ??
      (allowedVariables === undefined
        ? objectionOfTables(name, allowsSecrets)
        : objectionOfList(name, allowedVariables, allowsSecrets))
    object(findings, command.id, name, objection)
  }
}

function checkSecrets({ command, policy, rules, findings }: Check): void {
  const { id: commandId, secret_refs: refs, secrets = [] } = command
  if (refs.length > 0 && !policy.allow_secret_refs) {
    const options = { commandId, value: refs, rule: 'allow_secret_refs' }
    findings.csc('SECRET_REF_NOT_ALLOWED', 'secret refs not allowed', options)
  }
  for (const { name: value, env } of secrets) {
    if (!rules.secrets.has(value)) {
      const message = `secret not allowed: ${value}`
      findings.own('SECRET_REF_NOT_ALLOWED', message, { commandId, value, rule: 'secrets' })
    }
    if (env !== undefined) object(findings, commandId, env, objectionToSecret(env, rules))
  }
}

/** Judges the variable in which a command wants a secret: the contract chose its name. */
function objectionToSecret(name: string, rules: Rules): Objection | undefined {
  const code = environmentRisk(name) === 'code' ? { words: CODE } : undefined
  return objectionOfDenials(name, rules) ?? code
}

type Feature = (typeof FEATURES)[number]

/** Returns what a command asks for beyond the strictest sandbox. */
function featuresOf(command: Command): readonly Feature[] {
  const { allow_exec_from_memory: memory, proc, profile, pty, stdin } = command
  const asked: readonly (readonly [Feature, boolean])[] = [
    ['exec_from_memory', memory === true],
    ['proc_full', proc === 'full'],
    ['profile_compat', profile === 'compat'],
    ['pty', pty === true],
    ['stdin_inherit', stdin?.inherit === true],
  ]
  return asked.filter(([, isAsked]) => isAsked).map(([feature]) => feature)
}

/** Checks the variables, secrets and features that a command asks for. */
export function checkGrants(check: Check): void {
  const { command, rules, findings } = check
  checkSecrets(check)
  checkVariables(check)
  for (const value of featuresOf(command)) {
    if (rules.features.has(value)) continue
    const message = `feature not allowed: ${value}`
    const rule = 'allow_features'
    findings.own('FEATURE_NOT_ALLOWED', message, { commandId: command.id, value, rule })
  }
}
