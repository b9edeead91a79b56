// SPDX-License-Identifier: Apache-2.0
// `ambit verify` before a real ledger: whole, cut, rolled back, gone on otherwise; and
// `verify-receipt`.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Ledger, Signer, generateKey, proveEntry, sha256 } from '../../dist/index.js'
import { oneObject } from '../e2e/support/json.js'
import { copyTree } from '../e2e/support/copy-tree.js'

const BIN = join(import.meta.dirname, '../../bin/ambit.js')
const HASH = `sha256:${sha256('x')}`
const CSC = join(import.meta.dirname, '../vectors/receipts/csc')
let home = ''
let folder = ''
let signer: Signer

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'ambit-verify-'))
  mkdirSync(join(home, 'keys'), { mode: 0o700 })
  generateKey(join(home, 'keys/default.pem'), join(home, 'keys/default.pub.pem'))
  signer = new Signer(join(home, 'keys/default.pem'))
  folder = join(home, 'ledger')
  await refuse(folder, ['a', 'b', 'c'])
  const copy = join(home, 'earlier')
  copyTree(folder, copy)
  await refuse(folder, ['d', 'e'])
  using ledger = new Ledger(folder)
  const { note } = await ledger.checkpoint(signer)
  writeFileSync(join(home, 'checkpoint'), note)
  const { proof } = await proveEntry(ledger, '4')
  writeFileSync(join(home, 'proof'), proof)
})

afterAll(() => rmSync(home, { recursive: true, force: true }))

/** Appends decisions that let nothing start, and makes no checkpoint that was not asked for. */
async function refuse(path: string, names: readonly string[]): Promise<void> {
  using ledger = new Ledger(path)
  for (const name of names) {
    const payload = {
      type: 'ambit:decision',
      issued_at: '2026-11-20T12:00:00.000Z',
      run_id: name,
      mode: 'hardened',
      decision: 'deny',
      reason_codes: ['COMMAND_NOT_ALLOWED'],
      contract_id: 'c',
      contract_hash: HASH,
      policy_name: 'p',
      policy_hash: HASH,
      classified_effects: [],
    }
    const entry = {
      phase: 'refusal',
      runId: name,
      createdAtMs: 1,
      payload: JSON.stringify(payload),
    }
    await ledger.append(signer, entry as Parameters<Ledger['append']>[1])
  }
}

function ambit(...argv: string[]) {
  const env = { ...process.env, AMBIT_HOME: home, NO_COLOR: '1' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...argv], {
    encoding: 'utf8',
    env,
  })
  return { status, stdout, stderr }
}

interface Answer {
  readonly results: readonly { readonly path: string; readonly exit: number }[]
  readonly set: { readonly code: string; readonly completeness: object }
}

function judged(...argv: string[]) {
  const { status, stdout } = ambit('verify', '--json', ...argv)
  const { results, set } = oneObject(stdout) as unknown as Answer
  return { status, count: results.length, code: set.code, completeness: set.completeness }
}

describe('verify', () => {
  it.each([
    { paths: 1, want: 0 },
    { paths: 2, want: 1 },
  ])('of the same ledger $paths times ends with $want when nobody reads', ({ paths, want }) => {
    const quoted = [process.execPath, BIN, 'verify', '--json', ...Array<string>(paths).fill(folder)]
    const script = '("$@"; echo $? >&2) | true'
    const env = { ...process.env, AMBIT_HOME: home }
    const { stderr } = spawnSync('sh', ['-c', script, 'sh', ...quoted], { encoding: 'utf8', env })
    expect(stderr).toBe(`${want}\n`)
  })

  it('finds a ledger whole, up to the checkpoint that was kept elsewhere', () => {
    expect(judged(folder, '--checkpoint', join(home, 'checkpoint'))).toMatchObject({
      status: 0,
      count: 5,
      code: 'OK',
      completeness: { kind: 'complete_to_checkpoint', size: 5, beyond: 0, witnesses: [] },
    })
    const { status, stderr } = ambit('verify', folder)
    expect(status).toBe(0)
    expect(stderr).toContain('integrity only: its own checkpoint of 5 is met')
    expect(judged(folder).completeness).toMatchObject({
      kind: 'integrity_only',
      beside: { size: 5 },
    })
  })

  it('names a missing tail and another history by the checkpoint alone', async () => {
    const earlier = join(home, 'earlier')
    expect(judged(earlier)).toMatchObject({ status: 0, code: 'OK' })
    const { stderr } = ambit('verify', earlier)
    expect(stderr).toContain('integrity only: give a checkpoint to detect a missing tail')
    const kept = ['--checkpoint', join(home, 'checkpoint')]
    expect(judged(earlier, ...kept)).toMatchObject({
      status: 6,
      code: 'CHAIN_TRUNCATED',
      completeness: { kind: 'not_complete' },
    })
    const other = join(home, 'other')
    copyTree(earlier, other)
    await refuse(other, ['x', 'y', 'z'])
    expect(judged(other)).toMatchObject({ status: 0, code: 'OK' })
    expect(judged(other, ...kept)).toMatchObject({ status: 6, code: 'LOG_FORKED' })
  })

  it('shows by a proof that one receipt is in the log', () => {
    const exported = join(home, 'out')
    execFileSync(process.execPath, [BIN, 'ledger', 'export', exported, '--form', 'files'], {
      env: { ...process.env, AMBIT_HOME: home },
      stdio: 'ignore',
    })
    const receipt = join(exported, '000004.json')
    expect(judged(receipt, '--checkpoint', join(home, 'proof'))).toMatchObject({
      status: 0,
      completeness: { kind: 'included', seq: 4, size: 5 },
    })
    const wrong = join(exported, '000003.json')
    expect(judged(wrong, '--checkpoint', join(home, 'proof'))).toMatchObject({
      status: 1,
      code: 'PROOF_INVALID',
    })
    expect(judged(exported)).toMatchObject({ status: 0, count: 5, code: 'OK' })
    rmSync(receipt)
    expect(judged(exported)).toMatchObject({ status: 6, count: 4, code: 'CHAIN_GAP' })
  })

  it('ends with its code when nobody reads its answer any more', () => {
    const [receipt = ''] = readFileSync(join(CSC, 'runs/success.json'), 'utf8').split('\n\n')
    const line = JSON.stringify(JSON.parse(receipt))
    const many = join(home, 'many.jsonl')
    writeFileSync(many, `${line}\n`.repeat(2000))
    const command = '"$0" "$1" verify "$2" --json | head -c 10; echo "${PIPESTATUS[0]}"'
    const argv = ['-c', command, process.execPath, BIN, many]
    const env = { ...process.env, AMBIT_HOME: home }
    const { stdout } = spawnSync('bash', argv, { encoding: 'utf8', env, timeout: 30_000 })
    expect(stdout).toBe('{"version"1\n')
  }, 40_000)

  it('says nothing when it is told to be quiet, and refuses a time that is none', () => {
    expect(ambit('verify', folder, '--quiet')).toEqual({ status: 0, stdout: '', stderr: '' })
    for (const at of ['soon', '2026-01-01T00:00:00']) {
      expect([at, ambit('verify', folder, '--at', at).status]).toEqual([at, 64])
    }
    expect(ambit('verify', folder, '--checkpoint', join(home, 'none')).status).toBe(7)
  })
})

describe('verify-receipt', () => {
  it.each([
    ['runs/success.json', 'vec-key-1', 0, /^VALID — receipt signature verified\n$/u],
    ['runs/success.json', 'vec-key-2', 1, /^INVALID — .*\n$/u],
  ])('judges %s for %s', (file, id, status, words) => {
    const key = join(CSC, 'keys', 'vec-key-1.pub.raw')
    const found = ambit('verify-receipt', join(CSC, file), '--public-key', key, '--key-id', id)
    expect(found).toMatchObject({ status, stderr: '' })
    expect(found.stdout).toMatch(words)
  })

  it('takes no receipt of another format, and no file that is missing', () => {
    const key = join(home, 'keys/default.pub.pem')
    const [line = ''] = readFileSync(join(home, 'proof'), 'utf8').split('\n')
    writeFileSync(join(home, 'no-receipt'), line)
    for (const file of ['no-receipt', 'none']) {
      const found = ambit('verify-receipt', join(home, file), '--public-key', key)
      expect(found.status).toBe(1)
    }
  })
})
