// SPDX-License-Identifier: Apache-2.0
// From documents to a decision on record: what policy and approvals say, and the ledger's own word
// on whether an approval is still to be had.
import { randomUUID } from 'node:crypto'
import { type Approval, type Approved, applyApprovals } from '../approval/index.js'
import { ApprovalError } from '../errors.js'
import type { Recorded } from '../ledger/types.js'
import { type Mode, evaluate } from '../policy/index.js'
import type { Documents } from './documents.js'
import { inspectContract } from './inspection.js'
import { type Marks, type RunFacts, actorOf, decisionPayload } from './payloads.js'
import type { Recorder } from './recorder.js'

/** What a decision is made of. */
export interface Question extends Documents {
  readonly recorder: Recorder
  readonly mode: Mode
  readonly now: () => Date
  readonly marks: Marks
}

/** A decision on record. */
export interface Decided {
  readonly facts: RunFacts
  /** The signed decision: of a run that may begin, its intent. */
  readonly intent: Recorded
}

/**
 * Decides about a run and records it. Approvals that are good for one run are used up in the same
 * step; where another run was quicker, it is decided again without them.
 *
 * @throws {@link LedgerError} when the decision cannot be recorded
 */
export async function decideRun(question: Question): Promise<Decided> {
  const { contract, policy, approvals, recorder, mode, now, marks } = question
  const startedAt = now()
  const by = { mode, now: startedAt }
  const findings = inspectContract(contract, policy)
  const policyDecision = evaluate(contract, policy, { ...by, findings })
  const runId = `run_${randomUUID()}`
  const actor = actorOf(contract.actor)
  // each turn but the last one finds an approval used that was not before
  for (let turn = 0; ; turn += 1) {
    const used = recorder.approvalsUsed(approvals)
    const { decision, used: uses }: Approved = applyApprovals(policyDecision, approvals, {
      ...by,
      contract,
      policy,
      ledgerId: recorder.ledgerId,
      isUsed: (approval) => used.has(approval),
    })
    const facts: RunFacts = { runId, decision, startedAt, actor, marks, approvals: uses.map(named) }
    const allows = decision.decision === 'allow'
    if (allows) recorder.reserve()
    try {
      const intent = await recorder.decision(runId, decisionPayload(facts), allows, startedAt)
      return { facts, intent }
    } catch (error) {
      recorder.release()
      const isLate = error instanceof ApprovalError && error.code === 'ERR_APPROVAL_CONSUMED'
      if (!isLate || turn >= approvals.length) throw error
    }
  }
}

/** What receipts say of an approval. */
function named({ id, hash, keyId, scope }: Approval): RunFacts['approvals'][number] {
  return {
    approval_hash: `sha256:${hash}`,
    approval_id: id,
    approver_key_id: keyId,
    scope,
  }
}
