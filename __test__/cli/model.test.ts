// SPDX-License-Identifier: Apache-2.0
// Commands about documents: nothing runs, nothing is signed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { SCHEMA_NAMES } from '../../src/policy/index.js'
import { command, contract, policy } from '../policy/support.js'

const root = join(import.meta.dirname, '../..')

const top = realpathSync(mkdtempSync(join(tmpdir(), 'ambit-model-')))
afterAll(() => rmSync(top, { recursive: true, force: true }))

function file(name: string, content: object | string): string {
  const path = join(top, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

function ambit(...argv: readonly string[]) {
  const env = { PATH: '/usr/bin:/bin', AMBIT_HOME: join(top, 'home') }
  const options = { encoding: 'utf8', env } as const
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'bin/ambit.js'), ...argv],
    options,
  )
  return { status, stdout, stderr }
}

describe('ambit run', () => {
  const denied = contract({
    commands: [command({ exec: { argv: ['git', 'push', 'origin', 'main'] } })],
  })
  const files = [file('run.json', denied), file('run.yaml', policy())] as const

  it('shows under a denial the rule, the nearest change and where the receipt is', () => {
    expect(ambit('keys', 'generate').status).toBe(0)
    const receipt = join(top, 'receipt.json')
    const { status, stdout, stderr } = ambit('run', ...files, '--receipt-out', receipt)
    expect([status, stdout]).toEqual([120, ''])
    expect(stderr.split('\n')).toEqual([
      '✗ denied  git push origin main   ARGV_PREFIX_DENIED',
      "    argv prefix denied: ['git', 'push', 'origin', 'main']",
      expect.stringMatching(/^ {4}.*run\.yaml:1:\d+$/),
      '    → use other arguments, or take the prefix out of deny_argv_prefixes',
      `    receipt  ${receipt}, ledger entry 1`,
      '',
    ])
    expect(JSON.parse(readFileSync(receipt, 'utf8'))).toMatchObject({ status: 'blocked' })
  })
})

describe('ambit doctor --gate', () => {
  it('ends with 1 where a point does not hold, and names each', () => {
    const { status, document, words } = both('doctor', '--gate', '--policy', join(top, 'none'))
    expect([status, document['version'], document['ok']]).toEqual([1, 'ambit.gate.v1', false])
    const points = document['points'] as readonly { name: string; ok: boolean }[]
    const lines = words.stderr.split('\n').slice(0, points.length)
    expect(lines.map((line) => line.split(/\s+/u).slice(0, 2))).toEqual(
      points.map(({ name, ok }) => [ok ? '✓' : '✗', name]),
    )
    expect(points.find(({ name }) => name === 'policies')?.ok).toBe(false)
    expect(ambit('doctor', '--policy', 'x').status).toBe(64)
  })
})

describe('ambit schema', () => {
  it.each([['contract', 'ambit.contract.v1']])('prints the schema %s', (word, name) => {
    const text = readFileSync(join(root, `schemas/${name}.schema.json`), 'utf8')
    expect(ambit('schema', word)).toEqual({ status: 0, stdout: text, stderr: '' })
    const { stdout } = ambit('schema', word, '--json')
    expect(JSON.parse(stdout)).toEqual({
      version: 'ambit.schema.v1',
      name,
      schema: JSON.parse(text) as unknown,
    })
  })

  it('knows the documents whose schemas are in the package, and no other', () => {
    expect(ambit('schema', 'nothing').status).toBe(64)
    expect(SCHEMA_NAMES).toContain('csc.policy.v0.1')
  })
})

/** The code of a call, with and without `--json`, and what the JSON says. */
function both(...argv: readonly string[]) {
  const [words, json] = [ambit(...argv), ambit(...argv, '--json')]
  expect(words.status).toBe(json.status)
  const document = JSON.parse(json.stdout) as Record<string, unknown>
  return { status: json.status, document, words }
}

describe('ambit check', () => {
  const denied = contract({
    commands: [command({ exec: { argv: ['git', 'push', 'origin', 'main'] } })],
  })
  const files = [file('contract.json', denied), file('policy.yaml', policy())] as const

  it('shows the rule and the nearest change under a denial', () => {
    const { status, words, document } = both('check', ...files)
    expect([status, words.stdout]).toEqual([2, ''])
    expect(words.stderr.split('\n')).toEqual([
      '✗ denied  git push origin main   ARGV_PREFIX_DENIED',
      "    argv prefix denied: ['git', 'push', 'origin', 'main']",
      expect.stringMatching(/^ {4}.*policy\.yaml:1:\d+$/),
      '    → use other arguments, or take the prefix out of deny_argv_prefixes',
      '',
    ])
    expect(Object.keys(document)).toEqual(['version', 'decision'])
  })

  it('says more with --explain', () => {
    const { document, words } = both('check', ...files, '--explain')
    expect(document).toMatchObject({
      version: 'ambit.check.v1',
      decision: { decision: 'deny', reason_codes: ['ARGV_PREFIX_DENIED'] },
      explanation: [{ code: 'ARGV_PREFIX_DENIED', subject: 'git push origin main' }],
    })
    expect(words.stderr).toMatch(/\neffects\n {4}cmd_1: observe\nholds until 20/)
  })
})

describe('ambit policy', () => {
  const bad = file('bad.yaml', 'name: x')
  const plain = file('plain.yaml', policy({ allow_commands: ['git'], network: 'deny' }))
  const wide = file('wide.yaml', policy({ allow_commands: ['git', 'env'], network: 'deny' }))
  const pack = join(root, 'policies/deny-all')

  it.each<[number, string, readonly string[]]>([
    [0, 'ambit.policy-lint.v1', ['lint', plain]],
    [2, 'ambit.policy-lint.v1', ['lint', wide]],
    [3, 'ambit.error.v1', ['lint', bad]],
    [3, 'ambit.error.v1', ['lint', '/nonexistent']],
    [0, 'ambit.policy-test.v1', ['test', pack]],
    [3, 'ambit.error.v1', ['test', top]],
    [0, 'ambit.policy-diff.v1', ['diff', wide, plain]],
    [2, 'ambit.policy-diff.v1', ['diff', plain, wide]],
    [0, 'ambit.policy-fmt.v1', ['fmt', join(pack, 'policy.yaml'), '--check']],
    [2, 'ambit.policy-fmt.v1', ['fmt', wide, '--check']],
    [3, 'ambit.error.v1', ['fmt', bad]],
    [1, 'ambit.error.v1', ['fmt', '/nonexistent']],
    [0, 'ambit.policy-explain.v1', ['explain', plain]],
    [3, 'ambit.error.v1', ['explain', bad]],
  ])('ends with %d and prints %s for %j', (status, version, argv) => {
    const answer = ambit('policy', ...argv, '--json')
    const document = JSON.parse(answer.stdout) as Record<string, unknown>
    expect([answer.status, document['version'], answer.stderr]).toEqual([status, version, ''])
  })

  it('fmt writes the file only when it is told to', () => {
    const path = file('fmt.yaml', policy())
    const before = readFileSync(path, 'utf8')
    const { stdout } = ambit('policy', 'fmt', path)
    expect(readFileSync(path, 'utf8')).toBe(before)
    expect(ambit('policy', 'fmt', path, '--write').status).toBe(0)
    expect(readFileSync(path, 'utf8')).toBe(stdout)
    expect(stdout).not.toBe(before)
  })
})

describe('ambit init', () => {
  it('writes what `check` allows, overwrites nothing unforced, and keeps the key always', () => {
    const folder = join(top, 'kept')
    const { status, stderr } = ambit('init', folder)
    expect([status, stderr]).toEqual([0, expect.stringContaining('key')])
    const key = join(top, 'home/keys/default.pem')
    const [contractFile, policyFile] = [join(folder, 'contract.json'), join(folder, 'policy.yaml')]
    const before = readFileSync(key, 'utf8')
    expect(statSync(key).mode & 0o777).toBe(0o600)
    expect(ambit('check', contractFile, policyFile).status).toBe(0)
    writeFileSync(policyFile, 'mine')
    const refused = ambit('init', folder)
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('--force')])
    expect(readFileSync(policyFile, 'utf8')).toBe('mine')
    const forced = ambit('init', folder, '--force', '--json')
    expect(JSON.parse(forced.stdout)).toMatchObject({
      version: 'ambit.init.v1',
      key: { generated: false },
    })
    expect(readFileSync(policyFile, 'utf8')).not.toBe('mine')
    expect(readFileSync(key, 'utf8')).toBe(before)
    expect(readFileSync(policyFile, 'utf8')).toMatch(/^# yaml-language-server: \$schema=/)
  })
})
