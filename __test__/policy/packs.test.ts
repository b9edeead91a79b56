// SPDX-License-Identifier: Apache-2.0
// The policy packs: their cases, the digests of csc's, and the recorded attacks against each.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AmbitError } from '../../src/errors.js'
import { evaluate, loadPolicy } from '../../src/policy/index.js'
import { testPolicies } from '../../src/run/inspection.js'
import { ambitPolicy, command, contractOf, policy, root, vectors } from './support.js'

const FOLDER = join(root, 'policies')
const PACKS = readdirSync(FOLDER).toSorted()
const NOW = new Date('2026-01-01T00:00:00Z')
const fileOf = (name: string): string => join(FOLDER, name, 'policy.yaml')

it('there are six packs, each with a README', () => {
  expect(PACKS).toEqual([
    'ci-build',
    'coding-agent',
    'deny-all',
    'dev-readonly',
    'dev-test-no-network',
    'regulated-restricted',
  ])
  for (const name of PACKS) {
    expect(readFileSync(join(FOLDER, name, 'README.md'), 'utf8')).toMatch(`# ${name}\n`)
  }
})

describe.each(PACKS)('the policy %s', (name) => {
  it('decides its cases as they say, and every rule is at work in one', async () => {
    const [test] = await testPolicies([join(FOLDER, name)])
    expect(test?.cases.filter(({ ok }) => !ok)).toEqual([])
    expect(test?.uncovered).toEqual([])
    expect(test?.ok).toBe(true)
  })
})

interface Example {
  readonly category: string
  readonly policy: { readonly name: string }
  readonly expected: { readonly policy_sha256: string }
}

const examples = vectors<readonly Example[]>('decisions.json')

it.each(['dev-readonly', 'dev-test-no-network', 'regulated-restricted'])(
  '%s has the digest that csc-runner recorded for it',
  async (name) => {
    const example = examples.find(
      ({ category, policy: { name: of } }) => category === 'example' && of === name,
    )
    expect((await loadPolicy(fileOf(name))).hash).toBe(example?.expected.policy_sha256)
  },
)

interface Attack {
  readonly id: string
  readonly contract: { readonly commands: readonly object[] }
}

const attacks = vectors<readonly Attack[]>('attacks-policy.json')

/** Attacks that a pack lets start, since no argv shows them: paths and network hold them. */
const CONTAINED: Readonly<Record<string, readonly string[]>> = {
  'ci-build': ['atk-015', 'atk-027'],
  'coding-agent': ['atk-015', 'atk-027'],
  'deny-all': [],
  'dev-readonly': ['atk-007', 'atk-008', 'atk-015'],
  'dev-test-no-network': ['atk-015'],
  'regulated-restricted': ['atk-027'],
}

describe.each(PACKS)('the recorded attacks on %s', (name) => {
  it('are all tried, and start nothing but what the kernel holds', async () => {
    const rules = await loadPolicy(fileOf(name))
    const decisions = attacks.map(({ id, contract }) => {
      const { decision } = evaluate(contractOf(contract), rules, { mode: 'hardened', now: NOW })
      return { id, decision }
    })
    expect(decisions.length).toBe(22)
    const allowed = decisions.filter(({ decision }) => decision === 'allow').map(({ id }) => id)
    expect(allowed).toEqual(CONTAINED[name])
  })
})

describe('testPolicies', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ambit-pack-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const write = (rules: object, cases: unknown): void => {
    writeFileSync(join(folder, 'policy.yaml'), JSON.stringify(rules))
    writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases))
  }

  const allow = { decision: 'allow', reason_codes: ['ALLOW'] }

  it('names cases that are decided otherwise, and rules that no case shows', async () => {
    const denied = { decision: 'deny', reason_codes: ['ARGV_PREFIX_DENIED'] }
    const push = command({ exec: { argv: ['git', 'push'] } })
    write(policy({ allow_commands: ['git', 'cat'] }), [
      { desc: 'right', command: command(), want: allow },
      { desc: 'wrong', command: push, want: allow },
    ])
    const [test] = await testPolicies([folder])
    expect(test?.ok).toBe(false)
    expect(test?.cases).toEqual([
      { desc: 'right', ok: true, want: allow, got: allow },
      { desc: 'wrong', ok: false, want: allow, got: denied },
    ])
    expect(test?.uncovered).toEqual([
      'allow_commands[1]',
      'allowed_effect_types[1]',
      'allowed_read_prefixes[0]',
      'allowed_write_prefixes[0]',
      'allow_commands',
      'allowed_effect_types',
      'allowed_risk_classes',
      'max_timeout_sec',
      'network',
      'allow_secret_refs',
      'allowed_cwd_prefixes',
      'allowed_read_prefixes',
      'allowed_write_prefixes',
    ])
    expect(test?.rules).toBe(18)
  })

  it('counts a rule as shown only where the contract is not denied', async () => {
    const both = command({ exec: { argv: ['cat'] }, timeout_sec: 61 })
    const codes = { decision: 'deny', reason_codes: ['TIMEOUT_EXCEEDS_POLICY'] }
    write(policy({ allow_commands: ['cat'] }), [{ desc: 'x', command: both, want: codes }])
    const [test] = await testPolicies([folder])
    expect(test?.uncovered).toContain('allow_commands[0]')
    expect(test?.uncovered).not.toContain('max_timeout_sec')
  })

  it('counts the rules of ambit.policy.v1', async () => {
    const rules = {
      allow_env: ['LANG'],
      deny_env: ['X'],
      egress: ['a.test:1'],
      secrets: [{ name: 's', from_env: 'S' }],
      allow_features: ['pty'],
      allow_inline_code: ['python3'],
      executables: [{ name: 'git', path: '/usr/bin/git' }],
      expires_at: '2027-01-01T00:00:00Z',
    }
    write(ambitPolicy(rules), [{ desc: 'x', command: command(), want: allow }])
    const [test] = await testPolicies([folder])
    const ours = [
      'allow_inline_code[0]',
      'allow_env[0]',
      'secrets[0]',
      'egress[0]',
      'allow_features[0]',
      'deny_env[0]',
      'expires_at',
    ]
    expect(test?.uncovered).toEqual(expect.arrayContaining(ours))
    expect(test?.uncovered).not.toContain('executables[0]')
  })

  it.each<[string, unknown, string]>([
    ['no list', {}, 'ERR_POLICY_INVALID'],
    ['an empty list', [], 'ERR_POLICY_INVALID'],
    [
      'an unknown field',
      [{ desc: 'x', command: command(), want: allow, also: 1 }],
      'ERR_POLICY_INVALID',
    ],
    ['a command that is none', [{ desc: 'x', command: {}, want: allow }], 'ERR_CONTRACT_INVALID'],
  ])('refuses cases that are %s', async (_, cases, code) => {
    write(policy(), cases)
    await expect(testPolicies([folder])).rejects.toMatchObject({ code })
  })

  it.each(['/nonexistent', root])('says that there is no policy in %s', async (path) => {
    const error: unknown = await testPolicies([path]).catch((caught: unknown) => caught)
    expect(error instanceof AmbitError && error.code).toBe('ERR_POLICY_UNREADABLE')
  })
})
