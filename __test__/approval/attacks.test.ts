// SPDX-License-Identifier: Apache-2.0
// The recorded attacks on csc-runner's approvals. Against its own policies an approval that nobody
// signed is worth nothing; what a signed one could still be misused for stands beside each.
import { afterAll, expect, it } from 'vitest'
import { applyApprovals, parseApproval } from '../../src/approval/index.js'
import { type Policy, evaluate } from '../../src/policy/index.js'
import { contractOf, policyOf, vectors } from '../policy/support.js'
import { ALL, NOW, after, alice, removeKeys, signed } from './support.js'

afterAll(removeKeys)

interface Attack {
  readonly id: string
  readonly title: string
  readonly contract: object
  readonly policy: object
}

const ATTACKS = vectors<readonly Attack[]>('attacks-approval.json')

/** What a forger writes: everything is as it should be, but for a signature. */
function forged(hash: string): Buffer {
  return Buffer.from(
    JSON.stringify({
      approval_version: 'csc.approval.v0.1',
      approval_id: 'ap-1',
      contract_sha256: hash,
      approver: { identity: 'alice', method: 'manual' },
      approved_at: after(-60).toISOString(),
      expires_at: after(60).toISOString(),
      scope: 'single_execution',
    }),
  )
}

function decide(contract: ReturnType<typeof contractOf>, policy: Policy, bytes: Uint8Array) {
  const decision = evaluate(contract, policy, { mode: 'hardened', now: NOW })
  const approval = parseApproval(bytes, 'approval.json')
  const matter = { contract, policy, mode: 'hardened', now: NOW } as const
  return applyApprovals(decision, [approval], matter)
}

it.each(ATTACKS)('$id is held: $title', ({ contract: asked, policy: stated }) => {
  const contract = contractOf(asked)
  const { decision, used } = decide(contract, policyOf(stated), forged(contract.hash))
  expect(['deny', 'needs_approval']).toContain(decision.decision)
  expect(used).toEqual([])
})

it('are all there', () => {
  expect(ATTACKS).toHaveLength(10)
})

it('atk-031: what is denied stays denied with a good approval', () => {
  const attack = ATTACKS.find(({ id }) => id === 'atk-031')
  const contract = contractOf(attack?.contract)
  const policy = policyOf({
    ...attack?.policy,
    policy_schema_version: 'ambit.policy.v1',
    approvals: { approvers: ALL },
  })
  const { decision, used } = decide(contract, policy, signed(alice, { contract, policy }).bytes)
  expect([decision.decision, used]).toEqual(['deny', []])
  expect(decision.reason_codes).toContain('COMMAND_NOT_ALLOWED')
  expect(decision.reason_codes).toContain('APPROVAL_REQUIRED')
})
