// SPDX-License-Identifier: Apache-2.0
// `ambit.contract.v1`: what it adds to a command, each field by itself and against the others.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseHostPort } from '../../src/contract/hosts.js'
import { parseContract, printContract, unsupportedFields } from '../../src/contract/index.js'
import { ContractError } from '../../src/errors.js'
import { command, contract, contractOf } from '../policy/support.js'

const ambit = (changes: object = {}) =>
  contract({ version: 'ambit.contract.v1', commands: [command(changes)] })

function faultsOf(document: unknown): readonly string[] {
  try {
    contractOf(document)
    return []
  } catch (error) {
    if (!(error instanceof ContractError)) throw error
    return error.issues.map(({ code, path }) => `${code} ${path}`)
  }
}

/** Every field. */
const FIELDS: Readonly<Record<string, unknown>> = {
  network_hosts: ['registry.npm.test:443', '[::1]:8080'],
  deny_paths: ['/workspace/.env*'],
  stdin: { text: 'hello' },
  secrets: [
    { name: 'deploy', env: 'DEPLOY_TOKEN' },
    { name: 'cert', file: '/run/secrets/cert.pem' },
  ],
  on_missing_path: 'create',
  allow_exec_from_memory: true,
  write_mode: 'overlay',
  profile: 'compat',
  proc: 'full',
  pty: true,
  limits: { cpu_sec: 10, memory_bytes: 1_048_576, max_output_bytes: 0 },
  artifacts: ['/workspace/out/**/*.js'],
}

const needed = (name: string): object =>
  name === 'network_hosts'
    ? { network: 'allowlisted', [name]: FIELDS[name] }
    : { [name]: FIELDS[name] }

describe('ambit.contract.v1', () => {
  it.each(Object.keys(FIELDS))('takes %s, keeps it and puts it into the digest', (name) => {
    const read = contractOf(ambit(needed(name)))
    expect(read.commands[0]).toMatchObject(needed(name))
    expect(read.hash).not.toBe(
      contractOf(ambit(name === 'network_hosts' ? { network: 'allowlisted' } : {})).hash,
    )
    expect(parseContract(Buffer.from(printContract(read)), 'c').hash).toBe(read.hash)
  })

  it.each(Object.keys(FIELDS))(
    'is the only version with %s: csc.v0.1 has no such field',
    (name) => {
      const document = contract({ commands: [command(needed(name))] })
      expect(faultsOf(document)).toEqual([`UNKNOWN_FIELD commands[0].${name}`])
    },
  )

  it('is csc.v0.1 but for its name while the new fields are left out', () => {
    const { hash: one, version: _, ...csc } = contractOf(contract())
    const { hash: two, version: __, ...ours } = contractOf(ambit())
    expect(ours).toEqual(csc)
    expect(one).not.toBe(two)
  })

  it.each([['csc.v0.2'], [1], [null]])('refuses version %j and says which are known', (version) => {
    expect(faultsOf(contract({ version }))).toEqual(['NOT_ALLOWED_VALUE version'])
    expect(() => contractOf(contract({ version }))).toThrow('`csc.v0.1`, `ambit.contract.v1`')
  })

  it.each<[string, object, string]>([
    ['hosts without allowlist', { network_hosts: ['a.test:1'] }, 'NEEDS_ALLOWLISTED network_hosts'],
    [
      'a host without port',
      { network: 'allowlisted', network_hosts: ['a.test'] },
      'NOT_HOST_AND_PORT network_hosts[0]',
    ],
    [
      'a wildcard host',
      { network: 'allowlisted', network_hosts: ['*.a.test:1'] },
      'NOT_HOST_AND_PORT network_hosts[0]',
    ],
    [
      'a host twice',
      { network: 'allowlisted', network_hosts: ['a.test:1', 'a.test:1'] },
      'DUPLICATE_ITEM network_hosts[1]',
    ],
    ['a relative hole', { deny_paths: ['.git'] }, 'NOT_ABSOLUTE_PATH deny_paths[0]'],
    ['stdin from nowhere', { stdin: {} }, 'TEXT_XOR_FILE stdin'],
    ['stdin from two places', { stdin: { text: '', file: '/workspace/a' } }, 'TEXT_XOR_FILE stdin'],
    ['stdin as plain text', { stdin: 'hello' }, 'WRONG_TYPE stdin'],
    [
      'stdin from a file out of scope',
      { stdin: { file: '/etc/passwd' } },
      'OUT_OF_SCOPE stdin.file',
    ],
    [
      'stdin that climbs',
      { stdin: { file: '/workspace/../etc/passwd' } },
      'OUT_OF_SCOPE stdin.file',
    ],
    [
      'stdin from a hole',
      { stdin: { file: '/workspace/.git/config' }, deny_paths: ['/workspace/.git/'] },
      'OUT_OF_SCOPE stdin.file',
    ],
    [
      'stdin from a hole in another spelling',
      { stdin: { file: '/workspace//.git/config' }, deny_paths: ['/workspace/./.git'] },
      'OUT_OF_SCOPE stdin.file',
    ],
    ['U+0000 on stdin', { stdin: { text: 'a\0b' } }, 'NUL_CHARACTER stdin.text'],
    ['a secret for nothing', { secrets: [{ name: 'a' }] }, 'ENV_XOR_FILE secrets[0]'],
    ['a secret without a name', { secrets: [{ env: 'A' }] }, 'MISSING_FIELD secrets[0].name'],
    [
      'a secret in no variable',
      { secrets: [{ name: 'a', env: 'A=B' }] },
      'NOT_A_VARIABLE secrets[0].env',
    ],
    [
      'a secret as PATH',
      { secrets: [{ name: 'a', env: 'PATH' }] },
      'DUPLICATE_VARIABLE secrets[0].env',
    ],
    [
      'a secret twice',
      {
        secrets: [
          { name: 'a', env: 'A' },
          { name: 'a', env: 'B' },
        ],
      },
      'DUPLICATE_ITEM secrets[1]',
    ],
    [
      'two secrets in one variable',
      {
        secrets: [
          { name: 'a', env: 'A' },
          { name: 'b', env: 'A' },
        ],
      },
      'DUPLICATE_VARIABLE secrets[1].env',
    ],
    [
      'a secret over a variable of the caller',
      { env_allow: ['A'], secrets: [{ name: 'a', env: 'A' }] },
      'DUPLICATE_VARIABLE secrets[0].env',
    ],
    [
      'an unknown word for missing paths',
      { on_missing_path: 'make' },
      'NOT_ALLOWED_VALUE on_missing_path',
    ],
    ['a word where true is meant', { pty: 'true' }, 'WRONG_TYPE pty'],
    [
      'a number where true is meant',
      { allow_exec_from_memory: 1 },
      'WRONG_TYPE allow_exec_from_memory',
    ],
    ['a limit of zero', { limits: { cpu_sec: 0 } }, 'OUT_OF_RANGE limits.cpu_sec'],
    ['a limit with a fraction', { limits: { cpu_sec: 1.5 } }, 'WRONG_TYPE limits.cpu_sec'],
    ['an unknown limit', { limits: { gpu: 1 } }, 'UNKNOWN_FIELD limits.gpu'],
    ['artifacts out of scope', { artifacts: ['/etc/**'] }, 'OUT_OF_SCOPE artifacts[0]'],
    ['null for nothing', { stdin: null }, 'WRONG_TYPE stdin'],
  ])('refuses %s', (_, changes, want) => {
    expect(faultsOf(ambit(changes))).toEqual([want.replace(' ', ' commands[0].')])
  })

  it('takes stdin and artifacts from every tree that the command may read', () => {
    const trees = { read_paths: ['/data/in/*.csv'], write_paths: ['/data/out'] }
    const asked = {
      ...trees,
      stdin: { file: '/data/in/a.csv' },
      artifacts: ['/data/out/*', '/workspace/x'],
    }
    expect(faultsOf(ambit(asked))).toEqual([])
  })
})

describe('what is not enforced yet', () => {
  const asks = (changes: object) => {
    const [only] = contractOf(ambit(changes)).commands
    return only && unsupportedFields(only)
  }

  const enforced = new Set([
    'pty',
    'secrets',
    'stdin',
    'allow_exec_from_memory',
    'deny_paths',
    'on_missing_path',
    'profile',
    'proc',
    'limits',
  ])

  it.each(Object.keys(FIELDS).filter((name) => !enforced.has(name)))('%s is named', (name) => {
    expect(new Set(asks(needed(name)))).toEqual(new Set([name]))
  })

  it('is nothing for csc contracts, nor for values that ask for nothing', () => {
    const [csc] = contractOf(contract()).commands
    expect(csc && unsupportedFields(csc)).toEqual([])
    const values = { deny_paths: [], secrets: [], artifacts: [], stdin: { text: '' }, limits: {} }
    const strictest = { profile: 'strict', proc: 'masked', pty: false, write_mode: 'direct' }
    const more = { on_missing_path: 'error', allow_exec_from_memory: false }
    expect(asks({ ...values, ...strictest, ...more })).toEqual([])
    const files = { max_file_size_bytes: 0, max_open_files: 8, max_output_bytes: 0 }
    const limits = { cpu_sec: 1, max_processes: 1, memory_bytes: 1_048_576, ...files }
    expect(asks({ stdin: { text: 'x' }, deny_paths: ['/workspace/.git'], limits })).toEqual([])
    const written = { artifacts: ['/workspace/out/**/*.js'], write_paths: ['/workspace/out'] }
    expect(asks(written)).toEqual([])
    const wide = { profile: 'compat', proc: 'full', allow_exec_from_memory: true }
    expect(asks({ deny_paths: ['/workspace/**/*.key'], on_missing_path: 'create' })).toEqual([])
    expect(asks(wide)).toEqual([])
  })
})

describe('host:port', () => {
  it.each([
    ['a.test:443', { host: 'a.test', port: 443, below: false }],
    ['*.a.test:443', { host: 'a.test', port: 443, below: true }],
    ['xn--bcher-kva.test:65535', { host: 'xn--bcher-kva.test', port: 65_535, below: false }],
    ['127.0.0.1:1', { host: '127.0.0.1', port: 1, below: false }],
    ['[::1]:80', { host: '[::1]', port: 80, below: false }],
    ['dead.beef:80', { host: 'dead.beef', port: 80, below: false }],
    ['*.beef:80', { host: 'beef', port: 80, below: true }],
  ])('reads %s', (text, want) => expect(parseHostPort(text)).toEqual(want))

  it.each([
    'a.test',
    'a.test:',
    ':443',
    'a.test:0',
    'a.test:00443',
    'a.test:65536',
    'a.test:443/',
    'A.test:443',
    'a.test.:443',
    'a..test:443',
    '-a.test:443',
    'u@a.test:443',
    'http://a.test:443',
    '127.1:80',
    '0x7f.0.0.1:80',
    '2130706433:80',
    '0177.0.0.1:80',
    '256.0.0.1:80',
    '[0:0:0:0:0:0:0:1]:80',
    '[::1:80',
    '::1:80',
    '*:443',
    '*.*.test:443',
    '*.127.0.0.1:80',
    '*.[::1]:80',
    'bücher.test:443',
    'a.test:443\n',
    'a b:1',
    '',
    `${'a'.repeat(300)}:1`,
  ])('refuses %j', (text) => expect(parseHostPort(text)).toBeUndefined())

  it('never throws, and reads back what it read', () => {
    const texts = fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6())
    const read = (text: string): boolean => {
      const found = parseHostPort(`${text}:1`)
      return found === undefined || `${found.below ? '*.' : ''}${found.host}` === text
    }
    expect(fc.check(fc.property(texts, read)).failed).toBe(false)
  })
})
