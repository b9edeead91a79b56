// SPDX-License-Identifier: Apache-2.0
import type { LoadedContract } from '../contract/index.js'
import { sameName } from '../policy/approver.js'
import { MAX_REASONS } from '../policy/decision.js'
import type { Policy, PolicyDecision, PolicyReason } from '../policy/index.js'
import { type Accepted, type Judged, type Matter, judge } from './judge.js'
import type { Approval } from './parse.js'

/** A decision after approvals, and those of them that it rests on. */
export interface Approved {
  readonly decision: PolicyDecision
  /** What a run under this decision uses; empty unless approvals made the decision `allow`. */
  readonly used: readonly Approval[]
}

/** How many approvers it takes. */
const DUAL = 2

/**
 * Returns how many different approvers a contract needs under a policy.
 *
 * @returns undefined where no number is enough: two people cannot be told apart without keys
 */
function approversNeeded(contract: LoadedContract, policy: Policy): number | undefined {
  const isDual = contract.approval_mode === 'dual_control_required'
  const { approvals } = policy.document
  if (approvals === 'unsigned') return isDual ? undefined : 1
  const { required = 1 } = approvals ?? {}
  return isDual ? Math.max(required, DUAL) : required
}

/** Takes the first approval of each approver. */
function distinct(accepted: readonly Accepted[]): readonly Accepted[] {
  const byName = new Map<string, Accepted>()
  for (const one of accepted) {
    const name = sameName(one.approver)
    if (!byName.has(name)) byName.set(name, one)
  }
  return [...byName.values()]
}

/** Adds reasons to a decision; its codes stay complete where the list of reasons is cut. */
function withReasons(decision: PolicyDecision, added: readonly PolicyReason[]): PolicyDecision {
  const codes = new Set([...decision.reason_codes, ...added.map(({ code }) => code)])
  return {
    ...decision,
    reason_codes: [...codes].toSorted(),
    reasons: [...decision.reasons, ...added].slice(0, MAX_REASONS),
    reasons_total: decision.reasons_total + added.length,
  }
}

function granted(decision: PolicyDecision, accepted: readonly Accepted[]): Approved {
  const names = accepted.map(({ approver }) => approver)
  const message = `approved by ${names.join(', ')}`
  const reason: PolicyReason = { code: 'APPROVAL_GRANTED', message, value: names }
  const end = Math.min(...accepted.map(({ approval }) => approval.expiresAt))
  const before = decision.expires_at
  const expires_at = before === undefined || end < Date.parse(before) ? isoOf(end) : before
  return {
    decision: { ...withReasons(decision, [reason]), decision: 'allow', expires_at },
    used: accepted.map(({ approval }) => approval),
  }
}

const isoOf = (time: number): string => new Date(time).toISOString()

function tooFew(found: number, needed: number | undefined): PolicyReason {
  const message =
    needed === undefined
      ? 'two approvers are needed, and unsigned approvals cannot tell two people apart'
      : `${needed} different approvers are needed, ${found} approved`
  return { code: 'APPROVAL_INSUFFICIENT', message, value: found }
}

/**
 * Applies approvals to a decision. A decision that needs approval becomes `allow` when enough
 * different approvers approved; every other decision stays as it is, and uses none. Where they are
 * not enough, reasons say what is wrong with each.
 *
 * @param decision as `evaluate` returned it, for the same contract and policy
 */
export function applyApprovals(
  decision: PolicyDecision,
  approvals: readonly Approval[],
  matter: Matter,
): Approved {
  const unchanged: Approved = { decision, used: [] }
  if (decision.decision !== 'needs_approval' || approvals.length === 0) return unchanged
  const judged = approvals.map((approval): Judged => judge(approval, matter))
  const accepted = distinct(judged.filter((one) => 'approver' in one))
  const needed = approversNeeded(matter.contract, matter.policy)
  if (needed !== undefined && accepted.length >= needed) {
    return granted(decision, accepted.slice(0, needed))
  }
  const faults = judged.filter((one) => 'reason' in one).map(({ reason }) => reason)
  const added = [...faults, ...(accepted.length > 0 ? [tooFew(accepted.length, needed)] : [])]
  return { decision: withReasons(decision, added), used: [] }
}
