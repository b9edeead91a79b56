// SPDX-License-Identifier: Apache-2.0
// The JavaScript verifier and the addon's give one verdict, whatever the document.
import { createPrivateKey, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { TrustedKey, Verdict } from '../../src/index.js'
import { addon, unwrapJson } from '../../src/native.js'
import { KeySet, VerifyKeyError, verifyReceipt } from '../../src/verify/index.js'
import { publicKeys, receipts, vector, walk } from './support/corpus.js'
import { mutate, pick, random, remember } from './support/mutate.js'
import { TEST_KEY, type Wrapped, sealers } from './support/seal.js'

/** The same trust for both. */
interface Trust {
  readonly name: string
  readonly files: readonly TrustedKey[]
  readonly jwks: readonly Uint8Array[]
  readonly set: KeySet
}

let folder = ''
const trusts: Trust[] = []

async function trust(
  name: string,
  keys: readonly { readonly hex: string; readonly id?: string }[],
  jwks: readonly string[] = [],
): Promise<Trust> {
  const set = new KeySet()
  const files: TrustedKey[] = []
  for (const [index, { hex, id }] of keys.entries()) {
    const path = join(folder, `${name}-${index}.hex`)
    writeFileSync(path, hex)
    files.push(id === undefined ? { path } : { path, id })
    await set.add(hex, { id })
  }
  for (const text of jwks) await set.addJwks(text)
  return { name, files, jwks: jwks.map((text) => Buffer.from(text)), set }
}

/** Both verdicts where they differ, and the code. */
interface Judged {
  readonly code: string
  readonly difference: readonly unknown[]
}

async function judge(bytes: Uint8Array, by: Trust, from: string): Promise<Judged> {
  const answer = addon.verifyReceipt(bytes, [...by.files], [...by.jwks])
  const theirs = unwrapJson<Verdict>(answer)
  const ours: Verdict = await verifyReceipt(bytes, by.set)
  // words may differ where hostile text is quoted in them: what is escaped is Rust's choice there
  const plain = !/[^ -~…]|\\u\{/u.test(theirs.detail + ours.detail)
  const same = isDeepStrictEqual(ours, plain ? theirs : { ...theirs, detail: ours.detail })
  const document = Buffer.from(bytes).toString('latin1')
  return {
    code: ours.code,
    difference: same ? [] : [{ from, by: by.name, document, ours, theirs }],
  }
}

/** What comparing many verdicts found. */
class Tally {
  readonly codes = new Map<string, number>()
  readonly differences: unknown[] = []

  async add(bytes: Uint8Array, by: Trust, from: string): Promise<void> {
    const { code, difference } = await judge(bytes, by, from)
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1)
    this.differences.push(...difference)
  }
}

beforeAll(async () => {
  // in Node 20 too by the platform's equation, which is the faster one
  vi.stubGlobal('navigator', {})
  folder = mkdtempSync(join(tmpdir(), 'ambit-verify-'))
  const usable: string[] = []
  for (const hex of publicKeys()) {
    try {
      await new KeySet().add(hex)
      usable.push(hex)
    } catch (error) {
      if (!(error instanceof VerifyKeyError)) throw error
    }
  }
  const any = [...usable.map((hex) => ({ hex })), { hex: TEST_KEY.hex }]
  const bounded = jwksOf({
    valid_from: '2026-03-01T00:00:00Z',
    valid_until: '2026-12-01T00:00:00Z',
  })
  const revoked = jwksOf({ kid: 'k', revoked_at: '2026-06-01T00:00:00+02:00' })
  trusts.push(
    await trust('every key', any),
    await trust('no key', []),
    await trust('one key by its id', [{ hex: TEST_KEY.hex, id: 'k' }]),
    await trust('a key with a window', [], [bounded]),
    await trust(
      'a key whose window is over',
      [],
      [jwksOf({ valid_until: '2026-05-01T00:00:00Z' })],
    ),
    await trust('a key that was revoked', [{ hex: TEST_KEY.hex }], [revoked]),
  )
})
afterAll(() => {
  vi.unstubAllGlobals()
  rmSync(folder, { recursive: true, force: true })
})

function jwksOf(members: Record<string, string>): string {
  return JSON.stringify({ keys: [{ ...TEST_KEY.jwk, ...members }, { kty: 'RSA' }] })
}

describe('of the vectors', () => {
  it('every receipt gets the same verdict', async () => {
    const tally = new Tally()
    const samples = receipts()
    for (const [index, { bytes, from }] of samples.entries()) {
      const others = trusts.slice(1)
      const by = trusts[0]
      if (by !== undefined) await tally.add(bytes, by, from)
      await tally.add(
        bytes,
        pick(() => index, others),
        from,
      )
    }
    expect(tally.differences).toEqual([])
    expect(samples.length).toBeGreaterThan(350)
    // so that the comparison is about something
    expect([...tally.codes.keys()]).toEqual(
      expect.arrayContaining([
        'OK',
        'INVALID_SIGNATURE',
        'UNKNOWN_KEY',
        'NO_KEY',
        'MALFORMED_JSON',
      ]),
    )
  })

  it.each(['acta/key-window.json', 'acta/revocation.json'])('every window of %s', async (file) => {
    const cases: { readonly jwks: string; readonly receipt: string }[] = []
    let shared: unknown
    walk(vector(`receipts/${file}`), (value) => {
      if (typeof value !== 'object' || value === null) return
      if ('jwks' in value) shared = value.jwks
      if ('receipt' in value) {
        cases.push({ jwks: JSON.stringify(shared), receipt: JSON.stringify(value.receipt) })
      }
    })
    const tally = new Tally()
    for (const [index, { jwks, receipt }] of cases.entries()) {
      const by = await trust(`${index}`, [], [jwks])
      await tally.add(Buffer.from(receipt), by, `${file} ${index}`)
    }
    expect(tally.differences).toEqual([])
    expect(tally.codes.size).toBeGreaterThan(1)
  })
})

describe('of mutated documents', () => {
  it('each gets the same verdict', async () => {
    const next = random(20261120)
    const samples = receipts().filter(({ bytes }) => bytes.length < 4096)
    const tally = new Tally()
    for (let count = 0; count < 3000; count += 1) {
      const { bytes, from } = pick(next, samples)
      await tally.add(mutate(bytes, next), pick(next, trusts.slice(0, 3)), `${from}, ${count}`)
    }
    expect(tally.differences).toEqual([])
    expect(tally.codes.size).toBeGreaterThan(9)
  })

  it('each that a trusted key signed gets the same verdict', async () => {
    const next = random(4)
    const key = createPrivateKey(TEST_KEY.pem)
    const wrap: Wrapped = (text) => sign(null, Buffer.from(text), key)
    const tally = new Tally()
    for (let count = 0; count < 2000; count += 1) {
      const { name, sample, seal } = pick(next, sealers)
      let value = sample
      for (let changes = next() % 3; changes > 0; changes -= 1) value = remember(value, next)
      await tally.add(Buffer.from(seal(value, wrap)), pick(next, trusts), `${name}, ${count}`)
    }
    expect(tally.differences).toEqual([])
    const seen = ['OK', 'SCHEMA_INVALID', 'KEY_OUTSIDE_WINDOW', 'KEY_REVOKED'].filter(
      (code) => (tally.codes.get(code) ?? 0) > 20,
    )
    expect(seen).toEqual(['OK', 'SCHEMA_INVALID', 'KEY_OUTSIDE_WINDOW', 'KEY_REVOKED'])
  })
})
