// SPDX-License-Identifier: Apache-2.0
import { quote } from '../contract/issues.js'
import type { PolicyReason } from './decision.js'
import type { ReasonCode } from './reason-codes.js'
import type { Policy, PolicyDocument } from './schema.js'

/** The most alternatives that one hint lists. */
const MAX_LISTED = 4

function anyOf(items: readonly string[]): string {
  const shown = items.slice(0, MAX_LISTED).map((item) => quote(item))
  return items.length > MAX_LISTED ? `${shown.join(', ')}, …` : shown.join(', ')
}

type Hint = (value: PolicyReason['value'], document: PolicyDocument) => string

const isOurs = (document: PolicyDocument): boolean =>
  document.policy_schema_version === 'ambit.policy.v1'

/** Joins what the contract can do, where it can do something, with what the policy can. */
function either(contract: string | undefined, policy: string): string {
  return contract === undefined ? policy : `${contract}, or ${policy}`
}

const askFor = (what: string, items: readonly string[]): string | undefined =>
  items.length === 0 ? undefined : `ask for ${what}${anyOf(items)}`

const scope =
  (rule: 'allowed_cwd_prefixes' | 'allowed_read_prefixes' | 'allowed_write_prefixes'): Hint =>
  (value, document) =>
    String(value).includes('..')
      ? 'write the path without `..`'
      : either(askFor('a path under ', document[rule]), `add ${quote(value)} to ${rule}`)

const HINTS: Partial<Record<ReasonCode, Hint>> = {
  RISK_CLASS_NOT_ALLOWED: (value, { allowed_risk_classes: risks }) =>
    either(askFor('', risks), `add ${quote(value)} to allowed_risk_classes`),
  COMMAND_NOT_ALLOWED: (value) => `add ${quote(value)} to allow_commands`,
  ARGV_PREFIX_DENIED: () => 'use other arguments, or take the prefix out of deny_argv_prefixes',
  ARGV_RULE_DENIED: () => 'use other arguments, or change the rule',
  EFFECT_TYPE_NOT_ALLOWED: (value, { allowed_effect_types: effects }) =>
    either(askFor('', effects), `add ${quote(value)} to allowed_effect_types`),
  APPROVAL_REQUIRED: () => 'get an approval',
  TIMEOUT_EXCEEDS_POLICY: (value, { max_timeout_sec: max }) =>
    `ask for at most ${max} seconds, or raise max_timeout_sec to ${Number(value)}`,
  NETWORK_EXCEEDS_POLICY: (value, { network }) =>
    `ask for network ${quote(network)}, or set network to ${quote(value)}`,
  SECRET_REF_NOT_ALLOWED: (_, document) =>
    `ask for no secrets, or ${isOurs(document) ? 'name them in secrets' : 'set allow_secret_refs'}`,
  CWD_NOT_ALLOWED: scope('allowed_cwd_prefixes'),
  READ_SCOPE_DENIED: scope('allowed_read_prefixes'),
  WRITE_SCOPE_DENIED: scope('allowed_write_prefixes'),
  WRITE_PATHS_NOT_EMPTY: () => 'ask for no write_paths, or unset require_write_paths_empty',
  PATH_NOT_ABSOLUTE: () => 'write the path from the root',
  PATH_UNCLEAR: () => 'use a path whose characters can be seen',
  INLINE_CODE_DENIED: (value, document) => {
    const file = 'put the code into a file in scope and run that'
    const [name = ''] = typeof value === 'object' ? value : []
    return isOurs(document) ? `${file}, or add ${quote(name)} to allow_inline_code` : file
  },
  EGRESS_HOST_NOT_ALLOWED: (value, document) => {
    const rule = isOurs(document) ? 'egress' : 'allowed_egress_hosts'
    const known = [...(document.egress ?? []), ...document.allowed_egress_hosts]
    return either(askFor('', known), `add ${quote(value)} to ${rule}`)
  },
  EGRESS_TARGET_UNCLEAR: () => 'write every URL out, without globs, files and proxies',
  ENV_NOT_ALLOWED: (value, document) => {
    const without = `take ${quote(value)} out of the contract`
    return isOurs(document) ? `${without}, or add it to allow_env` : without
  },
  ENFORCEMENT_BELOW_FLOOR: () => 'run in mode `hardened`',
  EXECUTABLE_NOT_PINNED: (_, { executables = [] }) =>
    `call one of ${anyOf(executables.map(({ path }) => path))}`,
  FEATURE_NOT_ALLOWED: (value) => `ask for less, or add ${quote(value)} to allow_features`,
  INSPECTOR_DENIED: () => 'ask for a command that does not do this',
  POLICY_EXPIRED: () => 'have the policy renewed',
  APPROVAL_APPROVER_UNKNOWN: (_, { approvals }) =>
    typeof approvals === 'object'
      ? `ask one of ${anyOf(approvals.approvers.map(({ name }) => name))}`
      : 'name approvers in approvals',
  APPROVAL_BINDING_NOT_ALLOWED: () => 'get one for this contract, or set bind to `action`',
  APPROVAL_CONSUMED: () => 'get a new approval',
  APPROVAL_EXPIRED: () => 'get a new approval',
  APPROVAL_INSUFFICIENT: () => 'get an approval by another approver',
  APPROVAL_MISMATCH: () => 'get one for this contract, policy, mode and ledger',
  APPROVAL_NOT_YET_VALID: () => 'wait, or compare the clocks',
  APPROVAL_SCOPE_NOT_ALLOWED: () => 'get one of another scope, or add it to scopes',
  APPROVAL_SELF_GIVEN: () => 'ask somebody else',
  APPROVAL_SIGNATURE_INVALID: () => 'get the approval as it was signed',
  APPROVAL_UNSIGNED: () => 'get a signed approval',
}

/**
 * Says in one line what would have to be otherwise for a reason to go: in the contract first, in the
 * policy second. A hint for people; whether the policy should change is not ours to say.
 *
 * @param reason of a decision
 * @param policy that was decided by
 * @returns undefined where nothing has to change
 */
export function nearestChange(reason: PolicyReason, policy: Policy): string | undefined {
  return HINTS[reason.code]?.(reason.value ?? '', policy.document)
}
