// SPDX-License-Identifier: Apache-2.0
// What one approval is worth for one contract under one policy. Whatever is not in order makes it
// worth nothing, and a reason says what.
import type { LoadedContract } from '../contract/index.js'
import { sameName } from '../policy/approver.js'
import type { Mode, Policy, PolicyReason, ReasonCode } from '../policy/index.js'
import { actionHash } from './action.js'
import { type Approval, UNSIGNED } from './parse.js'
import { type Signed, signatureOf } from './signature.js'

/** What approvals are judged for. */
export interface Matter {
  readonly contract: LoadedContract
  readonly policy: Policy
  readonly mode: Mode
  readonly now: Date
  /** The ledger in which the run will be recorded; undefined where none is asked. */
  readonly ledgerId?: string | undefined
  /** Whether an approval was used before, for all that the ledger says. */
  readonly isUsed?: (approval: Approval) => boolean
}

/** An approval that holds, and who gave it. */
export interface Accepted {
  readonly approval: Approval
  /** The name in the policy, or the identity in an unsigned approval. */
  readonly approver: string
}

/** What an approval is worth: who gave it, or why it is worth nothing. */
export type Judged = Accepted | { readonly reason: PolicyReason }

type Fault = readonly [code: ReasonCode, words: string]

const NO_APPROVERS: Fault = ['APPROVAL_APPROVER_UNKNOWN', 'the policy names no approvers']

/** Finds who gave an approval, or why that cannot be believed. */
function giverOf(approval: Approval, policy: Policy): string | Fault {
  const { approvals } = policy.document
  if (approval.keyId === UNSIGNED) {
    if (approvals === 'unsigned') return approval.identity ?? ''
    return ['APPROVAL_UNSIGNED', 'it is not signed']
  }
  if (approvals === undefined || approvals === 'unsigned') return NO_APPROVERS
  return named(signatureOf(approval, approvals.approvers))
}

function named(signed: Signed): string | Fault {
  switch (signed.kind) {
    case 'good':
      return signed.approver.name
    case 'bad':
      return ['APPROVAL_SIGNATURE_INVALID', `its signature does not hold: ${signed.why}`]
    case 'unknown':
      return ['APPROVAL_APPROVER_UNKNOWN', 'its key is not that of an approver']
  }
}

const MISMATCH = 'APPROVAL_MISMATCH'

function bindingFault({ binding }: Approval, { contract, policy }: Matter): Fault | undefined {
  if (binding.kind === 'action') {
    const { approvals } = policy.document
    const isAllowed = typeof approvals === 'object' && approvals.bind === 'action'
    if (!isAllowed) return ['APPROVAL_BINDING_NOT_ALLOWED', 'it binds an action, not a contract']
    if (binding.action !== actionHash(contract)) return [MISMATCH, 'it is for another action']
    return undefined
  }
  if (binding.contract !== contract.hash) return [MISMATCH, 'it is for another contract']
  const isForPolicy = binding.policy === undefined || binding.policy === policy.hash
  return isForPolicy ? undefined : [MISMATCH, 'it is for another policy']
}

function placeFault(approval: Approval, { mode, ledgerId }: Matter): Fault | undefined {
  if (approval.mode !== undefined && approval.mode !== mode) {
    return [MISMATCH, `it is for mode ${approval.mode}`]
  }
  if (ledgerId === undefined || approval.ledgerId === undefined) return undefined
  return approval.ledgerId === ledgerId ? undefined : [MISMATCH, 'it is for another ledger']
}

const utc = (time: number): string => new Date(time).toISOString()

function timeFault(approval: Approval, { policy, now }: Matter): Fault | undefined {
  const { approvedAt, notBefore, expiresAt } = approval
  const { approvals } = policy.document
  const time = now.getTime()
  if (!(expiresAt > approvedAt && expiresAt > notBefore)) {
    return ['APPROVAL_EXPIRED', 'it expires before it begins']
  }
  if (!(time >= approvedAt && time >= notBefore)) {
    return ['APPROVAL_NOT_YET_VALID', `it begins at ${utc(Math.max(approvedAt, notBefore))}`]
  }
  if (!(time < expiresAt)) return ['APPROVAL_EXPIRED', `it expired at ${utc(expiresAt)}`]
  const age = typeof approvals === 'object' ? approvals.max_age_sec : undefined
  if (age === undefined || time < approvedAt + age * MS_PER_SECOND) return undefined
  return ['APPROVAL_EXPIRED', `it is older than ${age} s, the most that the policy takes`]
}

const MS_PER_SECOND = 1000

function scopeFault({ scope }: Approval, { policy }: Matter): Fault | undefined {
  const { approvals } = policy.document
  if (typeof approvals !== 'object' || approvals.scopes.includes(scope)) return undefined
  return ['APPROVAL_SCOPE_NOT_ALLOWED', `the policy does not take scope ${scope}`]
}

function giverFault(giver: string, { contract }: Matter): Fault | undefined {
  const { agent_id: agent, initiating_user: user } = contract.actor
  if (![agent, user].map(sameName).includes(sameName(giver))) return undefined
  return ['APPROVAL_SELF_GIVEN', 'its approver is who asks']
}

function faultOf(approval: Approval, giver: string, matter: Matter): Fault | undefined {
  return (
    bindingFault(approval, matter) ??
    placeFault(approval, matter) ??
    timeFault(approval, matter) ??
    scopeFault(approval, matter) ??
    giverFault(giver, matter) ??
    usedFault(approval, matter)
  )
}

function usedFault(approval: Approval, { isUsed }: Matter): Fault | undefined {
  if (approval.scope !== 'single_execution' || isUsed?.(approval) !== true) return undefined
  return ['APPROVAL_CONSUMED', 'it was used before']
}

/**
 * Says what an approval is worth. Pure but for the time it takes to check a signature.
 */
export function judge(approval: Approval, matter: Matter): Judged {
  const giver = giverOf(approval, matter.policy)
  const fault = typeof giver === 'string' ? faultOf(approval, giver, matter) : giver
  if (typeof giver === 'string' && fault === undefined) return { approval, approver: giver }
  const [code, words] = fault ?? NO_APPROVERS
  return { reason: { code, message: `approval ${approval.id}: ${words}`, value: approval.id } }
}
