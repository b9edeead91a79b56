// SPDX-License-Identifier: Apache-2.0
// `ambit.policy.v1`: what it adds to a policy. Each denial stands beside what is allowed.
import { describe, expect, it } from 'vitest'
import { PolicyError } from '../../src/errors.js'
import {
  evaluate,
  type Mode,
  parsePolicy,
  PolicyDecisionSchema,
  unmetObligations,
} from '../../src/policy/index.js'
import { ambitContract, ambitPolicy, contractOf, policy, policyOf } from './support.js'

const NOW = new Date('2026-06-01T00:00:00Z')

interface Decided {
  readonly mode?: Mode
  readonly now?: Date
}

function judge(command: object, rules: object, { mode = 'hardened', now = NOW }: Decided = {}) {
  const decision = evaluate(contractOf(ambitContract(command)), policyOf(rules), { mode, now })
  expect(PolicyDecisionSchema.safeParse(decision).error).toBeUndefined()
  return decision
}

/** The codes of a decision; `ALLOW` where it allows. */
const codes = (command: object, changes: object, decided: Decided = {}): string =>
  judge(command, ambitPolicy(changes), decided).reason_codes.join()

function faultsOf(changes: object): readonly string[] {
  try {
    policyOf(ambitPolicy(changes))
    return []
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return error.issues.map(({ code, path }) => `${code} ${path}`)
  }
}

const run = (...argv: readonly string[]) => ({ exec: { argv } })

const pushRule = (changes: object = {}) => ({
  id: 'no-push',
  program: 'git',
  subcommands: ['push'],
  effect: 'deny',
  match: [['git', 'push']],
  ...changes,
})

describe('what ambit.policy.v1 decides', () => {
  it.each<[string, string, object, object, Decided?]>([
    ['nothing more than csc without its fields', 'ALLOW', {}, {}],
    ['listed inline code', 'ALLOW', run('python3', '-c', '1'), { allow_inline_code: ['python3'] }],
    [
      'inline code of another',
      'INLINE_CODE_DENIED',
      run('python3', '-c', '1'),
      { allow_inline_code: ['node'] },
    ],
    [
      'inline code by another path',
      'COMMAND_NOT_ALLOWED,INLINE_CODE_DENIED',
      run('/bin/python3', '-c', '1'),
      { allow_inline_code: ['python3'] },
    ],
    [
      'inline code behind a wrapper',
      'ALLOW',
      run('env', 'python3', '-c', '1'),
      { allow_inline_code: ['python3'], allow_commands: ['env'] },
    ],
    [
      'unlisted inline code behind a wrapper',
      'INLINE_CODE_DENIED',
      run('env', 'sh', '-c', '1'),
      { allow_inline_code: ['python3', 'env'], allow_commands: ['env'] },
    ],
    [
      'inline code in local mode',
      'INLINE_CODE_DENIED',
      run('python3', '-c', '1'),
      { allow_inline_code: ['python3'] },
      { mode: 'local' },
    ],
    [
      'an argv rule',
      'ARGV_RULE_DENIED',
      run('git', '-C', '/x', 'push'),
      { deny_argv_prefixes: [], argv_rules: [pushRule()] },
    ],
    [
      'an argv to which no rule applies',
      'ALLOW',
      run('git', 'log', 'push'),
      { deny_argv_prefixes: [], argv_rules: [pushRule()] },
    ],
    [
      'an argv rule that asks',
      'APPROVAL_REQUIRED',
      run('git', 'push'),
      { deny_argv_prefixes: [], argv_rules: [pushRule({ effect: 'needs_approval' })] },
    ],
    [
      'a pinned name',
      'ALLOW',
      run('git', 'status'),
      { executables: [{ name: 'git', path: '/usr/bin/git' }] },
    ],
    [
      'the pinned file',
      'ALLOW',
      run('/usr/bin/git', 'status'),
      { allow_commands: ['/usr/bin/git'], executables: [{ name: 'git', path: '/usr/bin/git' }] },
    ],
    [
      'another file of a pinned name',
      'EXECUTABLE_NOT_PINNED',
      run('/workspace/git', 'status'),
      { allow_commands: ['/workspace/git'], executables: [{ name: 'git', path: '/usr/bin/git' }] },
    ],
    [
      'another file behind a wrapper',
      'EXECUTABLE_NOT_PINNED',
      run('timeout', '5', '/workspace/git'),
      { allow_commands: ['timeout'], executables: [{ name: 'git', path: '/usr/bin/git' }] },
    ],
    ['a variable that no list names', 'ENV_NOT_ALLOWED', { env_allow: ['LANG'] }, {}],
    ['a variable that is listed', 'ALLOW', { env_allow: ['LANG'] }, { allow_env: ['LANG'] }],
    [
      'a variable that a pattern takes in',
      'ALLOW',
      { env_allow: ['LC_ALL'] },
      { allow_env: ['LC_*'] },
    ],
    [
      'a loader variable that a pattern takes in',
      'ENV_NOT_ALLOWED',
      { env_allow: ['LD_PRELOAD'] },
      { allow_env: ['*'] },
    ],
    [
      'a secret that a pattern takes in',
      'ENV_NOT_ALLOWED',
      { env_allow: ['GH_TOKEN'] },
      { allow_env: ['GH_*'] },
    ],
    ['a secret that is named', 'ALLOW', { env_allow: ['GH_TOKEN'] }, { allow_env: ['GH_TOKEN'] }],
    [
      'a variable that is denied and allowed',
      'ENV_NOT_ALLOWED',
      { env_allow: ['GH_TOKEN'] },
      { allow_env: ['GH_TOKEN'], deny_env: ['*_TOKEN'] },
    ],
    [
      'a secret that is granted',
      'ALLOW',
      { secrets: [{ name: 's', env: 'TOKEN' }] },
      { secrets: [{ name: 's', from_env: 'X' }] },
    ],
    [
      'a secret that is not',
      'SECRET_REF_NOT_ALLOWED',
      { secrets: [{ name: 's', env: 'TOKEN' }] },
      { secrets: [{ name: 't', from_env: 'X' }] },
    ],
    [
      'a secret in a loader variable',
      'ENV_NOT_ALLOWED',
      { secrets: [{ name: 's', env: 'LD_PRELOAD' }] },
      { secrets: [{ name: 's', from_env: 'X' }] },
    ],
    [
      'a secret in a denied variable',
      'ENV_NOT_ALLOWED',
      { secrets: [{ name: 's', env: 'TOKEN' }] },
      { secrets: [{ name: 's', from_env: 'X' }], deny_env: ['TOKEN'] },
    ],
    [
      'a host that is listed',
      'ALLOW',
      { network: 'allowlisted', network_hosts: ['a.test:443'] },
      { egress: ['a.test:443'] },
    ],
    [
      'a host on another port',
      'EGRESS_HOST_NOT_ALLOWED',
      { network: 'allowlisted', network_hosts: ['a.test:22'] },
      { egress: ['a.test:443'] },
    ],
    [
      'a host below a listed one',
      'ALLOW',
      { network: 'allowlisted', network_hosts: ['b.a.test:443'] },
      { egress: ['*.a.test:443'] },
    ],
    [
      'the host itself under *.',
      'EGRESS_HOST_NOT_ALLOWED',
      { network: 'allowlisted', network_hosts: ['a.test:443'] },
      { egress: ['*.a.test:443'] },
    ],
    [
      'a host that ends alike',
      'EGRESS_HOST_NOT_ALLOWED',
      { network: 'allowlisted', network_hosts: ['xa.test:443'] },
      { egress: ['*.a.test:443'] },
    ],
    [
      'a host without any list',
      'EGRESS_HOST_NOT_ALLOWED',
      { network: 'allowlisted', network_hosts: ['a.test:443'] },
      {},
    ],
    [
      'a host under csc’s list',
      'ALLOW',
      { network: 'allowlisted', network_hosts: ['a.test:1'] },
      { allowed_egress_hosts: ['A.test'] },
    ],
    [
      'a host where the network is free',
      'ALLOW',
      { network: 'allowlisted', network_hosts: ['a.test:1'] },
      { network: 'full' },
    ],
    [
      'a URL of curl without any list',
      'EFFECT_RECLASSIFIED,EGRESS_HOST_NOT_ALLOWED',
      { ...run('curl', 'https://a.test'), network: 'allowlisted' },
      {},
    ],
    [
      'a URL of curl that is listed',
      'ALLOW,EFFECT_RECLASSIFIED',
      { ...run('curl', 'https://a.test'), network: 'allowlisted' },
      { egress: ['a.test:443'] },
    ],
    [
      'memory that is executed',
      'FEATURE_NOT_ALLOWED',
      { allow_exec_from_memory: true },
      { allow_features: ['pty'] },
    ],
    [
      'memory that is executed, granted',
      'ALLOW',
      { allow_exec_from_memory: true },
      { allow_features: ['exec_from_memory'] },
    ],
    ['a wider profile', 'FEATURE_NOT_ALLOWED', { profile: 'compat' }, {}],
    [
      'a wider profile, granted',
      'ALLOW',
      { profile: 'compat' },
      { allow_features: ['profile_compat'] },
    ],
    ['all of /proc', 'FEATURE_NOT_ALLOWED', { proc: 'full' }, {}],
    ['all of /proc, granted', 'ALLOW', { proc: 'full' }, { allow_features: ['proc_full'] }],
    ['a terminal', 'FEATURE_NOT_ALLOWED', { pty: true }, {}],
    ['a terminal, granted', 'ALLOW', { pty: true }, { allow_features: ['pty'] }],
    [
      'the strictest values',
      'ALLOW',
      { pty: false, proc: 'masked', profile: 'strict', allow_exec_from_memory: false },
      {},
    ],
    [
      'an approval by risk',
      'APPROVAL_REQUIRED',
      {},
      { approval_rules: [{ id: 'r', risk_classes: ['low'] }] },
    ],
    [
      'an approval by another risk',
      'ALLOW',
      {},
      { approval_rules: [{ id: 'r', risk_classes: ['high'] }] },
    ],
    [
      'an approval by effect',
      'APPROVAL_REQUIRED',
      {},
      { approval_rules: [{ id: 'r', effect_types: ['observe'] }] },
    ],
    [
      'an approval by network',
      'APPROVAL_REQUIRED',
      { network: 'allowlisted' },
      { approval_rules: [{ id: 'r', network: ['allowlisted', 'full'] }] },
    ],
    [
      'an approval for which one condition fails',
      'ALLOW',
      {},
      { approval_rules: [{ id: 'r', risk_classes: ['low'], network: ['full'] }] },
    ],
    [
      'an approval for a tree',
      'APPROVAL_REQUIRED',
      { write_paths: ['/workspace/out/x/**'] },
      { approval_rules: [{ id: 'r', write_prefixes: ['/workspace/out/x'] }] },
    ],
    [
      'an approval for a tree within',
      'APPROVAL_REQUIRED',
      { write_paths: ['/workspace/out/**'] },
      { approval_rules: [{ id: 'r', write_prefixes: ['/workspace/out/x'] }] },
    ],
    [
      'an approval for a tree beside',
      'ALLOW',
      { write_paths: ['/workspace/out/xy'] },
      { approval_rules: [{ id: 'r', write_prefixes: ['/workspace/out/x'] }] },
    ],
    ['the last moment', 'ALLOW', {}, { expires_at: '2026-06-01T00:00:01Z' }],
    ['the moment of expiry', 'POLICY_EXPIRED', {}, { expires_at: '2026-06-01T00:00:00Z' }],
    [
      'a time that is none',
      'POLICY_EXPIRED',
      {},
      { expires_at: '2027-01-01T00:00:00Z' },
      { now: new Date(Number.NaN) },
    ],
    [
      'local mode below a floor',
      'ENFORCEMENT_BELOW_FLOOR',
      {},
      { enforcement_floor: 'lite' },
      { mode: 'local' },
    ],
    [
      'local mode where nothing is asked',
      'ALLOW',
      {},
      { enforcement_floor: 'none' },
      { mode: 'local' },
    ],
    ['hardened mode with a floor', 'ALLOW', {}, { enforcement_floor: 'full' }],
    ['no command at all', 'COMMAND_NOT_ALLOWED', {}, { allow_commands: [] }],
  ])('%s: %s', (_, want, command, changes, decided) => {
    expect(codes(command, changes, decided)).toBe(want)
  })

  it('without a time, an expiring policy denies and a decision has no end', () => {
    const asked = contractOf(ambitContract())
    const rules = policyOf(ambitPolicy({ expires_at: '2999-01-01T00:00:00Z' }))
    const decision = evaluate(asked, rules, { mode: 'hardened' })
    expect([decision.reason_codes, decision.expires_at]).toEqual([['POLICY_EXPIRED'], undefined])
  })

  it('holds for five minutes, and never longer than the policy', () => {
    expect(judge({}, ambitPolicy()).expires_at).toBe('2026-06-01T00:05:00.000Z')
    const short = ambitPolicy({ expires_at: '2026-06-01T00:01:00Z' })
    expect(judge({}, short).expires_at).toBe('2026-06-01T00:01:00.000Z')
  })

  it.each([['csc.policy.v0.1'], ['ambit.policy.v1']])(
    'lets a contract narrow under any policy: %s',
    (policy_schema_version) => {
      const narrow = {
        deny_paths: ['/workspace/.git'],
        limits: { cpu_sec: 1 },
        write_mode: 'overlay',
        stdin: { text: 'x' },
      }
      expect(judge(narrow, policy({ policy_schema_version })).reason_codes).toEqual(['ALLOW'])
    },
  )

  it('lets no contract widen under a csc policy', () => {
    const wide = {
      pty: true,
      secrets: [{ name: 's', env: 'T' }],
      network: 'allowlisted',
      network_hosts: ['a.test:1'],
    }
    expect(judge(wide, policy()).reason_codes).toEqual([
      'EGRESS_HOST_NOT_ALLOWED',
      'FEATURE_NOT_ALLOWED',
      'SECRET_REF_NOT_ALLOWED',
    ])
  })
})

describe('obligations', () => {
  const sha256 = 'ab'.repeat(32)

  it.each<[string, object, object, readonly object[] | undefined, number]>([
    ['none', {}, {}, undefined, 0],
    [
      'a floor, which is always met',
      {},
      { enforcement_floor: 'lite' },
      [{ require: 'enforcement_floor', tier: 'lite' }],
      0,
    ],
    [
      'a clean work tree',
      {},
      { obligations: [{ require: 'clean_work_tree', path: '/workspace' }] },
      [{ require: 'clean_work_tree', path: '/workspace' }],
      0,
    ],
    [
      'a name and its file',
      {},
      { executables: [{ name: 'git', path: '/usr/bin/git' }] },
      [{ require: 'executable', command_id: 'cmd_1', name: 'git', path: '/usr/bin/git' }],
      0,
    ],
    [
      'nothing for the file itself',
      run('/usr/bin/git'),
      { allow_commands: ['/usr/bin/git'], executables: [{ name: 'git', path: '/usr/bin/git' }] },
      undefined,
      0,
    ],
    [
      'a digest',
      run('/usr/bin/git'),
      {
        allow_commands: ['/usr/bin/git'],
        executables: [{ name: 'git', path: '/usr/bin/git', sha256 }],
      },
      [
        {
          require: 'executable',
          command_id: 'cmd_1',
          name: '/usr/bin/git',
          path: '/usr/bin/git',
          sha256,
        },
      ],
      0,
    ],
  ])('%s', (_, command, changes, want, unmet) => {
    const decision = judge(command, ambitPolicy(changes))
    expect(decision.obligations).toEqual(want)
    expect(unmetObligations(decision).length).toBe(unmet)
  })
})

describe('an ambit.policy.v1 document', () => {
  it.each<[string, object, readonly string[]]>([
    ['an unknown field', { allow_everything: true }, ['UNKNOWN_FIELD allow_everything']],
    [
      'a rule that its example breaks',
      { argv_rules: [pushRule({ match: [['git', 'log']] })] },
      ['EXAMPLE_MISMATCH argv_rules[0].match[0]'],
    ],
    [
      'a rule that a counterexample breaks',
      {
        argv_rules: [
          pushRule({
            not_match: [
              ['git', 'log'],
              ['git', 'push'],
            ],
          }),
        ],
      },
      ['EXAMPLE_MISMATCH argv_rules[0].not_match[1]'],
    ],
    [
      'a rule without example',
      { argv_rules: [pushRule({ match: [] })] },
      ['TOO_SHORT argv_rules[0].match'],
    ],
    [
      'two rules of one id',
      { argv_rules: [pushRule(), pushRule()] },
      ['DUPLICATE_ITEM argv_rules[1]'],
    ],
    [
      'a pin on a relative path',
      { executables: [{ name: 'git', path: 'git' }] },
      ['NOT_ABSOLUTE_PATH executables[0].path'],
    ],
    [
      'a digest in capitals',
      { executables: [{ name: 'git', path: '/g', sha256: 'AB'.repeat(32) }] },
      ['NOT_HEX executables[0].sha256'],
    ],
    ['a variable with =', { allow_env: ['A=B'] }, ['NOT_A_VARIABLE allow_env[0]']],
    ['a secret from nowhere', { secrets: [{ name: 's' }] }, ['ENV_XOR_FILE secrets[0]']],
    [
      'a secret from two places',
      { secrets: [{ name: 's', from_env: 'A', from_file: '/a' }] },
      ['ENV_XOR_FILE secrets[0]'],
    ],
    ['a host without port', { egress: ['a.test'] }, ['NOT_HOST_AND_PORT egress[0]']],
    [
      'an unknown protection',
      { lift_protections: ['git'] },
      ['NOT_ALLOWED_VALUE lift_protections[0]'],
    ],
    ['an unknown feature', { allow_features: ['root'] }, ['NOT_ALLOWED_VALUE allow_features[0]']],
    [
      'more approvals than approvers',
      { approvals: { approvers: [{ name: 'a', public_key: 'ab'.repeat(32) }], required: 2 } },
      ['OUT_OF_RANGE approvals.required'],
    ],
    ['approvals in an unknown word', { approvals: 'any' }, ['WRONG_TYPE approvals']],
    [
      'an approver without key',
      { approvals: { approvers: [{ name: 'a' }] } },
      ['MISSING_FIELD approvals.approvers[0].public_key'],
    ],
    [
      'an approval rule without condition',
      { approval_rules: [{ id: 'r' }] },
      ['NO_CONDITION approval_rules[0]'],
    ],
    [
      'an unknown obligation',
      { obligations: [{ require: 'luck', path: '/' }] },
      ['NOT_ALLOWED_VALUE obligations[0].require'],
    ],
    [
      'a grace longer than a minute',
      { timeout_grace_ms: 60_001 },
      ['OUT_OF_RANGE timeout_grace_ms'],
    ],
    ['an unknown floor', { enforcement_floor: 'some' }, ['NOT_ALLOWED_VALUE enforcement_floor']],
    ['a day that is none', { expires_at: '2026-02-30T00:00:00Z' }, ['NOT_A_MOMENT expires_at']],
    ['a time without zone', { expires_at: '2026-02-01T00:00:00' }, ['NOT_A_MOMENT expires_at']],
    ['an hour that is none', { expires_at: '2026-02-01T25:00:00Z' }, ['NOT_A_MOMENT expires_at']],
  ])('is refused for %s', (_, changes, want) => expect(faultsOf(changes)).toEqual(want))

  it.each([
    [{ approvals: 'unsigned' }],
    [{ approvals: { approvers: [{ name: 'a', public_key: 'ab'.repeat(32) }] } }],
    [
      {
        allow_commands: [],
        allowed_cwd_prefixes: [],
        allowed_read_prefixes: [],
        allowed_risk_classes: [],
        allowed_effect_types: [],
      },
    ],
    [{ argv_rules: [pushRule({ not_match: [['git', 'stash', 'push']] })] }],
  ])('is read with %j', (changes) => expect(faultsOf(changes)).toEqual([]))

  it('has no fields in a csc policy', () => {
    expect(() => policyOf(policy({ allow_inline_code: ['sh'] }))).toThrow('is not a field here')
  })

  it('shows a wrong example where it stands', () => {
    const rule =
      'argv_rules: [{id: r, program: git, effect: deny, subcommands: [push],\n  match: [[git, log]]}]'
    const fields = Object.entries(ambitPolicy()).map(
      ([name, value]) => `${name}: ${JSON.stringify(value)}`,
    )
    const text = [...fields, rule].join('\n')
    const line = text.split('\n').length
    expect(() => parsePolicy(Buffer.from(text), 'p.yaml')).toThrow(
      `p.yaml:${line}:11: argv_rules[0].match[0]: rule \`r\` does not apply to this example`,
    )
  })
})
