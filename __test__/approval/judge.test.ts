// SPDX-License-Identifier: Apache-2.0
// What signed approvals are worth: one that holds, and every way in which one does not.
import { afterAll, describe, expect, it } from 'vitest'
import { type Approval, applyApprovals, parseApproval } from '../../src/approval/index.js'
import type { LoadedContract } from '../../src/contract/index.js'
import { type Mode, type Policy, evaluate } from '../../src/policy/index.js'
import { ambitPolicy, command, contract, contractOf, policyOf } from '../policy/support.js'
import {
  ALL,
  NOW,
  after,
  alice,
  approvers,
  approvingPolicy,
  asking,
  bob,
  carol,
  mallory,
  removeKeys,
  signed,
} from './support.js'

afterAll(removeKeys)

interface Matter {
  readonly contract: LoadedContract
  readonly policy: Policy
  readonly mode?: Mode
  readonly now?: Date
  readonly ledgerId?: string
  readonly used?: readonly Approval[]
}

/** Decides with approvals; returns the codes besides the one that asked for them. */
function decided(approvals: readonly Approval[], matter: Matter) {
  const { contract: of, policy, mode = 'hardened', now = NOW, ledgerId, used = [] } = matter
  const decision = evaluate(of, policy, { mode, now })
  const isUsed = (approval: Approval) => used.includes(approval)
  const judged = { contract: of, policy, mode, now, ledgerId, isUsed }
  const approved = applyApprovals(decision, approvals, judged)
  const codes = approved.decision.reason_codes.filter((code) => code !== 'APPROVAL_REQUIRED')
  return { decision: approved.decision.decision, codes: codes.join(' '), used: approved.used }
}

const GRANTED = { decision: 'allow', codes: 'APPROVAL_GRANTED' }
const refusedBy = (codes: string) => ({ decision: 'needs_approval', codes, used: [] })

const POLICY = approvingPolicy({ approvers: ALL })
const CONTRACT = asking()
const MATTER = { contract: CONTRACT, policy: POLICY }
const BY_ACTION = approvingPolicy({ approvers: ALL, bind: 'action' })
const action = { contract: CONTRACT, policy: BY_ACTION }

/** The same approval with other text in it, signature and all. */
function changed(approval: Approval, from: string, to: string): Approval {
  const text = Buffer.from(approval.bytes).toString('utf8')
  expect(text).toContain(from)
  return parseApproval(Buffer.from(text.replace(from, to)), 'changed.json')
}

/** A policy that lets somebody else approve. */
const FOREIGN = {
  contract: CONTRACT,
  policy: approvingPolicy({ approvers: approvers(['mallory', mallory]) }),
}

const good = signed(alice, MATTER)

describe('an approval', () => {
  it('that holds allows what needs an approval, and is used', () => {
    expect(decided([good], MATTER)).toEqual({ ...GRANTED, used: [good] })
  })

  it('is read back from its bytes, however they are spelled', () => {
    const spaced = Buffer.from(
      JSON.stringify(JSON.parse(Buffer.from(good.bytes).toString()), null, 1),
    )
    const read = parseApproval(spaced, 'spaced.json')
    expect(read.hash).toBe(good.hash)
    expect(decided([read], MATTER)).toMatchObject(GRANTED)
  })

  it.each<[string, () => readonly [Approval, Matter], string]>([
    [
      'of a key that the policy does not name',
      () => {
        const others = approvingPolicy({ approvers: approvers(['mallory', mallory]) })
        const forged = signed(mallory, { contract: CONTRACT, policy: others })
        return [changed(forged, others.hash, POLICY.hash), MATTER]
      },
      'APPROVAL_APPROVER_UNKNOWN',
    ],
    [
      'that was changed',
      () => [
        changed(good, '"expires_at":"2026-06-01T00:14', '"expires_at":"2026-06-01T00:24'),
        MATTER,
      ],
      'APPROVAL_SIGNATURE_INVALID',
    ],
    [
      'that names a key of the policy and is signed by another',
      () => {
        const policy = approvingPolicy({ approvers: approvers(['mallory', mallory]) })
        const text = Buffer.from(signed(mallory, { contract: CONTRACT, policy }).bytes).toString()
        const forged = text.replaceAll(mallory.publicKey.thumbprint, alice.publicKey.thumbprint)
        return [parseApproval(Buffer.from(forged), 'forged.json'), MATTER]
      },
      'APPROVAL_SIGNATURE_INVALID',
    ],
    [
      'of another contract',
      () => [good, { ...MATTER, contract: asking({ justification: 'another' }) }],
      'APPROVAL_MISMATCH',
    ],
    [
      'under another policy',
      () => [good, { ...MATTER, policy: approvingPolicy({ approvers: ALL }, { name: 'q' }) }],
      'APPROVAL_MISMATCH',
    ],
    ['in another mode', () => [good, { ...MATTER, mode: 'local' }], 'APPROVAL_MISMATCH'],
    [
      'for another ledger',
      () => [signed(alice, MATTER, { ledgerId: 'one' }), { ...MATTER, ledgerId: 'two' }],
      'APPROVAL_MISMATCH',
    ],
    ['at its end', () => [good, { ...MATTER, now: after(14 * 60) }], 'APPROVAL_EXPIRED'],
    [
      'before it was signed',
      () => [good, { ...MATTER, now: after(-61) }],
      'APPROVAL_NOT_YET_VALID',
    ],
    [
      'before it begins',
      () => [signed(alice, MATTER, { notBefore: after(1) }), MATTER],
      'APPROVAL_NOT_YET_VALID',
    ],
    [
      'older than the policy takes',
      () => {
        const policy = approvingPolicy({ approvers: ALL, max_age_sec: 60 })
        return [signed(alice, { contract: CONTRACT, policy }), { ...MATTER, policy }]
      },
      'APPROVAL_EXPIRED',
    ],
    [
      'good for more than the policy takes',
      () => [signed(alice, MATTER, { scope: 'time_window' }), MATTER],
      'APPROVAL_SCOPE_NOT_ALLOWED',
    ],
    [
      'of an action where the policy wants a contract',
      () => [signed(alice, action), MATTER],
      'APPROVAL_BINDING_NOT_ALLOWED',
    ],
    [
      'of another action',
      () => {
        const other = asking({ commands: [command({ cwd: '/workspace/b' })] })
        return [signed(alice, { ...action, contract: other }), action]
      },
      'APPROVAL_MISMATCH',
    ],
    ['that was used before', () => [good, { ...MATTER, used: [good] }], 'APPROVAL_CONSUMED'],
    [
      'by who asked',
      () => {
        const actor = {
          agent_id: 'a',
          session_id: 's',
          initiating_user: ' Alice',
          delegation_scope: 't',
        }
        const of = asking({ actor })
        return [signed(alice, { ...MATTER, contract: of }), { ...MATTER, contract: of }]
      },
      'APPROVAL_SELF_GIVEN',
    ],
  ])('%s is worth nothing', (_name, make, want) => {
    const [approval, matter] = make()
    expect(decided([approval], matter)).toEqual(refusedBy(want))
  })

  it('at the edges of its time is good', () => {
    for (const now of [after(-60), after(14 * 60 - 0.001)]) {
      expect(decided([good], { ...MATTER, now })).toMatchObject(GRANTED)
    }
  })

  it('of an action is good for another request for the same', () => {
    const again = asking({ contract_id: 'contract-0002', intent: 'again', justification: 'failed' })
    const renamed = asking({ commands: [command({ id: 'c2' })] })
    for (const of of [again, renamed]) {
      expect(decided([signed(alice, action)], { ...action, contract: of })).toMatchObject(GRANTED)
      expect(decided([good], { ...MATTER, contract: of })).toEqual(refusedBy('APPROVAL_MISMATCH'))
    }
  })

  it('of a contract is good where the policy takes actions', () => {
    const policy = approvingPolicy({ approvers: ALL }, { name: 'narrow' })
    const narrow = signed(alice, { contract: CONTRACT, policy })
    const text = Buffer.from(narrow.bytes).toString()
    expect(text).toContain('"bind":"contract"')
    expect(decided([narrow], action)).toEqual(refusedBy('APPROVAL_MISMATCH'))
  })

  it('for every run until it expires is good again where the policy takes it', () => {
    const policy = approvingPolicy({ approvers: ALL, scopes: ['time_window'] })
    const of = { contract: CONTRACT, policy }
    const window = signed(alice, of, { scope: 'time_window' })
    expect(decided([window], { ...of, used: [window] })).toMatchObject(GRANTED)
    expect(decided([signed(alice, of)], of)).toEqual(refusedBy('APPROVAL_SCOPE_NOT_ALLOWED'))
  })

  it('changes no decision but one that needs approval', () => {
    const denied = asking({ risk_class: 'high' })
    const approval = signed(alice, { ...MATTER, contract: denied })
    const { decision, used } = decided([approval], { ...MATTER, contract: denied })
    expect([decision, used]).toEqual(['deny', []])
    const allowed = contractOf(contract())
    const unneeded = signed(alice, { ...MATTER, contract: allowed })
    expect(decided([unneeded], { ...MATTER, contract: allowed })).toEqual({
      decision: 'allow',
      codes: 'ALLOW',
      used: [],
    })
  })

  it('does not suffer from an approver whose key is none', () => {
    const [one] = approvers(['alice', alice])
    const broken = { name: 'broken', public_key: `01${'0'.repeat(62)}` }
    const policy = approvingPolicy({ approvers: [broken, one] })
    const matter = { contract: CONTRACT, policy }
    expect(decided([signed(alice, matter)], matter)).toMatchObject(GRANTED)
  })

  it('is worth nothing where the policy names no approvers', () => {
    for (const policy of [approvingPolicy(undefined), policyOf(ambitPolicy())]) {
      expect(decided([good], { ...MATTER, policy })).toEqual(refusedBy('APPROVAL_APPROVER_UNKNOWN'))
    }
  })
})

describe('several approvals', () => {
  const dual = asking({ approval_mode: 'dual_control_required' })
  const of = { ...MATTER, contract: dual }
  const [one, two, three] = [alice, bob, carol].map((signer) => signed(signer, of)) as [
    Approval,
    Approval,
    Approval,
  ]

  it('of two approvers satisfy dual control, and one does not, nor two of the same', () => {
    expect(decided([one, two], of)).toEqual({ ...GRANTED, used: [one, two] })
    const again = signed(alice, of)
    for (const approvals of [[one], [one, one], [one, again]]) {
      expect(decided(approvals, of)).toEqual(refusedBy('APPROVAL_INSUFFICIENT'))
    }
  })

  it('by two keys of one person are one', () => {
    const policy = approvingPolicy({ approvers: approvers(['Al', alice], ['al', bob]) })
    const same = { contract: dual, policy }
    const both = [signed(alice, same), signed(bob, same)]
    expect(decided(both, same)).toEqual(refusedBy('APPROVAL_INSUFFICIENT'))
  })

  it('that were not signed never satisfy dual control', () => {
    const policy = approvingPolicy('unsigned')
    const unsigned = ['x', 'y'].map((identity) =>
      parseApproval(
        Buffer.from(
          JSON.stringify({
            approval_version: 'csc.approval.v0.1',
            approval_id: identity,
            contract_sha256: dual.hash,
            approver: { identity, method: 'cli' },
            approved_at: after(-60).toISOString(),
            expires_at: after(60).toISOString(),
            scope: 'single_execution',
          }),
        ),
        identity,
      ),
    )
    expect(decided(unsigned, { contract: dual, policy })).toEqual(
      refusedBy('APPROVAL_INSUFFICIENT'),
    )
  })

  it.each([1, 2, 3])('are as many as the policy requires: %i, and no more are used', (required) => {
    const policy = approvingPolicy({ approvers: ALL, required })
    const matter = { contract: CONTRACT, policy }
    const all = [alice, bob, carol].map((signer) => signed(signer, matter))
    expect(decided(all, matter)).toEqual({ ...GRANTED, used: all.slice(0, required) })
    const few = decided([...all.slice(1, required), signed(mallory, FOREIGN)], matter)
    const codes = ['APPROVAL_APPROVER_UNKNOWN', ...(required > 1 ? ['APPROVAL_INSUFFICIENT'] : [])]
    expect(few).toEqual(refusedBy(codes.join(' ')))
  })

  it('do not suffer from one that is bad', () => {
    expect(decided([signed(alice, MATTER), two, three], of)).toEqual({
      ...GRANTED,
      used: [two, three],
    })
    const reasons = decided([signed(alice, MATTER), two], of)
    expect(reasons).toEqual(refusedBy('APPROVAL_INSUFFICIENT APPROVAL_MISMATCH'))
  })
})
