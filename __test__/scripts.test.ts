// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { cargoCounts, closingLine, settle, sum, vitestCounts } from '../scripts/lib/counts.js'
import { missing, reaches, versionIn } from '../scripts/lib/needs.js'
import { installed } from '../scripts/setup.js'

const READY: Record<string, string> = {
  npm: '11.19.1',
  rustc: 'rustc 1.89.0 (6b00bc388 2025-06-23)',
  cargo: 'cargo 1.89.0 (873a06493 2025-05-10)',
  cc: 'cc (Debian 12.2.0-14+deb12u1) 12.2.0',
  git: 'git version 2.39.5',
  python3: 'Python 3.11.2',
}
const RUST_HOW =
  'install it with the command shown at https://rustup.rs; ' +
  'on Debian 12 also: apt-get install rustc-web cargo-web'
const NODE_HOW = 'install a newer one from https://nodejs.org/en/download, or: nvm install 24'

function lacks(change: Record<string, string | undefined>, tests = true, node = '20.19.0') {
  const tools: Record<string, string | undefined> = { ...READY, ...change }
  return missing({ tests, ask: (name) => tools[name], node, platform: 'linux-x64' })
}

describe('what the machine lacks', () => {
  it('is nothing on a machine at every floor', () => {
    expect(lacks({})).toEqual([])
  })

  it('is named all at once, each with its command', () => {
    const none = Object.fromEntries(Object.keys(READY).map((name) => [name, undefined]))
    expect(lacks(none, true, '18.20.4')).toEqual([
      `node >= 20.19: found 18.20.4; ${NODE_HOW}`,
      `npm: not found; ${NODE_HOW}`,
      `rustc >= 1.89: not found; ${RUST_HOW}`,
      `cargo >= 1.89: not found; ${RUST_HOW}`,
      'cc: not found; apt-get install build-essential',
      'git: not found; apt-get install git',
      'python3: not found; apt-get install python3',
    ])
  })

  it('counts what only the tests need when there are tests to run', () => {
    expect(lacks({ python3: undefined }, false)).toEqual([])
  })

  it('names a Rust that is too old', () => {
    expect(lacks({ rustc: 'rustc 1.88.0', cargo: 'cargo' })).toEqual([
      'rustc >= 1.89: found 1.88; rustup update stable; on Debian 12 also: apt-get install rustc-web cargo-web',
      'cargo >= 1.89: found no version; rustup update stable; on Debian 12 also: apt-get install rustc-web cargo-web',
    ])
  })

  it('names a platform that is not ours', () => {
    const options = { tests: true, ask: (name: string) => READY[name], node: '24.0.0' }
    expect(missing({ ...options, platform: 'darwin-arm64' })).toEqual([
      'linux-x64: this is darwin-arm64, which Ambit does not run on',
    ])
  })

  it.each<[string, [number, number], boolean]>([
    ['20.18.3', [20, 19], false],
    ['20.19.0', [20, 19], true],
    ['22.0.0', [20, 19], true],
    ['9.99.0', [20, 19], false],
    ['rustc 2.0.0', [1, 88], true],
  ])('compares %s with %j as numbers', (text, floor, want) => {
    expect(reaches(versionIn(text) ?? [0, 0], floor)).toBe(want)
  })
})

describe('what npm has installed', () => {
  const lock = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/b': { version: '2.0.0', integrity: 'sha512-b', optional: true },
    },
  }
  const only = (packages: object) => ({ packages })
  const { 'node_modules/a': a, 'node_modules/b': b } = lock.packages

  it.each<[string, { packages: object } | undefined, boolean]>([
    ['nothing is there', undefined, false],
    ['all is there', only({ 'node_modules/a': a, 'node_modules/b': b }), true],
    ['an optional package is not', only({ 'node_modules/a': a }), true],
    ['a package is not', only({ 'node_modules/b': b }), false],
    ['a version differs', only({ 'node_modules/a': { ...a, version: '1.0.1' } }), false],
    ['the content differs', only({ 'node_modules/a': { ...a, integrity: 'sha512-c' } }), false],
    ['an optional one differs', only({ 'node_modules/a': a, 'node_modules/b': a }), false],
  ])('is judged when %s', (_, found, want) => {
    expect(installed(lock, found)).toBe(want)
  })
})

describe('counts', () => {
  it.each<[string, object | undefined]>([
    [
      'test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s',
      { passed: 12, failed: 0, skipped: 1 },
    ],
    [
      'test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s',
      { passed: 3, failed: 2, skipped: 0 },
    ],
    ['test tests::prints_a_test_result ... ok', undefined],
    ['printed: test result: ok. 1 passed; 0 failed; 0 ignored;', undefined],
    ['running 12 tests', undefined],
  ])('reads cargo: %s', (line, want) => {
    expect(cargoCounts(line)).toEqual(want)
  })

  it('counts a file that cannot be loaded as one failure', () => {
    const failed = { status: 'failed', assertionResults: [{ status: 'failed' }] }
    const unloaded = { status: 'failed', assertionResults: [] }
    const passed = { status: 'passed', assertionResults: [{ status: 'passed' }] }
    const report = {
      numPassedTests: 1,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 3,
      testResults: [failed, unloaded, passed],
    }
    expect(vitestCounts(report)).toEqual({ passed: 1, failed: 2, skipped: 5 })
  })

  it.each<[string, [number, number, number], number, [number, number, number]]>([
    ['all passed', [3, 0, 0], 0, [3, 0, 0]],
    ['some failed', [3, 2, 0], 101, [3, 2, 0]],
    ['nothing ran', [0, 0, 0], 0, [0, 1, 0]],
    ['all was skipped', [0, 0, 4], 0, [0, 1, 4]],
    ['it did not compile', [0, 0, 0], 101, [0, 1, 0]],
    ['it crashed after some', [3, 0, 1], 139, [3, 1, 1]],
  ])('settles a suite when %s', (_, [passed, failed, skipped], code, want) => {
    const settled = settle({ passed, failed, skipped }, code)
    expect([settled.passed, settled.failed, settled.skipped]).toEqual(want)
  })

  it('closes with one line, naming what was skipped', () => {
    const counts = { passed: 2, failed: 1, skipped: 0 }
    expect(closingLine(counts)).toBe('2 passed, 1 failed')
    expect(closingLine(sum([counts, { passed: 5, failed: 0, skipped: 3 }]))).toBe(
      '7 passed, 1 failed, 3 skipped',
    )
    expect(closingLine(sum([]))).toBe('0 passed, 0 failed')
  })
})
