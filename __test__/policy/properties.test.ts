// SPDX-License-Identifier: Apache-2.0
// What holds for every contract and every policy of both versions.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseContract, printContract, unsupportedFields } from '../../src/contract/index.js'
import { type AmbitError, ContractError, PolicyError } from '../../src/errors.js'
import {
  evaluate,
  explain,
  lintPolicy,
  type Policy,
  PolicyDecisionSchema,
} from '../../src/policy/index.js'
import { command, contract, contractOf, policy, policyOf } from './support.js'

const NOW = new Date('2026-06-01T00:00:00Z')
const RANK = { deny: 0, needs_approval: 1, allow: 2 }

const word = fc.constantFrom(
  'git',
  'push',
  'log',
  '-c',
  '--exec-path=x',
  'python3',
  'curl',
  'sh',
  '--',
  'https://a.test',
  'env',
  '\u202e',
)
const path = fc.constantFrom(
  '/workspace',
  '/workspace/out/x',
  '/workspace/../etc',
  '/etc',
  '//x/y',
  'C:\\w',
  '/workspace/*',
  '/\u200b',
  '/*',
)
const someOf = <T>(item: fc.Arbitrary<T>, maxLength = 3) => fc.array(item, { maxLength })
const argv = fc.array(word, { minLength: 1, maxLength: 5 })
const host = fc.constantFrom('a.test:443', 'b.a.test:443', '[::1]:80')

const commands = fc.record(
  {
    exec: fc.record({ argv }),
    cwd: path,
    read_paths: someOf(path),
    write_paths: someOf(path),
    network: fc.constantFrom('deny', 'allowlisted', 'full'),
    env_allow: fc.uniqueArray(fc.constantFrom('LANG', 'LD_PRELOAD', 'A_TOKEN')),
    secret_refs: someOf(fc.constant('s')),
    timeout_sec: fc.integer({ min: 1, max: 100 }),
    proposed_effect_type: fc.constantFrom('observe', 'deploy', 'fetch_external'),
  },
  { requiredKeys: [] },
)

const extras = fc.record(
  {
    deny_paths: someOf(path),
    network_hosts: fc.uniqueArray(host),
    stdin: fc.constantFrom({ text: 'x' }, { file: '/workspace/x' }),
    secrets: fc.constantFrom([], [{ name: 's', env: 'S' }], [{ name: 't', file: '/t' }]),
    pty: fc.boolean(),
    proc: fc.constantFrom('masked', 'full'),
    limits: fc.record({ cpu_sec: fc.integer({ min: 1 }) }, { requiredKeys: [] }),
    artifacts: someOf(path),
  },
  { requiredKeys: [] },
)

const contracts = fc
  .tuple(commands, fc.option(extras, { nil: undefined }), fc.constantFrom('low', 'high'))
  .map(([base, more, risk_class]) => {
    const version = more === undefined ? 'csc.v0.1' : 'ambit.contract.v1'
    return contract({ version, risk_class, commands: [command({ ...base, ...more })] })
  })

const cscRules = fc.record(
  {
    allow_commands: fc.uniqueArray(word, { minLength: 1 }),
    deny_argv_prefixes: someOf(argv),
    network: fc.constantFrom('deny', 'allowlisted', 'full'),
    allow_secret_refs: fc.boolean(),
    require_write_paths_empty: fc.boolean(),
    manual_approval_for_classified_effect_types: fc.constantFrom(
      [],
      ['observe'],
      ['fetch_external'],
    ),
    allowed_read_prefixes: fc.array(path, { minLength: 1 }),
    allowed_egress_hosts: fc.constantFrom([], ['a.test']),
  },
  { requiredKeys: [] },
)

const ourRules = fc.record(
  {
    allow_inline_code: fc.uniqueArray(word),
    allow_env: fc.uniqueArray(fc.constantFrom('LANG', '*', 'LD_PRELOAD')),
    egress: fc.uniqueArray(host),
    secrets: fc.constantFrom([], [{ name: 's', from_env: 'X' }]),
    allow_features: fc.uniqueArray(fc.constantFrom('pty', 'proc_full')),
    executables: fc.constantFrom([], [{ name: 'git', path: '/usr/bin/git' }]),
    enforcement_floor: fc.constantFrom('none', 'full'),
    expires_at: fc.constantFrom('2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'),
    approval_rules: fc.constantFrom([], [{ id: 'r', network: ['full'] }]),
  },
  { requiredKeys: [] },
)

const policies = fc.tuple(cscRules, fc.option(ourRules, { nil: undefined })).map(([base, more]) => {
  const version = more === undefined ? 'csc.policy.v0.1' : 'ambit.policy.v1'
  return policy({ policy_schema_version: version, ...base, ...more })
})

/** Reads a document; undefined where it is refused, as it should be when it is not valid. */
function valid<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ContractError || error instanceof PolicyError) return undefined
    throw error as AmbitError
  }
}

const mode = fc.constantFrom('hardened' as const, 'local' as const)

const holds = (property: fc.IProperty<never> | fc.IRawProperty<unknown>, numRuns: number) => {
  const { failed, counterexample, errorInstance } = fc.check(property as fc.IProperty<unknown>, {
    numRuns,
  })
  expect({ failed, counterexample, errorInstance }).toMatchObject({ failed: false })
}

describe('for every contract and policy', () => {
  it('evaluation ends with a decision, and with words for it', () => {
    let decided = 0
    const property = fc.property(contracts, policies, mode, (asked, rules, how) => {
      const [read, by] = [valid(() => contractOf(asked)), valid(() => policyOf(rules))]
      if (read === undefined || by === undefined) return
      decided += 1
      const decision = evaluate(read, by, { mode: how, now: NOW })
      expect(PolicyDecisionSchema.safeParse(decision).error).toBeUndefined()
      expect(explain(decision, read, by).length).toBeGreaterThan(0)
      expect(lintPolicy(by)).toBeInstanceOf(Array)
      for (const one of read.commands) expect(unsupportedFields(one)).toBeInstanceOf(Array)
    })
    holds(property, 400)
    expect(decided).toBeGreaterThan(60)
  })

  it('a contract that is written is read back as it was', () => {
    const property = fc.property(contracts, (asked) => {
      const read = valid(() => contractOf(asked))
      if (read === undefined) return
      expect(parseContract(Buffer.from(printContract(read)), 'c')).toEqual(read)
    })
    holds(property, 150)
  })

  const denials = fc.oneof(
    argv.map((prefix) => ({ deny_argv_prefixes: [prefix] })),
    fc.constantFrom('LANG', '*', 'A_*').map((name) => ({ deny_env: [name] })),
    fc.constantFrom('git', '*', 'curl').map((program) => ({
      argv_rules: [
        { id: 'more', program, effect: 'deny', match: [[program === '*' ? 'x' : program]] },
      ],
    })),
    fc.constant({ approval_rules: [{ id: 'more', risk_classes: ['low', 'high'] }] }),
    fc.constant({ manual_approval_for_classified_effect_types: ['observe', 'fetch_external'] }),
    fc.constant({ require_write_paths_empty: true }),
    fc.constant({ expires_at: '2026-01-01T00:00:00Z' }),
  )

  /** Contracts and policies that mostly allow: where nothing is allowed, nothing can narrow. */
  const plain = fc
    .record({
      exec: fc
        .constantFrom(['git', 'log'], ['git', 'push'], ['curl', 'https://a.test'])
        .map((given) => ({ argv: given })),
      env_allow: fc.constantFrom([], ['LANG']),
      write_paths: fc.constantFrom([], ['/workspace/out']),
    })
    .map((changes) => contract({ commands: [command(changes)] }))
  const generous = policy({
    network: 'full',
    deny_argv_prefixes: [],
    allow_env: ['*'],
    allowed_risk_classes: ['low', 'high'],
  })

  it('a rule more that denies or asks never widens', () => {
    let narrowed = 0
    const property = fc.property(
      fc.oneof(plain, contracts),
      fc.oneof(fc.constant<object>(generous), policies),
      denials,
      mode,
      (asked, rules, more, how) => {
        const read = valid(() => contractOf(asked))
        const base = { ...rules, policy_schema_version: 'ambit.policy.v1' }
        const [before, after] = [
          valid(() => policyOf(base)),
          valid(() => policyOf(merged(base, more))),
        ]
        if (read === undefined || before === undefined || after === undefined) return
        const decide = (by: Policy) => RANK[evaluate(read, by, { mode: how, now: NOW }).decision]
        expect(decide(after)).toBeLessThanOrEqual(decide(before))
        narrowed += decide(after) < decide(before) ? 1 : 0
      },
    )
    holds(property, 600)
    expect(narrowed).toBeGreaterThan(20)
  })
})

/** Adds to the lists of a policy, and sets what is no list. */
function merged(base: object, more: object): object {
  const known = new Map<string, unknown>(Object.entries(base))
  for (const [name, value] of Object.entries(more)) {
    const old = known.get(name)
    known.set(
      name,
      Array.isArray(value) && Array.isArray(old)
        ? [...new Set<unknown>([...(old as unknown[]), ...(value as unknown[])])]
        : value,
    )
  }
  return Object.fromEntries(known)
}
