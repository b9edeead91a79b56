// SPDX-License-Identifier: Apache-2.0
// Approvals as csc-runner writes them, against its recorded answers.
import { expect, it } from 'vitest'
import { applyApprovals, parseApproval } from '../../src/approval/index.js'
import { ApprovalError } from '../../src/errors.js'
import { evaluate } from '../../src/policy/index.js'
import { vectors } from '../policy/support.js'
import { approvingPolicy, asking } from './support.js'

interface Case {
  readonly id: string
  readonly raw: string
  readonly contract_sha256: string
  readonly now: string
  readonly expected: { readonly loaded: boolean; readonly valid?: boolean; readonly error?: string }
  readonly desired_in_replacement?: string
}

const CASES = vectors<readonly Case[]>('approvals.json')

/** What is better than the recorded answer, in our words; `malformed` where it is not read at all. */
const BETTER: Record<string, string> = {
  // what is no time with a zone is not read; csc-runner reads it and finds it out later, or never
  'bad-ts': 'malformed',
  'date-only': 'malformed',
  'dup-key': 'malformed',
  'naive-ts': 'malformed',
  // normalised, as the schema allows both
  'upper-hash': 'good',
}

/** The codes that stand for csc-runner's reasons. */
const CODES: readonly (readonly [RegExp, string])[] = [
  [/approval expired at|must be strictly after/u, 'APPROVAL_EXPIRED'],
  [/contract_sha256 mismatch/u, 'APPROVAL_MISMATCH'],
]

function wanted({ id, expected }: Case): string {
  const better = BETTER[id]
  if (better !== undefined) return better
  if (!expected.loaded) return 'malformed'
  if (expected.valid === true) return 'good'
  return CODES.find(([words]) => words.test(expected.error ?? ''))?.[1] ?? 'unknown'
}

function answer({ raw, contract_sha256: hash, now }: Case, approvals: unknown): string {
  const policy = approvingPolicy(approvals)
  const contract = { ...asking(), hash }
  const at = new Date(now)
  const decision = evaluate(contract, policy, { mode: 'hardened', now: at })
  try {
    const approval = parseApproval(Buffer.from(raw), 'approval.json')
    const matter = { contract, policy, mode: 'hardened', now: at } as const
    const approved = applyApprovals(decision, [approval], matter)
    if (approved.used.length > 0) return 'good'
    const codes = approved.decision.reason_codes
    return codes.filter((code) => code !== 'APPROVAL_REQUIRED').join(' ')
  } catch (error) {
    if (error instanceof ApprovalError && error.code === 'ERR_APPROVAL_INVALID') return 'malformed'
    throw error
  }
}

it('get the recorded answer, or the better one, where the policy takes unsigned ones', () => {
  const got = Object.fromEntries(CASES.map((one) => [one.id, answer(one, 'unsigned')]))
  expect(got).toEqual(Object.fromEntries(CASES.map((one) => [one.id, wanted(one)])))
  expect(CASES).toHaveLength(25)
  expect(CASES.filter((one) => wanted(one) === 'good')).toHaveLength(4)
})

it('are worth nothing where the policy does not say that it takes unsigned ones', () => {
  const signedOnly = { approvers: [{ name: 'alice', public_key: 'a'.repeat(64) }] }
  for (const approvals of [undefined, signedOnly]) {
    const policies = CASES.filter((one) => wanted(one) !== 'malformed')
    const got = new Set(policies.map((one) => answer(one, approvals)))
    expect([...got]).toEqual(['APPROVAL_UNSIGNED'])
  }
})
