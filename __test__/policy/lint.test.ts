// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { lintPolicy, parsePolicy } from '../../src/policy/index.js'
import { yaml11Differs } from '../../src/policy/yaml11.js'
import { ambitPolicy, policy, policyOf } from './support.js'

/** A csc policy about which there is nothing to say. */
const quiet = (changes: object = {}) =>
  policy({ allow_commands: ['git', 'cat', 'curl'], network: 'deny', ...changes })

const codesOf = (document: object) =>
  lintPolicy(policyOf(document)).map(({ code, severity, path }) => `${severity} ${code} ${path}`)

/** The public key of RFC 8032, section 7.1, test 1. */
const USABLE = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'

describe('policy lint', () => {
  it('has nothing to say about a plain policy', () => {
    expect([codesOf(quiet()), codesOf(ambitPolicy({ allow_commands: ['git'] }))]).toEqual([[], []])
  })

  it.each<[string, object]>([
    [
      'warning WRAPPER_ALLOWED allow_commands[1]',
      quiet({ allow_commands: ['git', '/usr/bin/env'] }),
    ],
    ['warning WRAPPER_ALLOWED allow_commands[1]', quiet({ allow_commands: ['git', 'eval'] })],
    ['note INTERPRETER_ALLOWED allow_commands[1]', quiet({ allow_commands: ['git', 'python3'] })],
    [
      'note RULE_NOT_NEEDED deny_argv_prefixes[1]',
      quiet({
        deny_argv_prefixes: [
          ['git', 'push'],
          ['sh', '-c'],
        ],
      }),
    ],
    [
      'warning RULE_UNREACHABLE deny_argv_prefixes[1]',
      quiet({ deny_argv_prefixes: [['git'], ['git', 'push']] }),
    ],
    ['warning PREFIX_TOO_WIDE allowed_write_prefixes[0]', quiet({ allowed_write_prefixes: ['/'] })],
    [
      'warning PREFIX_TOO_WIDE allowed_write_prefixes[0]',
      quiet({ allowed_write_prefixes: ['/./'] }),
    ],
    [
      'warning PREFIX_CLIMBS allowed_write_prefixes[0]',
      quiet({ allowed_write_prefixes: ['/a/../b'] }),
    ],
    [
      'warning PREFIX_HOLDS_GLOB allowed_write_prefixes[0]',
      quiet({ allowed_write_prefixes: ['/a/**'] }),
    ],
    [
      'warning PREFIX_UNUSABLE allowed_write_prefixes[0]',
      quiet({ allowed_write_prefixes: ['///a'] }),
    ],
    [
      'warning CWD_WIDER_THAN_READ allowed_cwd_prefixes[0]',
      quiet({ allowed_cwd_prefixes: ['/srv'] }),
    ],
    [
      'note WRITE_PREFIXES_UNUSED allowed_write_prefixes',
      quiet({ require_write_paths_empty: true }),
    ],
    ['warning NETWORK_UNJUDGED network', quiet({ network: 'allowlisted' })],
    [
      'warning HOST_NEVER_MATCHES allowed_egress_hosts[0]',
      quiet({ allowed_egress_hosts: ['https://a.test'] }),
    ],
    [
      'warning HOST_NEVER_MATCHES allowed_egress_hosts[0]',
      quiet({ allowed_egress_hosts: ['a.test:443'] }),
    ],
    [
      'warning HOST_NEVER_MATCHES allowed_egress_hosts[0]',
      quiet({ allowed_egress_hosts: ['*.a.test'] }),
    ],
    [
      'note EFFECT_NEVER_CLASSIFIED manual_approval_for_classified_effect_types[0]',
      quiet({ manual_approval_for_classified_effect_types: ['health'] }),
    ],
    [
      'warning VARIABLE_RUNS_CODE allow_env[0]',
      ambitPolicy({ allow_commands: ['git'], allow_env: ['LD_PRELOAD'] }),
    ],
    [
      'warning APPROVALS_UNSIGNED approvals',
      ambitPolicy({ allow_commands: ['git'], approvals: 'unsigned' }),
    ],
    [
      'warning APPROVALS_UNREACHABLE approvals.required',
      ambitPolicy({
        allow_commands: ['git'],
        approvals: {
          approvers: [
            { name: 'a', public_key: USABLE },
            { name: 'A', public_key: USABLE.replace('d7', 'd8') },
          ],
          required: 2,
        },
      }),
    ],
    [
      'warning APPROVER_KEY_UNUSABLE approvals.approvers[1].public_key',
      ambitPolicy({
        allow_commands: ['git'],
        approvals: {
          approvers: [
            { name: 'a', public_key: USABLE },
            { name: 'b', public_key: `01${'0'.repeat(62)}` },
          ],
        },
      }),
    ],
    [
      'warning EXECUTABLE_WRITABLE executables[0]',
      ambitPolicy({
        allow_commands: ['git'],
        executables: [{ name: 'x', path: '/workspace/out/x' }],
      }),
    ],
  ])('%s', (want, document) => expect(codesOf(document)).toEqual([want]))

  it('is content with a wrapper about which there is a rule', () => {
    const rule = {
      id: 'r',
      program: 'find',
      options: ['-exec'],
      effect: 'deny',
      match: [['find', '-exec']],
    }
    expect(codesOf(ambitPolicy({ allow_commands: ['git', 'find'], argv_rules: [rule] }))).toEqual(
      [],
    )
  })

  it('says where scalars stand that YAML 1.1 reads otherwise', () => {
    const lines = Object.entries(quiet())
      .filter(([name]) => name !== 'name' && name !== 'max_timeout_sec')
      .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    const text = ['name: yes', ...lines, 'max_timeout_sec: 010'].join('\n')
    const found = lintPolicy(parsePolicy(Buffer.from(text), 'p.yaml'))
    const last = lines.length + 2
    expect(found.map(({ code, line, column }) => [code, line, column])).toEqual([
      ['YAML_READINGS_DIFFER', 1, 7],
      ['YAML_READINGS_DIFFER', last, 18],
    ])
    expect(found.map(({ message }) => message.split(' in ')[0])).toEqual([
      '`yes` is true',
      '`010` is 8',
    ])
  })
})

const SCALARS: readonly (readonly [source: string, value: unknown, yaml11: string | undefined])[] =
  [
    ['plain', 'plain', undefined],
    ['yes', 'yes', 'true'],
    ['Off', 'Off', 'false'],
    ['y', 'y', undefined],
    ['true', true, undefined],
    ['FALSE', false, undefined],
    ['null', null, undefined],
    ['~', null, undefined],
    ['', null, undefined],
    ['10', 10, undefined],
    ['-10', -10, undefined],
    ['+10', 10, undefined],
    ['0', 0, undefined],
    ['010', 10, '8'],
    ['-010', -10, '-8'],
    ['08', 8, 'text'],
    ['0o10', 8, 'text'],
    ['0x10', 16, undefined],
    ['0b11', '0b11', '3'],
    ['1_000', '1_000', '1000'],
    ['1:30', '1:30', '90'],
    ['1:00:00', '1:00:00', '3600'],
    ['01:30', '01:30', undefined],
    ['1.5', '1.5', 'a fraction'],
    ['1:30.5', '1:30.5', 'a fraction'],
    ['1e3', '1e3', undefined],
    ['.inf', '.inf', 'a fraction'],
    ['2026-01-01', '2026-01-01', 'a date'],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'a date'],
    ['2026-1-1', '2026-1-1', undefined],
    ['=', '=', 'no value at all'],
    ['0b_', '0b_', 'no number at all'],
  ]

describe('a plain scalar', () => {
  it.each(SCALARS)('%j, in YAML 1.2 %j: in YAML 1.1 %s', (source, value, want) => {
    expect(yaml11Differs(source, value)).toBe(want)
  })

  const python = spawnSync('python3', ['-c', 'import yaml'])

  it.skipIf(python.status !== 0)('is read by PyYAML as we say', () => {
    const program = [
      'import json, sys, yaml',
      'def read(text):',
      '    try: return type(yaml.safe_load(text)).__name__ + " " + str(yaml.safe_load(text))',
      '    except Exception: return "error"',
      'print(json.dumps([read(text) for text in json.load(sys.stdin)]))',
    ].join('\n')
    const input = JSON.stringify(SCALARS.map(([source]) => source))
    const { stdout } = spawnSync('python3', ['-c', program], { input, encoding: 'utf8' })
    const read = JSON.parse(stdout) as readonly string[]
    const differs = SCALARS.map(([, value], index) => {
      const [type = '', ...text] = (read[index] ?? '').split(' ')
      if (type === 'str' || type === 'error') return type === 'error' || typeof value !== 'string'
      return (
        typeof value === 'string' || (typeof value === 'number' && text.join(' ') !== String(value))
      )
    })
    expect(differs).toEqual(SCALARS.map(([, , want]) => want !== undefined))
  })
})
