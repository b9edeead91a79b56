// SPDX-License-Identifier: Apache-2.0
// What helps to write policies: the nearest change, differences, formatting, a first policy.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseContract } from '../../src/contract/index.js'
import {
  diffPolicies,
  evaluate,
  explain,
  explainReasons,
  formatPolicy,
  parsePolicy,
  REASON_CODES,
  starterFiles,
} from '../../src/policy/index.js'
import { nearestChange } from '../../src/policy/nearest.js'
import {
  ambitContract,
  ambitPolicy,
  command,
  contract,
  contractOf,
  policy,
  policyOf,
  root,
} from './support.js'

const changesFor = (changes: object, rules: object): readonly string[] => {
  const read = policyOf(rules)
  const asked = contractOf(ambitContract(changes))
  const decision = evaluate(asked, read, { mode: 'hardened' })
  return explainReasons(decision, asked, read).flatMap(({ change }) => change ?? [])
}

describe('a difference in what holds when a rule is absent', () => {
  it.each<[object, object, string, string]>([
    [{}, { inspectors: [] }, 'inspectors', 'wider'],
    [{ inspectors: [] }, {}, 'inspectors', 'narrower'],
    [{}, { inspectors: ['egress', 'repetition'] }, 'inspectors', 'neutral'],
    [{}, { enforcement_floor: 'none' }, 'enforcement_floor', 'wider'],
    [{}, { enforcement_floor: 'lite' }, 'enforcement_floor', 'unclear'],
    [{}, { enforcement_floor: 'full' }, 'enforcement_floor', 'narrower'],
    [{ enforcement_floor: 'full' }, { enforcement_floor: 'lite' }, 'enforcement_floor', 'wider'],
  ])('from %j to %j', (from, to, rule, effect) => {
    const changes = diffPolicies(policyOf(ambitPolicy(from)), policyOf(ambitPolicy(to)))
    expect(changes).toEqual([expect.objectContaining({ rule, effect })])
  })
})

describe('the nearest change', () => {
  it.each<[object, object, string]>([
    [{ exec: { argv: ['rm'] } }, policy(), 'add `rm` to allow_commands'],
    [{ timeout_sec: 61 }, policy(), 'ask for at most 60 seconds, or raise max_timeout_sec to 61'],
    [{ network: 'full' }, policy(), 'ask for network `allowlisted`, or set network to `full`'],
    [
      { cwd: '/etc' },
      policy(),
      'ask for a path under `/workspace`, or add `/etc` to allowed_cwd_prefixes',
    ],
    [{ read_paths: ['/workspace/../etc'] }, policy(), 'write the path without `..`'],
    [
      { exec: { argv: ['python3', '-c', '1'] } },
      policy(),
      'put the code into a file in scope and run that',
    ],
    [
      { exec: { argv: ['python3', '-c', '1'] } },
      ambitPolicy(),
      'put the code into a file in scope and run that, or add `python3` to allow_inline_code',
    ],
    [
      { env_allow: ['LANG'] },
      ambitPolicy(),
      'take `LANG` out of the contract, or add it to allow_env',
    ],
    [
      { network: 'allowlisted', network_hosts: ['a.test:1'] },
      ambitPolicy({ egress: ['b.test:1'] }),
      'ask for `b.test:1`, or add `a.test:1` to egress',
    ],
    [{ pty: true }, ambitPolicy(), 'ask for less, or add `pty` to allow_features'],
    [
      { proposed_effect_type: 'deploy' },
      policy(),
      'ask for `observe`, `fetch_external`, or add `deploy` to allowed_effect_types',
    ],
  ])('for %j', (changes, rules, want) => expect(changesFor(changes, rules)).toEqual([want]))

  it('is known for every code that denies or asks', () => {
    const without = Object.entries(REASON_CODES)
      .filter(([, { effect }]) => effect === 'deny' || effect === 'needs_approval')
      .map(([code]) => code as keyof typeof REASON_CODES)
      .filter((code) => nearestChange({ code, message: '' }, policyOf(policy())) === undefined)
    expect(without).toEqual([])
  })

  it('stands under the rule, and nothing in it acts on a terminal', () => {
    const asked = contractOf(
      contract({ commands: [command({ exec: { argv: ['r\u001b[31mm'] } })] }),
    )
    const rules = policyOf(policy())
    const decision = evaluate(asked, rules, { mode: 'hardened' })
    expect(explain(decision, asked, rules)).toEqual([
      '✗ denied  r\\x1b[31mm   COMMAND_NOT_ALLOWED',
      '    command not allowed: r\\x1b[31mm',
      expect.stringMatching(/^ {4}policy\.yaml:1:\d+$/),
      '    → add `r\\x1b[31mm` to allow_commands',
    ])
    expect(explain(decision, asked).length).toBe(3)
  })
})

describe('policy diff', () => {
  const diff = (from: object, to: object) =>
    diffPolicies(policyOf(from), policyOf(to)).map(
      ({ rule, change, effect }) => `${effect} ${change} ${rule}`,
    )

  it('is nothing between equal policies, defaults written out or not', () => {
    expect(diff(policy(), policy({ allowed_egress_hosts: [] }))).toEqual([])
  })

  it.each<[string, object, object]>([
    ['wider added allow_commands', {}, { allow_commands: ['git', 'cat', 'curl', 'python3', 'ls'] }],
    ['narrower removed allow_commands', {}, { allow_commands: ['git', 'cat', 'curl'] }],
    ['wider removed deny_argv_prefixes', {}, { deny_argv_prefixes: [] }],
    ['wider changed max_timeout_sec', {}, { max_timeout_sec: 61 }],
    ['narrower changed max_timeout_sec', {}, { max_timeout_sec: 59 }],
    ['wider changed network', {}, { network: 'full' }],
    ['narrower changed network', {}, { network: 'deny' }],
    ['wider changed allow_secret_refs', {}, { allow_secret_refs: true }],
    ['narrower changed require_write_paths_empty', {}, { require_write_paths_empty: true }],
    ['neutral changed name', {}, { name: 'other' }],
    ['narrower changed expires_at', {}, { expires_at: '2027-01-01T00:00:00Z' }],
    [
      'wider changed enforcement_floor',
      { enforcement_floor: 'full' },
      { enforcement_floor: 'lite' },
    ],
    ['narrower changed enforcement_floor', { enforcement_floor: 'none' }, {}],
    ['neutral changed timeout_grace_ms', {}, { timeout_grace_ms: 500 }],
    ['unclear changed approvals', {}, { approvals: 'unsigned' }],
    ['wider added egress', {}, { egress: ['a.test:1'] }],
    ['narrower added deny_env', {}, { deny_env: ['X'] }],
  ])('%s', (want, from, to) => {
    expect(diff(ambitPolicy(from), ambitPolicy(to))).toEqual([want])
  })

  it('compares every field that a policy can have', () => {
    const { properties } = JSON.parse(
      readFileSync(join(root, 'schemas/ambit.policy.v1.schema.json'), 'utf8'),
    ) as { properties: Record<string, { readonly type?: string; readonly items?: unknown }> }
    const digests = {
      executables: [{ name: 'git', path: '/git' }],
      secrets: [{ name: 's', from_env: 'S' }],
    }
    const values: Record<string, unknown> = {
      policy_schema_version: 'csc.policy.v0.1',
      allowed_effect_types: ['deploy'],
      allowed_risk_classes: ['high'],
      allow_secret_refs: true,
      approvals: 'unsigned',
      approval_rules: [{ id: 'r', network: ['full'] }],
      argv_rules: [{ id: 'r', program: 'x', effect: 'deny', match: [['x']] }],
      allow_features: ['pty'],
      lift_protections: ['dotenv'],
      deny_argv_prefixes: [['x']],
      egress: ['a.test:1'],
      enforcement_floor: 'full',
      inspectors: ['secrets'],
      expires_at: '2027-01-01T00:00:00Z',
      max_timeout_sec: 1,
      network: 'full',
      obligations: [{ require: 'clean_work_tree', path: '/x' }],
      require_write_paths_empty: true,
      timeout_grace_ms: 1,
      ...digests,
    }
    const silent = Object.keys(properties).filter((name) => {
      const value = values[name] ?? (properties[name]?.type === 'array' ? ['/X'] : 'x')
      const other = name.endsWith('_env') || name === 'allow_inline_code' ? ['X'] : value
      return diff(ambitPolicy(), ambitPolicy({ [name]: other })).length === 0
    })
    expect(silent).toEqual([])
  })
})

describe('policy fmt', () => {
  const yaml = [
    '# about it',
    'policy_schema_version:   csc.policy.v0.1',
    'name: "yes"   # a name',
    ...Object.entries(policy())
      .filter(([name]) => !['policy_schema_version', 'name', 'max_timeout_sec'].includes(name))
      .map(([name, value]) => `${name}:   ${JSON.stringify(value)}`),
    '',
    'max_timeout_sec: 010',
    '',
  ].join('\n')

  it('keeps comments, order and digest, and settles what YAML 1.1 reads otherwise', () => {
    const text = formatPolicy(Buffer.from(yaml), 'p.yaml')
    expect(text.split('\n').slice(0, 3)).toEqual([
      '# about it',
      'policy_schema_version: csc.policy.v0.1',
      'name: "yes" # a name',
    ])
    expect(text).toMatch(/\n\nmax_timeout_sec: 10\n$/)
    const [before, after] = [yaml, text].map((source) => parsePolicy(Buffer.from(source), 'p'))
    expect(after?.hash).toBe(before?.hash)
    expect(after?.places.differences).toEqual([])
    expect(formatPolicy(Buffer.from(text), 'p.yaml')).toBe(text)
  })

  it('refuses what is no policy', () => {
    expect(() => formatPolicy(Buffer.from('name: x'), 'p.yaml')).toThrow('p.yaml:1:1')
  })
})

describe('the first policy', () => {
  it.each(['/srv/shop', '/', '/with "quotes"', '/back\\slash', "/it's: #1", '/日本'])(
    'allows the first contract in %s',
    (folder) => {
      const [rules, , asked] = starterFiles(folder).map(({ text }) => Buffer.from(text))
      if (rules === undefined || asked === undefined) throw new Error('no files')
      const decision = evaluate(parseContract(asked, 'c'), parsePolicy(rules, 'p'), {
        mode: 'hardened',
      })
      expect(decision.reason_codes).toEqual(['ALLOW'])
    },
  )
})
