// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import type { LoadedContract } from '../contract/index.js'
import { ApprovalError, ConfigError } from '../errors.js'
import { type Signer, handleOf } from '../keys/signer.js'
import { addon, unwrapText } from '../native.js'
import type { Mode, Policy } from '../policy/index.js'
import { actionHash } from './action.js'
import { type Approval, parseApproval } from './parse.js'
import type { ApprovalScope } from './schema.js'

/** What an approval says besides what it is for. */
export interface ApprovalTerms {
  /** The clock. */
  readonly now: Date
  /** The first moment at which it is no longer good; a quarter of an hour from now unless said. */
  readonly expiresAt?: Date | undefined
  /** The first moment at which it is good; now unless said. */
  readonly notBefore?: Date | undefined
  /** `single_execution` unless said. */
  readonly scope?: ApprovalScope | undefined
  /** In which mode the run must be; `hardened` unless said. */
  readonly mode?: Mode | undefined
  /** The only ledger in which it may be used. */
  readonly ledgerId?: string | undefined
  /** A reference for people, at most 256 bytes. */
  readonly ticketId?: string | undefined
  /** Why, for people. */
  readonly reason?: string | undefined
}

const LIFETIME_MS = 15 * 60 * 1000

/** Returns what the policy asks to be bound. */
function bindingOf(contract: LoadedContract, policy: Policy): object {
  const { approvals } = policy.document
  if (typeof approvals === 'object' && approvals.bind === 'action') {
    return { bind: 'action', action_hash: `sha256:${actionHash(contract)}` }
  }
  const [contract_hash, policy_hash] = [`sha256:${contract.hash}`, `sha256:${policy.hash}`]
  return { bind: 'contract', contract_hash, policy_hash }
}

/** Refuses a key that the policy does not take: its approvals would be worth nothing. */
function requireApprover({ document, sourceName }: Policy, signer: Signer): void {
  const { approvals } = document
  const approvers = typeof approvals === 'object' ? approvals.approvers : []
  if (approvers.some(({ public_key: key }) => key === signer.publicKey.hex)) return
  const message = `\`${sourceName}\` does not name this key as an approver's: ${signer.publicKey.hex}`
  throw new ApprovalError('ERR_APPROVAL_APPROVER', message)
}

function times(terms: ApprovalTerms): {
  issued_at: string
  not_before: string
  expires_at: string
} {
  const { now, notBefore = now, expiresAt = new Date(now.getTime() + LIFETIME_MS) } = terms
  if (!(expiresAt > notBefore && expiresAt > now)) {
    throw new ConfigError('ERR_CONFIG_INVALID', 'an approval expires after it begins')
  }
  return {
    issued_at: now.toISOString(),
    not_before: notBefore.toISOString(),
    expires_at: expiresAt.toISOString(),
  }
}

/**
 * Signs an approval of a contract under a policy.
 *
 * @throws {@link ApprovalError} `ERR_APPROVAL_APPROVER` when the policy does not name the key
 * @throws {@link ReceiptError} for a text that is too long
 */
export function signApproval(
  contract: LoadedContract,
  policy: Policy,
  signer: Signer,
  terms: ApprovalTerms,
): Approval {
  requireApprover(policy, signer)
  const { scope = 'single_execution', mode = 'hardened', ledgerId, ticketId, reason } = terms
  const payload = {
    type: 'ambit:approval',
    approval_version: 'ambit.approval.v1',
    approval_id: `appr_${randomUUID()}`,
    ...times(terms),
    scope,
    mode,
    ...bindingOf(contract, policy),
    ...(ledgerId !== undefined && { ledger_id: ledgerId }),
    ...(ticketId !== undefined && { ticket_id: ticketId }),
    ...(reason !== undefined && { reason }),
  }
  const signed = addon.signReceipt(JSON.stringify(payload), handleOf(signer), false, false)
  return parseApproval(Buffer.from(unwrapText(signed)), payload.approval_id)
}
