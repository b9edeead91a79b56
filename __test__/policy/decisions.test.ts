// SPDX-License-Identifier: Apache-2.0
// csc-runner's recorded decisions. What is compared is a projection: the first reason, and the
// effects classified before it. Every case in which Ambit answers otherwise stands in a table.
import { describe, expect, it } from 'vitest'
import { AmbitError } from '../../src/errors.js'
import { PolicyDecisionSchema, type PolicyDecision } from '../../src/policy/index.js'
import { decide, vectors } from './support.js'

interface Recorded {
  readonly id: string
  readonly contract: { readonly commands: readonly { readonly id: string }[] }
  readonly policy: object
  readonly expected: {
    readonly decision: string
    readonly reason_codes: readonly string[]
    readonly reasons: readonly string[]
    readonly policy_profile: string
    readonly contract_sha256: string
    readonly policy_sha256: string
    readonly classified_effects: readonly { command_id: string; effect_type: string }[]
  }
  readonly desired_in_replacement?: string | null
  readonly contract_schema_errors: readonly string[]
  readonly policy_schema_errors: readonly string[]
  readonly limit_violations: readonly string[]
}

const cases = vectors<readonly Recorded[]>('decisions.json')

/** Contracts that csc-runner takes and Ambit refuses, though the published schema takes them. */
const REFUSED = new Map([
  ['cwd-18', 'U+0000 in a path: no kernel call can take it'],
  ['read-18', 'U+0000 in a path: no kernel call can take it'],
])

const INLINE = 'desired: inline code is denied'
const ATTACK = 'an attack of the same kind says deny (atk-003, atk-004, atk-005)'
const CLIMB = '`..` can leave the allowed tree; csc-runner itself refuses it at run'

/** Decisions that differ, with the codes that Ambit gives. */
const DIFFERENT = new Map<string, readonly [codes: string, why: string]>([
  ['shell-01', ['INLINE_CODE_DENIED', INLINE]],
  ['shell-02', ['INLINE_CODE_DENIED', INLINE]],
  ['shell-03', ['INLINE_CODE_DENIED', INLINE]],
  ['shell-04', ['INLINE_CODE_DENIED', INLINE]],
  ['shell-05', ['INLINE_CODE_DENIED', INLINE]],
  ['shell-06', ['INLINE_CODE_DENIED', INLINE]],
  ['shell-07', ['INLINE_CODE_DENIED', INLINE]],
  ['shell-08', ['INLINE_CODE_DENIED', INLINE]],
  ['prefix-09', ['INLINE_CODE_DENIED', ATTACK]],
  ['prefix-10', ['INLINE_CODE_DENIED', ATTACK]],
  ['prefix-11', ['INLINE_CODE_DENIED', ATTACK]],
  ['read-06', ['READ_SCOPE_DENIED', CLIMB]],
  ['write-06', ['WRITE_SCOPE_DENIED', CLIMB]],
  ['classify-02', ['EGRESS_HOST_NOT_ALLOWED', 'desired: deny']],
  ['classify-04', ['APPROVAL_REQUIRED,EFFECT_RECLASSIFIED', 'desired: needs_approval']],
  ['classify-06', ['EGRESS_TARGET_UNCLEAR', 'desired: deny']],
  ['classify-07', ['APPROVAL_REQUIRED,EFFECT_RECLASSIFIED', 'desired: needs_approval']],
  ['classify-10', ['EGRESS_TARGET_UNCLEAR', 'desired: deny']],
  [
    'classify-proposed-observe-curl',
    ['EFFECT_RECLASSIFIED,EFFECT_TYPE_NOT_ALLOWED', 'desired: deny'],
  ],
])

/** Cases whose decision is the recorded one, but whose effects are better known. */
const RECLASSIFIED = new Map([
  ['pipe-classify-2nd-curl', [{ command_id: 'cmd_1', effect_type: 'fetch_external' }]],
])

/** The effects that csc-runner would have classified when it met the first reason. */
function effectsBefore(decision: PolicyDecision, { contract }: Pick<Recorded, 'contract'>) {
  const [first] = decision.reasons
  if (first?.command_id === undefined) {
    return first?.code === 'RISK_CLASS_NOT_ALLOWED' ? [] : decision.classified_effects
  }
  const beforeEffects = ['COMMAND_NOT_ALLOWED', 'ARGV_PREFIX_DENIED'].includes(first.code)
  const at = contract.commands.findIndex(({ id }) => id === first.command_id)
  const known = new Set(contract.commands.slice(0, beforeEffects ? at : at + 1).map(({ id }) => id))
  return decision.classified_effects.filter(({ command_id }) => known.has(command_id))
}

const isRefused = (recorded: Recorded): boolean =>
  recorded.contract_schema_errors.length > 0 ||
  recorded.policy_schema_errors.length > 0 ||
  recorded.limit_violations.length > 0 ||
  REFUSED.has(recorded.id)

const refused = cases.filter(isRefused)
const different = cases.filter(({ id }) => DIFFERENT.has(id))
const same = cases.filter((recorded) => !isRefused(recorded) && !DIFFERENT.has(recorded.id))

describe('recorded decisions', () => {
  it('all run: 188 cases, 22 refused when parsed, 19 decided otherwise', () => {
    expect([cases.length, refused.length, different.length, same.length]).toEqual([
      188, 22, 19, 147,
    ])
  })

  it.each(same)('$id: decides as csc-runner did', (recorded) => {
    const decision = decide(recorded.contract, recorded.policy)
    const { expected } = recorded
    expect(PolicyDecisionSchema.safeParse(decision).error).toBeUndefined()
    expect({
      decision: decision.decision,
      code: decision.reasons[0]?.code,
      message: decision.reasons[0]?.message,
      profile: decision.policy_profile,
      contract: decision.contract_sha256,
      policy: decision.policy_sha256,
      effects: effectsBefore(decision, recorded),
    }).toEqual({
      decision: expected.decision,
      code: expected.reason_codes[0],
      message: expected.reasons[0],
      profile: expected.policy_profile,
      contract: expected.contract_sha256,
      policy: expected.policy_sha256,
      effects: RECLASSIFIED.get(recorded.id) ?? expected.classified_effects,
    })
  })

  it.each(different)('$id: decides otherwise, as the table says', (recorded) => {
    const decision = decide(recorded.contract, recorded.policy)
    const [codes] = DIFFERENT.get(recorded.id) ?? []
    const verdict = codes?.startsWith('APPROVAL') === true ? 'needs_approval' : 'deny'
    expect([decision.decision, decision.reason_codes.join()]).toEqual([verdict, codes])
    expect(decision.decision).not.toBe(recorded.expected.decision)
    expect(decision.decision).toBe(recorded.desired_in_replacement ?? decision.decision)
    expect(decision.contract_sha256).toBe(recorded.expected.contract_sha256)
    expect(decision.policy_sha256).toBe(recorded.expected.policy_sha256)
  })

  it.each(refused)('$id: refuses the document', (recorded) => {
    const code =
      recorded.policy_schema_errors.length > 0 ? 'ERR_POLICY_INVALID' : 'ERR_CONTRACT_INVALID'
    expect(codeOf(() => decide(recorded.contract, recorded.policy))).toBe(code)
  })
})

function codeOf(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error instanceof AmbitError ? error.code : error
  }
}

interface Fixture {
  readonly id: string
  readonly contract: Recorded['contract']
  readonly policy: object
  readonly expected_decision: string
  readonly expected_reason_codes: readonly string[]
  readonly expected_classified_effects: readonly object[]
}

const fixtures = vectors<readonly Fixture[]>('upstream-conformance/decisions/decisions.json')

describe('published decision fixtures', () => {
  it('all run: 12', () => expect(fixtures.length).toBe(12))

  it.each(fixtures)('$id', (fixture) => {
    const decision = decide(fixture.contract, fixture.policy)
    expect([decision.decision, [decision.reasons[0]?.code]]).toEqual([
      fixture.expected_decision,
      fixture.expected_reason_codes,
    ])
    expect(effectsBefore(decision, fixture)).toEqual(fixture.expected_classified_effects)
  })
})

interface Attack {
  readonly id: string
  readonly title: string
  readonly contract: object
  readonly policy: object
}

const attacks = vectors<readonly Attack[]>('attacks-policy.json')

/** Attacks that no argv shows: the kernel holds them, or a proxy. */
const CONTAINED = new Map([
  ['atk-007', 'find -fprintf: the kernel lets nothing be written'],
  ['atk-008', 'find -delete: the kernel lets nothing be deleted'],
  ['atk-015', 'git status in a hostile repository: whatever it starts is confined too'],
  ['atk-027', 'a script in a file contacts a host: that is for the network, not for the argv'],
])

const APPROVED = new Set(['atk-023'])

describe('recorded attacks on policies', () => {
  it('all run: 22, of which the kernel has to hold 4', () => {
    expect([attacks.length, attacks.filter(({ id }) => CONTAINED.has(id)).length]).toEqual([22, 4])
  })

  it.each(attacks)('$id: $title', ({ id, contract, policy }) => {
    const { decision } = decide(contract, policy)
    const elsewhere = CONTAINED.has(id) ? 'allow' : 'deny'
    expect(decision).toBe(APPROVED.has(id) ? 'needs_approval' : elsewhere)
  })
})
