// SPDX-License-Identifier: Apache-2.0

/** What a reason does to a decision: `deny` wins over `needs_approval`, which wins over `allow`. */
export type ReasonEffect = 'allow' | 'deny' | 'needs_approval' | 'note'

/** What a reason code means and does. */
export interface ReasonCodeEntry {
  readonly effect: ReasonEffect
  readonly meaning: string
}

/**
 * Every reason code. Append-only: a code is never renamed, removed or reused. The first 15 are
 * csc-runner's registry with its meanings; ours follow.
 */
export const REASON_CODES = {
  RISK_CLASS_NOT_ALLOWED: {
    effect: 'deny',
    meaning: 'The risk class of the contract is not in allowed_risk_classes.',
  },
  COMMAND_NOT_ALLOWED: {
    effect: 'deny',
    meaning: 'The executable, as written, is not in allow_commands.',
  },
  ARGV_PREFIX_DENIED: {
    effect: 'deny',
    meaning: 'The argv starts with an entry of deny_argv_prefixes.',
  },
  EFFECT_TYPE_NOT_ALLOWED: {
    effect: 'deny',
    meaning:
      'The proposed effect, or the one it was classified as, is not in allowed_effect_types.',
  },
  APPROVAL_REQUIRED: {
    effect: 'needs_approval',
    meaning:
      'The classified effect, the approval mode of the contract or a rule asks for an approval.',
  },
  TIMEOUT_EXCEEDS_POLICY: {
    effect: 'deny',
    meaning: 'The timeout of a command is longer than max_timeout_sec.',
  },
  NETWORK_EXCEEDS_POLICY: {
    effect: 'deny',
    meaning: 'A command asks for more network access than the policy gives.',
  },
  SECRET_REF_NOT_ALLOWED: {
    effect: 'deny',
    meaning: 'A command names secrets that neither allow_secret_refs nor secrets allows.',
  },
  CWD_NOT_ALLOWED: {
    effect: 'deny',
    meaning: 'The working directory is outside allowed_cwd_prefixes, or contains `..`.',
  },
  READ_SCOPE_DENIED: {
    effect: 'deny',
    meaning: 'A read path is outside allowed_read_prefixes, or contains `..`.',
  },
  WRITE_SCOPE_DENIED: {
    effect: 'deny',
    meaning: 'A write path is outside allowed_write_prefixes, or contains `..`.',
  },
  WRITE_PATHS_NOT_EMPTY: {
    effect: 'deny',
    meaning: 'A command has write paths and require_write_paths_empty is true.',
  },
  PATH_NOT_ABSOLUTE: {
    effect: 'deny',
    meaning: 'A path, or a prefix of the policy, is not absolute in its own flavour.',
  },
  ALLOW: {
    effect: 'allow',
    meaning: 'Every check passed.',
  },
  EFFECT_RECLASSIFIED: {
    effect: 'note',
    meaning: 'A command was classified as another effect than it proposed; no verdict in itself.',
  },
  INLINE_CODE_DENIED: {
    effect: 'deny',
    meaning: 'The argv hands code to an interpreter as text or on stdin instead of naming a file.',
  },
  EGRESS_HOST_NOT_ALLOWED: {
    effect: 'deny',
    meaning:
      'The network is allowlisted and a host outside allowed_egress_hosts and egress is named.',
  },
  EGRESS_TARGET_UNCLEAR: {
    effect: 'deny',
    meaning: 'Rules depend on what a client contacts, and its argv does not say it plainly.',
  },
  ENV_NOT_ALLOWED: {
    effect: 'deny',
    meaning:
      'A variable makes programs run other code, looks like a secret, or is not let in by allow_env.',
  },
  ARGV_RULE_DENIED: {
    effect: 'deny',
    meaning: 'The argv is one to which a rule of argv_rules applies that denies.',
  },
  ENFORCEMENT_BELOW_FLOOR: {
    effect: 'deny',
    meaning: 'The mode cannot enforce as much as enforcement_floor asks for.',
  },
  EXECUTABLE_NOT_PINNED: {
    effect: 'deny',
    meaning: 'An executable has a name in executables and is another file.',
  },
  FEATURE_NOT_ALLOWED: {
    effect: 'deny',
    meaning: 'A command asks for what widens its sandbox, and allow_features does not list it.',
  },
  PATH_UNCLEAR: {
    effect: 'deny',
    meaning:
      'A path holds characters that cannot be seen, such as controls or changes of direction.',
  },
  POLICY_EXPIRED: {
    effect: 'deny',
    meaning: 'The time of the decision is not before expires_at of the policy, or is not known.',
  },
  APPROVAL_APPROVER_UNKNOWN: {
    effect: 'needs_approval',
    meaning: 'An approval was not signed by an approver whom the policy names.',
  },
  APPROVAL_BINDING_NOT_ALLOWED: {
    effect: 'needs_approval',
    meaning: 'An approval binds an action only, and the policy wants a contract bound.',
  },
  APPROVAL_CONSUMED: {
    effect: 'needs_approval',
    meaning: 'An approval that is good for one run was used before.',
  },
  APPROVAL_EXPIRED: {
    effect: 'needs_approval',
    meaning:
      'An approval has expired, is older than the policy takes, or expires before it begins.',
  },
  APPROVAL_GRANTED: {
    effect: 'note',
    meaning: 'Enough approvers approved what needed an approval; the decision rests on it.',
  },
  APPROVAL_INSUFFICIENT: {
    effect: 'needs_approval',
    meaning: 'Fewer different approvers approved than it takes.',
  },
  APPROVAL_MISMATCH: {
    effect: 'needs_approval',
    meaning: 'An approval is for another contract, policy, action, mode or ledger.',
  },
  APPROVAL_NOT_YET_VALID: {
    effect: 'needs_approval',
    meaning: 'An approval is dated in the future, or not good yet.',
  },
  APPROVAL_SCOPE_NOT_ALLOWED: {
    effect: 'needs_approval',
    meaning: 'An approval is good for more than the policy takes.',
  },
  APPROVAL_SELF_GIVEN: {
    effect: 'needs_approval',
    meaning: 'The approver is the agent or the user of the contract.',
  },
  APPROVAL_SIGNATURE_INVALID: {
    effect: 'needs_approval',
    meaning: 'An approval names the key of an approver and is not signed by it as it stands.',
  },
  APPROVAL_UNSIGNED: {
    effect: 'needs_approval',
    meaning: 'An approval is not signed, and the policy does not take unsigned ones.',
  },
  INSPECTOR_DENIED: {
    effect: 'deny',
    meaning: 'An inspector that the policy names found what must not be done in a command.',
  },
} satisfies Record<string, ReasonCodeEntry>

/** A stable name of a reason. Consumers tolerate names that they do not know. */
export type ReasonCode = keyof typeof REASON_CODES
