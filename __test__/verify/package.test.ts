// SPDX-License-Identifier: Apache-2.0
// `ambit/verify` as it is shipped: its names, its size, and that it needs nothing of Node.
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import * as shipped from '../../dist/verify/index.js'
import { KeySet, verifyReceipt } from '../../src/verify/index.js'
import { receipts, vector } from './support/corpus.js'
import { TEST_KEY } from './support/seal.js'

const root = join(import.meta.dirname, '../..')
const dist = join(root, 'dist/verify')
const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.js'))
  .toSorted()

const readText = (name: string) => readFileSync(join(dist, name), 'utf8')

describe('the package', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(shipped).toSorted()).toEqual([
      'KeySet',
      'LogError',
      'NoteKey',
      'VerifyKeyError',
      'leafHash',
      'openCheckpoint',
      'openCheckpointBy',
      'openNote',
      'parseCheckpoint',
      'parseProof',
      'verifyChain',
      'verifyConsistency',
      'verifyCosignatures',
      'verifyDisclosed',
      'verifyInclusion',
      'verifyProof',
      'verifyReceipt',
      'verifySubtreeConsistency',
      'verifySubtreeInclusion',
    ])
  })

  it('is found under its own name', async () => {
    expect(await import('ambit/verify')).toBe(shipped)
  })

  it('stays small', () => {
    const all = files.map((name) => readFileSync(join(dist, name)))
    expect(gzipSync(Buffer.concat(all)).length).toBeLessThan(48 * 1024)
  })

  it('names nothing of Node', () => {
    const code = files.map(readText)
    const names = /\b(?:process|Buffer|require|global|__dirname|setImmediate|node:\w+)\b/u
    const found = code.flatMap(
      (text) => names.exec(text.replaceAll(/\/\/.*|\/\*[^]*?\*\/|must\('require'/gu, '')) ?? [],
    )
    expect(found).toEqual([])
    expect(files).toContain('index.js')
  })

  it('gives the same verdicts in a realm without anything of Node', async () => {
    const samples = receipts().slice(0, 120)
    const documents = samples.map(({ bytes }) => Buffer.from(bytes).toString('utf8'))
    const script = join(import.meta.dirname, 'support/bare-realm.js')
    const input = JSON.stringify({ keys: [TEST_KEY.hex], documents })
    const args = ['--experimental-vm-modules', '--no-warnings', script]
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      input,
      encoding: 'utf8',
    })
    expect([stderr, status]).toEqual(['', 0])
    const { verdicts, modules } = JSON.parse(stdout) as { verdicts: unknown[]; modules: string[] }
    const keys = await new KeySet().add(TEST_KEY.hex)
    const want = await Promise.all(documents.map(async (text) => verifyReceipt(text, keys)))
    expect(verdicts).toEqual(want)
    expect(want.some(({ status: found }) => found === 'valid')).toBe(true)
    // a file of types alone is loaded by nobody
    const code = files.filter((name) => /^(?:import|export (?!\{\};))/mu.test(readText(name)))
    expect(modules.map((path) => relative(dist, path)).toSorted()).toEqual(code)
  })

  it('verifies as its document says', () => {
    const markdown = readFileSync(join(root, 'docs/verify-in-javascript.md'), 'utf8')
    const [, example = ''] = /^```js\n([^]*?)^```$/mu.exec(markdown) ?? []
    const file = vector('receipts/acta/worked-example-04.json') as {
      readonly receipts: readonly { readonly receipt: unknown }[]
    }
    const receipt = JSON.stringify(JSON.stringify(file.receipts[0]?.receipt))
    const args = ['--input-type=module', '--eval', `const receipt = ${receipt}\n${example}`]
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    expect([stdout, stderr]).toEqual(['valid OK\n', ''])
  })

  it('warns of nothing on standard error', () => {
    const code = `import { KeySet, verifyReceipt } from 'ambit/verify'
      const keys = await new KeySet().add('${TEST_KEY.hex}')
      console.log((await verifyReceipt('{}', keys)).code)`
    const args = ['--input-type=module', '--eval', code]
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    expect([stdout, stderr]).toEqual(['UNKNOWN_FORMAT\n', ''])
  })
})
