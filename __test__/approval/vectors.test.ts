// SPDX-License-Identifier: Apache-2.0
// Signed approvals, byte for byte: what each is worth never changes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { applyApprovals, parseApproval } from '../../src/approval/index.js'
import { ApprovalError } from '../../src/errors.js'
import { evaluate } from '../../src/policy/index.js'
import { contractOf, policyOf } from '../policy/support.js'

interface Case {
  readonly id: string
  readonly raw: string
  readonly now: string
  readonly policy: 'action' | 'contract'
  readonly want: string
}

interface Vectors {
  readonly contract: object
  readonly policies: Readonly<Record<Case['policy'], object>>
  readonly cases: readonly Case[]
}

const file = join(import.meta.dirname, '../vectors/approvals/cases.json')
const { contract: asked, policies, cases } = JSON.parse(readFileSync(file, 'utf8')) as Vectors

function answer({ raw, now: time, policy: name }: Case): string {
  const contract = contractOf(asked)
  const policy = policyOf(policies[name])
  const now = new Date(time)
  try {
    const approval = parseApproval(Buffer.from(raw), 'approval.json')
    const decision = evaluate(contract, policy, { mode: 'hardened', now })
    const matter = { contract, policy, mode: 'hardened', now } as const
    const { reason_codes: codes } = applyApprovals(decision, [approval], matter).decision
    return codes.filter((code) => code !== 'APPROVAL_REQUIRED').join(' ')
  } catch (error) {
    if (error instanceof ApprovalError) return error.code
    throw error
  }
}

it.each(cases)('$id: $want', (one) => {
  expect(answer(one)).toBe(one.want)
})

it('are all there', () => {
  expect(cases).toHaveLength(23)
})
