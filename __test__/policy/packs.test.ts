// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { evaluate, loadPolicy } from '../../src/policy/index.js'
import { contract, contractOf, root, vectors } from './support.js'

interface PackCase {
  readonly desc: string
  readonly command: object
  readonly risk_class?: string
  readonly approval_mode?: string
  readonly want: { readonly decision: string; readonly reason_codes: readonly string[] }
}

interface Example {
  readonly category: string
  readonly policy: { readonly name: string }
  readonly expected: { readonly policy_sha256: string }
}

const examples = vectors<readonly Example[]>('decisions.json')

describe.each([
  ['dev-readonly', 15],
  ['dev-test-no-network', 12],
  ['regulated-restricted', 11],
])('the policy %s', (name, count) => {
  const folder = join(root, 'policies', name)
  const file = join(folder, 'policy.yaml')
  const cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as readonly PackCase[]

  it('has the digest that csc-runner recorded for it', async () => {
    const example = examples.find(
      ({ category, policy }) => category === 'example' && policy.name === name,
    )
    expect((await loadPolicy(file)).hash).toBe(example?.expected.policy_sha256)
  })

  it(`has ${count} cases`, () => expect(cases.length).toBe(count))

  it.each(cases)('$desc', async ({ command, risk_class, approval_mode, want }) => {
    const asked = contract({
      commands: [command],
      risk_class: risk_class ?? 'low',
      approval_mode: approval_mode ?? 'policy_only',
    })
    const decision = evaluate(contractOf(asked), await loadPolicy(file), { mode: 'hardened' })
    expect({ decision: decision.decision, reason_codes: decision.reason_codes }).toEqual(want)
  })
})
