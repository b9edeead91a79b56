// SPDX-License-Identifier: Apache-2.0
import { NETWORK_MODES } from '../contract/fields.js'
import type { Policy, PolicyDocument } from './schema.js'

/** What a change does: allows more, allows less, cannot be told, or decides nothing. */
export type ChangeEffect = 'narrower' | 'neutral' | 'unclear' | 'wider'

/** One difference between two policies. */
export interface PolicyChange {
  /** The rule, such as `max_timeout_sec` or `allow_commands`. */
  readonly rule: string
  readonly change: 'added' | 'changed' | 'removed'
  /** The item, or the value before and after. */
  readonly from?: unknown
  readonly to?: unknown
  readonly effect: ChangeEffect
}

/** Lists by what another item does. */
const LISTS = {
  allow_commands: 'wider',
  allowed_effect_types: 'wider',
  allowed_risk_classes: 'wider',
  allowed_cwd_prefixes: 'wider',
  allowed_read_prefixes: 'wider',
  allowed_write_prefixes: 'wider',
  allow_inline_code: 'wider',
  allow_env: 'wider',
  allow_features: 'wider',
  lift_protections: 'wider',
  egress: 'wider',
  deny_argv_prefixes: 'narrower',
  deny_env: 'narrower',
  manual_approval_for_classified_effect_types: 'narrower',
  obligations: 'narrower',
  approval_rules: 'narrower',
  // the first host judges all others, and a name can be pinned to another file
  allowed_egress_hosts: 'unclear',
  argv_rules: 'narrower',
  executables: 'unclear',
  secrets: 'unclear',
} as const satisfies Partial<Record<keyof PolicyDocument, ChangeEffect>>

type ListRule = keyof typeof LISTS

const opposite = (effect: ChangeEffect): ChangeEffect => {
  if (effect === 'wider') return 'narrower'
  return effect === 'narrower' ? 'wider' : effect
}

function listChanges(rule: ListRule, from: PolicyDocument, to: PolicyDocument): PolicyChange[] {
  const effect = LISTS[rule]
  const written = (document: PolicyDocument): Map<string, unknown> =>
    new Map((document[rule] ?? []).map((item: unknown) => [JSON.stringify(item), item]))
  const [before, after] = [written(from), written(to)]
  const removed = [...before].filter(([text]) => !after.has(text))
  const added = [...after].filter(([text]) => !before.has(text))
  return [
    ...removed.map(([, item]) => ({
      rule,
      change: 'removed' as const,
      from: item,
      effect: opposite(effect),
    })),
    ...added.map(([, item]) => ({ rule, change: 'added' as const, to: item, effect })),
  ]
}

/** Puts the value of a rule on a line from least to most that is allowed. */
const RANKS: Partial<Record<keyof PolicyDocument, (document: PolicyDocument) => number>> = {
  allow_secret_refs: (document) => Number(document.allow_secret_refs),
  expires_at: ({ expires_at: expiry }) =>
    expiry === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiry),
  max_timeout_sec: (document) => document.max_timeout_sec,
  network: (document) => NETWORK_MODES.indexOf(document.network),
  require_write_paths_empty: (document) => -Number(document.require_write_paths_empty),
}

const SCALARS = [
  'policy_schema_version',
  'name',
  'allow_secret_refs',
  'approvals',
  'enforcement_floor',
  'expires_at',
  'inspectors',
  'max_timeout_sec',
  'network',
  'require_write_paths_empty',
  'timeout_grace_ms',
] as const

/** The inspectors of a policy of ours that names none. */
const USUAL_INSPECTORS = ['egress', 'repetition'] as const

function effectOfInspectors(from: PolicyDocument, to: PolicyDocument): ChangeEffect {
  const [before, after] = [from, to].map(
    ({ inspectors }) => new Set<string>(inspectors ?? USUAL_INSPECTORS),
  )
  const lost = [...(before ?? [])].some((name) => after?.has(name) !== true)
  const won = [...(after ?? [])].some((name) => before?.has(name) !== true)
  if (lost) return won ? 'unclear' : 'wider'
  return won ? 'narrower' : 'neutral'
}

/** A floor decides two things: whether `local` mode will do, and whether tier `lite` will. */
function effectOfFloor(from: PolicyDocument, to: PolicyDocument): ChangeEffect {
  const [before, after] = [floorAllows(from), floorAllows(to)]
  const steps = new Set([after.local - before.local, after.lite - before.lite])
  if (steps.has(1)) return steps.has(-1) ? 'unclear' : 'wider'
  return steps.has(-1) ? 'narrower' : 'neutral'
}

function floorAllows({ enforcement_floor: floor }: PolicyDocument) {
  return {
    local: Number(floor === undefined || floor === 'none'),
    lite: Number(floor === 'none' || floor === 'lite'),
  }
}

function effectOf(rule: (typeof SCALARS)[number], from: PolicyDocument, to: PolicyDocument) {
  if (rule === 'name' || rule === 'timeout_grace_ms') return 'neutral'
  if (rule === 'inspectors') return effectOfInspectors(from, to)
  if (rule === 'enforcement_floor') return effectOfFloor(from, to)
  const rank = RANKS[rule]
  if (rank === undefined) return 'unclear'
  const [before, after] = [rank(from), rank(to)]
  if (before === after) return 'neutral'
  return after > before ? 'wider' : 'narrower'
}

/**
 * Says how one policy differs from another, rule by rule, and whether each difference allows more.
 * What rules mean together is not compared: a change that is wider by itself may be denied by another
 * rule.
 *
 * @param from the policy before
 * @param to the policy after
 */
export function diffPolicies(from: Policy, to: Policy): readonly PolicyChange[] {
  const [before, after] = [from.document, to.document]
  const scalars = SCALARS.flatMap((rule): readonly PolicyChange[] => {
    const [old, now] = [before[rule], after[rule]]
    if (JSON.stringify(old) === JSON.stringify(now)) return []
    const effect = effectOf(rule, before, after)
    const values = {
      ...(old !== undefined && { from: old }),
      ...(now !== undefined && { to: now }),
    }
    return [{ rule, change: 'changed', ...values, effect }]
  })
  const lists = listRules.flatMap((rule) => listChanges(rule, before, after))
  return [...scalars, ...lists]
}

const listRules: readonly ListRule[] = [
  'allow_commands',
  'deny_argv_prefixes',
  'argv_rules',
  'allow_inline_code',
  'executables',
  'allowed_effect_types',
  'manual_approval_for_classified_effect_types',
  'approval_rules',
  'allowed_risk_classes',
  'allowed_egress_hosts',
  'egress',
  'allow_env',
  'deny_env',
  'secrets',
  'allow_features',
  'lift_protections',
  'obligations',
  'allowed_cwd_prefixes',
  'allowed_read_prefixes',
  'allowed_write_prefixes',
]
