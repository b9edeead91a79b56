// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseContract } from '../../src/contract/index.js'
import {
  evaluate,
  explain,
  parsePolicy,
  type PolicyDecision,
  REASON_CODES,
  type ReasonCode,
} from '../../src/policy/index.js'
import { command, contract, contractOf, decide, policy, policyOf } from './support.js'

describe('a decision', () => {
  it('lists every reason of every command with its rule, deny first of all', () => {
    const commands = [
      command({ network: 'full', cwd: '/etc' }),
      command({ id: 'two', exec: { argv: ['git', 'push', "o'x"] }, timeout_sec: 61 }),
    ]
    const yaml = Object.entries(policy())
      .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
      .join('')
    const asked = contractOf(contract({ commands, approval_mode: 'human_required' }))
    const rules = parsePolicy(Buffer.from(yaml), 'dir/policy.yaml')
    const decision = evaluate(asked, rules, { mode: 'local' })
    expect(decision).toEqual({
      decision_version: 'ambit.policy-decision.v1',
      contract_id: 'contract-0001',
      contract_sha256: asked.hash,
      policy_profile: 'p',
      policy_sha256: rules.hash,
      mode: 'local',
      decision: 'deny',
      reason_codes: [
        'APPROVAL_REQUIRED',
        'ARGV_PREFIX_DENIED',
        'CWD_NOT_ALLOWED',
        'NETWORK_EXCEEDS_POLICY',
        'TIMEOUT_EXCEEDS_POLICY',
      ],
      reasons: [
        {
          code: 'NETWORK_EXCEEDS_POLICY',
          message: 'network mode exceeds policy maximum: full',
          command_id: 'cmd_1',
          value: 'full',
          source: 'dir/policy.yaml:8:1',
        },
        {
          code: 'CWD_NOT_ALLOWED',
          message: 'cwd not allowed: /etc',
          command_id: 'cmd_1',
          value: '/etc',
          source: 'dir/policy.yaml:10:1',
        },
        {
          code: 'ARGV_PREFIX_DENIED',
          message: `argv prefix denied: ['git', 'push', "o'x"]`,
          command_id: 'two',
          value: ['git', 'push', "o'x"],
          source: 'dir/policy.yaml:4:22',
        },
        {
          code: 'TIMEOUT_EXCEEDS_POLICY',
          message: 'timeout too large: 61',
          command_id: 'two',
          value: 61,
          source: 'dir/policy.yaml:7:1',
        },
        {
          code: 'APPROVAL_REQUIRED',
          message: 'contract approval mode requires approval: human_required',
          value: 'human_required',
        },
      ],
      reasons_total: 5,
      classified_effects: [
        { command_id: 'cmd_1', effect_type: 'observe' },
        { command_id: 'two', effect_type: 'observe' },
      ],
    })
  })

  it('is a deny when a later command is denied, though an earlier one needs an approval', () => {
    const rules = policy({ manual_approval_for_classified_effect_types: ['observe'] })
    const commands = [command(), command({ id: 'two', exec: { argv: ['rm'] } })]
    const decision = decide(contract({ commands }), rules)
    expect([decision.decision, decision.reason_codes]).toEqual([
      'deny',
      ['APPROVAL_REQUIRED', 'COMMAND_NOT_ALLOWED'],
    ])
  })

  it('classifies every segment of a pipeline', () => {
    const segments = [{ argv: ['curl', 'https://x.test'] }, { argv: ['cat'] }]
    const commands = [command({ exec: undefined, pipeline: { segments } })]
    const decision = decide(contract({ commands }), policy())
    expect([decision.reason_codes, decision.classified_effects]).toEqual([
      ['ALLOW', 'EFFECT_RECLASSIFIED'],
      [{ command_id: 'cmd_1', effect_type: 'fetch_external' }],
    ])
  })

  it.each([
    ['a later segment', { pipeline: { segments: [{ argv: ['git'] }, { argv: ['curl', 'x'] }] } }],
    ['a path', { exec: { argv: ['/usr/bin/curl', 'x'] } }],
  ])('needs the approval for what is proposed though %s is curl', (_, start) => {
    const commands = [command({ exec: undefined, ...start })]
    const allow_commands = ['git', 'curl', '/usr/bin/curl']
    const ask = (effects: readonly string[]) => {
      const manual_approval_for_classified_effect_types = effects
      const rules = policy({ allow_commands, manual_approval_for_classified_effect_types })
      return decide(contract({ commands }), rules)
    }
    expect(ask([]).decision).toBe('allow')
    expect([ask(['observe']).decision, ask(['observe']).reasons[0]?.message]).toEqual([
      'needs_approval',
      'classified effect type requires approval: observe',
    ])
  })

  it("gives csc's reason first though a better reading needs an approval", () => {
    const segments = [{ argv: ['git'] }, { argv: ['curl', 'x'] }]
    const commands = [command({ exec: undefined, pipeline: { segments }, timeout_sec: 61 })]
    const rules = policy({ manual_approval_for_classified_effect_types: ['fetch_external'] })
    const decision = decide(contract({ commands }), rules)
    expect(decision.reasons.map(({ code }) => code)).toEqual([
      'TIMEOUT_EXCEEDS_POLICY',
      'APPROVAL_REQUIRED',
      'EFFECT_RECLASSIFIED',
    ])
  })

  it('applies an approval rule to the proposed effect though curl says another', () => {
    const commands = [command({ exec: { argv: ['curl', 'https://x.test'] }, network: 'full' })]
    const approval_rules = [{ id: 'look', effect_types: ['observe'] }]
    const changes = { network: 'full', policy_schema_version: 'ambit.policy.v1' }
    expect(decide(contract({ commands }), policy(changes)).decision).toBe('allow')
    const decision = decide(contract({ commands }), policy({ ...changes, approval_rules }))
    expect(decision.decision).toBe('needs_approval')
  })

  it('keeps all codes and the first 200 reasons', () => {
    const read_paths = Array(300).fill('/etc')
    const commands = [command({ read_paths, timeout_sec: 61 })]
    const decision = decide(contract({ commands, approval_mode: 'human_required' }), policy())
    expect([decision.reasons.length, decision.reasons_total]).toEqual([200, 302])
    expect(decision.reason_codes).toContain('APPROVAL_REQUIRED')
  })

  it('judges hosts only where rules depend on them', () => {
    const commands = [
      command({
        exec: { argv: ['curl', '-K', 'x', 'https://evil.test'] },
        network: 'allowlisted',
        proposed_effect_type: 'fetch_external',
      }),
    ]
    const codes = (changes: object) => decide(contract({ commands }), policy(changes)).reason_codes
    expect(codes({})).toEqual(['ALLOW'])
    expect(codes({ allowed_egress_hosts: ['A.test'] })).toEqual([
      'EGRESS_HOST_NOT_ALLOWED',
      'EGRESS_TARGET_UNCLEAR',
    ])
    expect(codes({ manual_approval_for_classified_effect_types: ['x'] })).toEqual([
      'EGRESS_TARGET_UNCLEAR',
    ])
  })
})

const word = fc.oneof(
  fc.constantFrom('git', 'push', 'sh', '-c', 'curl', 'https://a.test', 'python3', '--', '-', ''),
  fc.string({ maxLength: 8 }),
)

const argv = fc
  .array(word, { minLength: 1, maxLength: 5 })
  .map((words) => words.map((text) => text.replaceAll('\0', '') || 'x'))

const anyPath = fc.constantFrom(
  '/workspace',
  '/workspace/a',
  '/etc',
  '//a',
  'C:\\x',
  '/workspace/../x',
)

const anyContract = fc
  .record({
    argv,
    cwd: anyPath,
    read_paths: fc.array(anyPath, { maxLength: 2 }),
    write_paths: fc.array(anyPath, { maxLength: 2 }),
    network: fc.constantFrom('deny', 'allowlisted', 'full'),
    timeout_sec: fc.integer({ min: 1, max: 120 }),
    proposed_effect_type: fc.constantFrom('observe', 'fetch_external', 'deploy'),
  })
  .map(({ argv: words, ...rest }) =>
    contract({ commands: [command({ ...rest, exec: { argv: words } })] }),
  )

const anyPolicy = fc
  .record({
    allow_commands: fc.uniqueArray(fc.constantFrom('git', 'sh', 'curl', 'python3'), {
      minLength: 1,
    }),
    deny_argv_prefixes: fc.array(argv, { maxLength: 3 }),
    allowed_cwd_prefixes: fc.array(anyPath, { minLength: 1, maxLength: 2 }),
    allowed_read_prefixes: fc.array(anyPath, { minLength: 1, maxLength: 2 }),
    require_write_paths_empty: fc.boolean(),
    allowed_egress_hosts: fc.uniqueArray(fc.constantFrom('a.test', 'api.stripe.test')),
    manual_approval_for_classified_effect_types: fc.uniqueArray(
      fc.constantFrom('financial_action', 'fetch_external'),
    ),
  })
  .map(policy)

const RANK = { allow: 0, needs_approval: 1, deny: 2 }

describe('properties', () => {
  it('adding a deny prefix never widens', () => {
    fc.assert(
      fc.property(anyContract, anyPolicy, argv, (asked, rules, prefix) => {
        const before = decide(asked, rules)
        const deny = [...rules.deny_argv_prefixes, prefix]
        const after = decide(asked, { ...rules, deny_argv_prefixes: deny })
        expect(RANK[after.decision]).toBeGreaterThanOrEqual(RANK[before.decision])
        const kept = before.reason_codes.filter((code) => code !== 'ALLOW')
        expect(after.reason_codes).toEqual(expect.arrayContaining(kept))
      }),
      { numRuns: 500 },
    )
  })

  it('evaluate never throws, is pure, and its codes are sorted, unique and registered', () => {
    fc.assert(
      fc.property(anyContract, anyPolicy, (asked, rules) => {
        const decision = decide(asked, rules)
        expect(decide(asked, rules)).toEqual(decision)
        const codes = [...new Set(decision.reasons.map(({ code }) => code))].toSorted()
        expect(decision.reason_codes).toEqual(codes)
        expect(codes.every((code) => Object.hasOwn(REASON_CODES, code))).toBe(true)
        const effects = codes.map((code) => REASON_CODES[code].effect)
        expect(effects.includes('deny')).toBe(decision.decision === 'deny')
      }),
      { numRuns: 500 },
    )
  })
})

const CSC_CODES: readonly ReasonCode[] = [
  'RISK_CLASS_NOT_ALLOWED',
  'COMMAND_NOT_ALLOWED',
  'ARGV_PREFIX_DENIED',
  'EFFECT_TYPE_NOT_ALLOWED',
  'APPROVAL_REQUIRED',
  'TIMEOUT_EXCEEDS_POLICY',
  'NETWORK_EXCEEDS_POLICY',
  'SECRET_REF_NOT_ALLOWED',
  'CWD_NOT_ALLOWED',
  'READ_SCOPE_DENIED',
  'WRITE_SCOPE_DENIED',
  'WRITE_PATHS_NOT_EMPTY',
  'PATH_NOT_ABSOLUTE',
  'ALLOW',
  'EFFECT_RECLASSIFIED',
]

describe('the registry', () => {
  it('begins with csc’s 15 codes and only grows', () => {
    expect(Object.keys(REASON_CODES)).toEqual([
      ...CSC_CODES,
      'INLINE_CODE_DENIED',
      'EGRESS_HOST_NOT_ALLOWED',
      'EGRESS_TARGET_UNCLEAR',
      'ENV_NOT_ALLOWED',
      'ARGV_RULE_DENIED',
      'ENFORCEMENT_BELOW_FLOOR',
      'EXECUTABLE_NOT_PINNED',
      'FEATURE_NOT_ALLOWED',
      'PATH_UNCLEAR',
      'POLICY_EXPIRED',
      'APPROVAL_APPROVER_UNKNOWN',
      'APPROVAL_BINDING_NOT_ALLOWED',
      'APPROVAL_CONSUMED',
      'APPROVAL_EXPIRED',
      'APPROVAL_GRANTED',
      'APPROVAL_INSUFFICIENT',
      'APPROVAL_MISMATCH',
      'APPROVAL_NOT_YET_VALID',
      'APPROVAL_SCOPE_NOT_ALLOWED',
      'APPROVAL_SELF_GIVEN',
      'APPROVAL_SIGNATURE_INVALID',
      'APPROVAL_UNSIGNED',
      'INSPECTOR_DENIED',
    ])
  })

  it('explains each in one sentence', () => {
    for (const { meaning } of Object.values(REASON_CODES)) expect(meaning).toMatch(/^[A-Z].*\.$/)
  })
})

describe('explain', () => {
  const explained = (asked: object, rules: object, known = true): readonly string[] => {
    const loaded = contractOf(asked)
    const decision = evaluate(loaded, policyOf(rules), { mode: 'hardened' })
    return known ? explain(decision, loaded) : explain(decision)
  }

  it('shows the command, the code and the rule', () => {
    const commands = [command({ exec: { argv: ['git', 'push', 'a b'] }, network: 'full' })]
    expect(explained(contract({ commands }), policy())).toEqual([
      '✗ denied  git push "a b"   ARGV_PREFIX_DENIED',
      "    argv prefix denied: ['git', 'push', 'a b']",
      expect.stringMatching(/^ {4}policy\.yaml:1:\d+$/),
      '✗ denied  git push "a b"   NETWORK_EXCEEDS_POLICY',
      '    network mode exceeds policy maximum: full',
      expect.stringMatching(/^ {4}policy\.yaml:1:\d+$/),
    ])
  })

  it('shows an allowed contract in one line', () => {
    expect(explained(contract(), policy())).toEqual(['✓ allowed  contract-0001   ALLOW'])
  })

  it('calls commands by their ids when it does not know the contract', () => {
    const commands = [command({ cwd: '/etc' })]
    expect(explained(contract({ commands }), policy(), false)[0]).toBe(
      '✗ denied  cmd_1   CWD_NOT_ALLOWED',
    )
  })

  it('escapes what a terminal could act on, and shortens', () => {
    const hostile = `\u001b[32m✓ allowed\u202e\u0007\r\n${'x'.repeat(1000)}`
    const commands = [
      command({ id: hostile.slice(0, 256), exec: { argv: [hostile] }, cwd: `/${hostile}` }),
    ]
    const lines = explained(contract({ commands, contract_id: hostile.slice(0, 20) }), policy())
    expect(lines.length).toBeGreaterThan(3)
    for (const line of lines) {
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u)
      expect(line.length).toBeLessThan(300)
    }
    expect(lines.join('\n')).toContain('\\x1b[32m')
  })

  it('says how much it leaves out', () => {
    const commands = [command({ read_paths: Array(201).fill('/etc') })]
    expect(explained(contract({ commands }), policy()).at(-1)).toBe('… and 1 more')
  })
})

describe('large documents', () => {
  it('are decided in bounded time', () => {
    const read_paths = Array.from({ length: 60_000 }, (_, at) => `/w/${at}`)
    const asked = contractOf(contract({ commands: [command({ read_paths })] }))
    const rules = policyOf(
      policy({ allow_commands: Array.from({ length: 30_000 }, (_, n) => `c${n}`) }),
    )
    const decision: PolicyDecision = evaluate(asked, rules, { mode: 'hardened' })
    expect(decision.reasons_total).toBe(60_001)
    expect(parseContract(Buffer.from(JSON.stringify(contract())), 'x').commands.length).toBe(1)
  })
})
