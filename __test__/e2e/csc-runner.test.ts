// SPDX-License-Identifier: Apache-2.0
// Receipts of ours before csc-runner's own verifier, and its receipts before ours.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describePublicKey, verifyReceipt } from '../../dist/index.js'
import { csc, installCscRunner, python } from './support/csc-runner.js'
import { commandOf, contractOf, policyOf, writeDocuments } from './support/documents.js'
import { root } from './support/installed.js'
import { PYTHON } from './support/range.js'
import { Stage, publicKeyIn, withoutPrograms, withoutSandbox } from './support/stage.js'

const vectors = join(root, '__test__/vectors/receipts/csc')
const noSandbox = await withoutSandbox()
const noRunner = withoutPrograms(PYTHON) || installCscRunner() !== undefined

let stage: Stage
let home: string

beforeAll(() => {
  stage = new Stage()
  home = stage.home()
})

afterAll(() => stage.dispose())

interface Made {
  readonly name: string
  readonly argv: readonly string[]
  readonly exit: number
  readonly status: string
}

const MADE: readonly Made[] = [
  { name: 'a success', argv: ['echo', 'naïve ☃ 𝄞'], exit: 0, status: 'success' },
  { name: 'a denial', argv: ['rm', '-rf', '/'], exit: 120, status: 'blocked' },
  { name: 'a failure', argv: ['ls', '/no/such/file'], exit: 2, status: 'failed' },
  { name: 'a timeout', argv: ['sleep', '60'], exit: 124, status: 'failed' },
]

/** Runs a command and returns the file of its csc receipt. */
async function receiptOf({ argv, exit }: Made, ...flags: readonly string[]): Promise<string> {
  const folder = stage.folder()
  const contract = contractOf([commandOf({ argv, cwd: folder, timeoutSec: 1 })])
  const files = writeDocuments(folder, contract, policyOf(['echo', 'ls', 'sleep']))
  const receipt = join(folder, 'receipt.json')
  const all = ['run', files.contract, files.policy, '--receipt-out', receipt, ...flags]
  expect(await stage.ambit(all, { home })).toMatchObject({ code: exit })
  return receipt
}

/** Writes our public key the way csc-runner reads it. */
function rawKey(): { path: string; id: string } {
  const { hex, thumbprint } = describePublicKey(publicKeyIn(home))
  const path = join(stage.folder(), 'key.raw')
  writeFileSync(path, Buffer.from(hex, 'hex'))
  return { path, id: thumbprint }
}

const VALID = { code: 0, stdout: 'VALID — receipt signature verified\n' }

describe.skipIf(noSandbox || noRunner)('csc-runner', () => {
  it.each(MADE)('accepts our receipt of $name', async (made) => {
    const receipt = await receiptOf(made)
    expect(JSON.parse(readFileSync(receipt, 'utf8'))).toMatchObject({ status: made.status })
    const { path, id } = rawKey()
    const got = await csc('verify-receipt', receipt, '--public-key', path, '--key-id', id)
    expect(got).toMatchObject(VALID)
  })

  it('accepts our receipt under a key id of our choice', async () => {
    const [made] = MADE
    if (!made) throw new Error('no case')
    const receipt = await receiptOf(made, '--key-id', 'operator-2026')
    const argv = ['verify-receipt', receipt, '--public-key', rawKey().path]
    expect(await csc(...argv, '--key-id', 'operator-2026')).toMatchObject(VALID)
    expect(await csc(...argv, '--key-id', 'operator-2027')).toMatchObject({ code: 1 })
  })

  it('refuses our receipt with a flipped byte', async () => {
    const [made] = MADE
    if (!made) throw new Error('no case')
    const receipt = await receiptOf(made)
    const text = readFileSync(receipt, 'utf8')
    const changed = text.replace('"status": "success"', '"status": "succesr"')
    expect(changed).not.toBe(text)
    writeFileSync(receipt, changed)
    const { path, id } = rawKey()
    const got = await csc('verify-receipt', receipt, '--public-key', path, '--key-id', id)
    expect(got).toMatchObject({ code: 1, stdout: 'INVALID — invalid signature\n' })
  })
})

const SIGN = `import json, sys
from csc_runner.signing import sign_receipt
source, key, target = sys.argv[1:]
receipt = json.load(open(source))
receipt.pop("signature")
signed = sign_receipt(receipt, private_key_bytes=open(key, "rb").read(), key_id="live-1")
json.dump(signed, open(target, "w"))
`

interface Recorded {
  readonly id: string
  readonly signed: boolean
  readonly verify_exit: number
}

const recorded = JSON.parse(readFileSync(join(vectors, 'runs.json'), 'utf8')) as Recorded[]

describe('our verifier', () => {
  const keys = ['vec-key-1', 'vec-key-2'].map((id) => {
    return { path: join(vectors, 'keys', `${id}.pub.raw`), id }
  })

  it.each(recorded)('judges the receipt of csc-runner `$id` as it does', async (run) => {
    const receipt = readFileSync(join(vectors, 'runs', `${run.id}.json`))
    const { status, format, code } = await verifyReceipt(receipt, { keys })
    expect(run.signed).toBe(run.verify_exit === 0)
    const want = run.signed
      ? { status: 'valid', code: 'OK' }
      : { status: 'invalid', code: 'MISSING_SIGNATURE' }
    expect({ status, format, code }).toEqual({ ...want, format: 'csc' })
  })

  it.skipIf(noRunner)('accepts a receipt that csc-runner signs with a key of ours', async () => {
    const target = join(stage.folder(), 'live.json')
    const source = join(vectors, 'runs/success.json')
    const signed = await python(SIGN, source, join(home, 'keys/default.pem'), target)
    expect(signed).toMatchObject({ code: 0, stderr: '' })
    const trusted = [{ path: publicKeyIn(home), id: 'live-1' }]
    const { status, code } = await verifyReceipt(readFileSync(target), { keys: trusted })
    expect({ status, code }).toEqual({ status: 'valid', code: 'OK' })
  })
})
