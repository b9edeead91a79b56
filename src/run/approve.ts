// SPDX-License-Identifier: Apache-2.0
import {
  type Approval,
  type ApprovalTerms,
  type Matter,
  judge,
  signApproval,
} from '../approval/index.js'
import { ApprovalError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import { type PolicyDecision, evaluate } from '../policy/index.js'
import { type CheckOptions, readDocuments } from './documents.js'
import { inspectContract } from './inspection.js'

/** What is approved, by whom, and on which terms. */
export interface ApproveOptions
  extends
    Pick<CheckOptions, 'contract' | 'mode' | 'now' | 'policy'>,
    Omit<ApprovalTerms, 'mode' | 'now'> {
  /** The approver's key; the policy must name it. */
  readonly signer: Signer
}

/** What became of an approval. */
export interface ApproveResult {
  /** What the policy says; a contract that it denies is not approved. */
  readonly decision: PolicyDecision
  /** The signed approval; absent for a contract that the policy denies. */
  readonly approval?: Approval
}

/**
 * Signs an approval of a contract under a policy. A contract that the policy denies is not
 * approved: no approval could help it.
 *
 * @throws {@link ApprovalError} `ERR_APPROVAL_APPROVER` when the policy does not name the key
 * @throws {@link ApprovalError} `ERR_APPROVAL_WORTHLESS` for terms that the policy never takes
 * @throws {@link ContractError}, {@link PolicyError} for documents that are not valid
 */
export async function approve(options: ApproveOptions): Promise<ApproveResult> {
  const { contract, policy } = await readDocuments(options)
  const { signer, mode = 'hardened' } = options
  const now = options.now?.() ?? new Date()
  const findings = inspectContract(contract, policy)
  const decision = evaluate(contract, policy, { mode, now, findings })
  if (decision.decision === 'deny') return { decision }
  const approval = signApproval(contract, policy, signer, { ...options, mode, now })
  requireWorth(approval, { contract, policy, mode, now })
  return { decision, approval }
}

/** Refuses an approval that would be worth nothing at the moment at which it begins. */
function requireWorth(approval: Approval, matter: Matter): void {
  const now = new Date(Math.max(matter.now.getTime(), approval.notBefore))
  const judged = judge(approval, { ...matter, now })
  if (!('reason' in judged)) return
  const { code, message } = judged.reason
  throw new ApprovalError('ERR_APPROVAL_WORTHLESS', `the policy would not take it: ${message}`, {
    details: { reason_code: code },
  })
}
