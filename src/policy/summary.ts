// SPDX-License-Identifier: Apache-2.0
import { visible } from '../contract/visible.js'
import type { Policy } from './schema.js'

/** One thing that a policy says. */
export interface PolicyStatement {
  /** The rule, such as `network`. */
  readonly rule: string
  /** In words; safe to show. */
  readonly says: string
  /** Where the rule stands, as `file:line:column`; absent for what the file leaves out. */
  readonly source?: string
}

const each = (items: readonly string[] | undefined, none: string): string =>
  items === undefined || items.length === 0 ? none : items.join(', ')

const argv = (items: readonly string[]): string => items.join(' ')

type Says = (document: Policy['document']) => string | undefined

const SAYS: readonly (readonly [rule: string, says: Says])[] = [
  ['allow_commands', (p) => `runs ${each(p.allow_commands, 'nothing')}`],
  [
    'deny_argv_prefixes',
    (p) => {
      const prefixes = p.deny_argv_prefixes.map(argv)
      return prefixes.length === 0 ? undefined : `never ${prefixes.join('; ')}`
    },
  ],
  [
    'argv_rules',
    (p) =>
      p.argv_rules
        ?.map(({ id, effect, reason }) => `${effect} ${id}: ${reason ?? 'no reason given'}`)
        .join('; '),
  ],
  [
    'allow_inline_code',
    (p) => `code as text: ${each(p.allow_inline_code, 'none')}, in hardened mode only`,
  ],
  ['executables', (p) => p.executables?.map(({ name, path }) => `${name} is ${path}`).join(', ')],
  ['allowed_effect_types', (p) => `effects: ${each(p.allowed_effect_types, 'none')}`],
  [
    'manual_approval_for_classified_effect_types',
    (p) => {
      const effects = p.manual_approval_for_classified_effect_types
      return effects.length === 0 ? undefined : `needs an approval for ${effects.join(', ')}`
    },
  ],
  ['approval_rules', (p) => p.approval_rules?.map(({ id }) => `approval: ${id}`).join(', ')],
  ['allowed_risk_classes', (p) => `risk: ${each(p.allowed_risk_classes, 'none')}`],
  ['max_timeout_sec', (p) => `at most ${p.max_timeout_sec} s a command`],
  ['network', (p) => `network: ${p.network}`],
  [
    'allowed_egress_hosts',
    (p) =>
      p.allowed_egress_hosts.length === 0 ? undefined : `hosts: ${argv(p.allowed_egress_hosts)}`,
  ],
  ['egress', (p) => p.egress && `hosts and ports: ${each(p.egress, 'none')}`],
  ['allow_env', (p) => p.allow_env && `variables: ${each(p.allow_env, 'none')}`],
  ['deny_env', (p) => p.deny_env && `never the variables ${each(p.deny_env, 'none')}`],
  [
    'secrets',
    (p) =>
      p.secrets &&
      `secrets: ${each(
        p.secrets.map(({ name }) => name),
        'none',
      )}`,
  ],
  ['allow_secret_refs', (p) => `secret refs: ${p.allow_secret_refs ? 'any' : 'none'}`],
  ['allow_features', (p) => p.allow_features && `features: ${each(p.allow_features, 'none')}`],
  [
    'lift_protections',
    (p) => p.lift_protections && `does not protect: ${each(p.lift_protections, 'nothing')}`,
  ],
  ['allowed_cwd_prefixes', (p) => `works in ${each(p.allowed_cwd_prefixes, 'nothing')}`],
  ['allowed_read_prefixes', (p) => `reads ${each(p.allowed_read_prefixes, 'nothing')}`],
  [
    'allowed_write_prefixes',
    (p) =>
      `writes ${p.require_write_paths_empty ? 'nothing' : each(p.allowed_write_prefixes, 'nothing')}`,
  ],
  [
    'obligations',
    (p) => p.obligations?.map(({ require, path }) => `requires ${require} in ${path}`).join(', '),
  ],
  [
    'inspectors',
    (p) => p.inspectors && `commands are inspected for ${each(p.inspectors, 'nothing')}`,
  ],
  [
    'enforcement_floor',
    (p) => p.enforcement_floor && `enforcement: at least ${p.enforcement_floor}`,
  ],
  [
    'timeout_grace_ms',
    ({ timeout_grace_ms: ms }) =>
      ms === undefined ? ms : `local mode asks to end ${ms} ms before the timeout`,
  ],
  ['expires_at', ({ expires_at: end }) => (end === undefined ? end : `denies all from ${end}`)],
]

/**
 * Says in words what a policy says, rule by rule.
 *
 * @param policy as it was read
 */
export function explainPolicy({
  document,
  places,
  sourceName,
}: Policy): readonly PolicyStatement[] {
  return SAYS.flatMap(([rule, says]): readonly PolicyStatement[] => {
    const text = says(document)
    if (text === undefined) return []
    const place = places.at(rule)
    const source = place && visible(`${sourceName}:${place.line}:${place.column}`)
    return [{ rule, says: visible(text), ...(source !== undefined && { source }) }]
  })
}
