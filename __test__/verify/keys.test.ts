// SPDX-License-Identifier: Apache-2.0
// The JavaScript verifier and the addon read the same keys and key sets.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { addon, unwrap } from '../../src/native.js'
import { AmbitError } from '../../src/index.js'
import { KeySet, VerifyKeyError } from '../../src/verify/index.js'
import { TEST_KEY } from './support/seal.js'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ambit-verify-keys-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What reading a key, or a key set, came to: a code, or nothing. */
function theirs(keys: readonly string[], jwks: readonly string[]): string {
  const files = keys.map((key, index) => {
    const path = join(folder, `${index}`)
    writeFileSync(path, key)
    return { path }
  })
  try {
    const sets = jwks.map((text) => Buffer.from(text))
    unwrap(addon.verifyReceipt(Buffer.from('{}'), files, sets))
    return 'OK'
  } catch (error) {
    if (error instanceof AmbitError) return error.code
    throw error
  }
}

async function ours(keys: readonly string[], jwks: readonly string[]): Promise<string> {
  const set = new KeySet()
  try {
    for (const text of jwks) await set.addJwks(text)
    for (const key of keys) await set.add(key)
    return 'OK'
  } catch (error) {
    if (error instanceof VerifyKeyError) return error.code
    throw error
  }
}

const der = Buffer.concat([
  Buffer.from('302a300506032b6570032100', 'hex'),
  Buffer.from(TEST_KEY.hex, 'hex'),
]).toString('base64')
const START = '-----BEGIN PUBLIC KEY-----'
const END = '-----END PUBLIC KEY-----'
const MALFORMED = 'ERR_KEY_MALFORMED'

it.each([
  ['line feeds', [START, der, END].join('\n'), 'OK'],
  ['carriage returns and line feeds', [START, der, END, ''].join('\r\n'), 'OK'],
  ['carriage returns', [START, der, END, ''].join('\r'), 'OK'],
  ['an empty line behind', [START, der, '', END].join('\n'), 'OK'],
  ['two empty lines behind', [START, der, '', '', END].join('\n'), MALFORMED],
  ['an empty line before', [START, '', der, END].join('\n'), MALFORMED],
  ['shorter lines', [START, der.slice(0, 32), der.slice(32), END].join('\n'), MALFORMED],
  ['a space', [START, `${der} `, END].join('\n'), MALFORMED],
  ['one line', START + der + END, MALFORMED],
  ['another end', [START, der, '-----END PRIVATE KEY-----'].join('\n'), MALFORMED],
  ['more behind', [START, der, END, START, der, END].join('\n'), MALFORMED],
])('a PEM with %s is read alike', async (_, pem, want) => {
  expect([await ours([pem], []), theirs([pem], [])]).toEqual([want, want])
})

const deep = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown

it.each<[string, object, string]>([
  ['certificates', { x5c: ['A'.repeat(70_000)] }, 'OK'],
  ['nested members', { more: deep(13) }, 'OK'],
  ['members that are nested too deeply', { more: deep(14) }, MALFORMED],
  ['its private half', { d: TEST_KEY.jwk.x }, MALFORMED],
  ['its private half, of small order', { d: TEST_KEY.jwk.x, x: 'A'.repeat(43) }, MALFORMED],
  ['a point of small order', { x: 'A'.repeat(43) }, 'ERR_KEY_SMALL_ORDER'],
  ['padding', { x: `${TEST_KEY.jwk.x}=` }, MALFORMED],
  ['an empty kid', { kid: '' }, MALFORMED],
])('a key set whose key has %s is read alike', async (_, members, want) => {
  const jwks = JSON.stringify({ keys: [{ ...TEST_KEY.jwk, ...members }] })
  expect([await ours([], [jwks]), theirs([], [jwks])]).toEqual([want, want])
})

it('an option under another name is refused, not overlooked', async () => {
  const options = { revoked_at: '2026-01-01T00:00:00Z' }
  await expect(new KeySet().add(TEST_KEY.hex, options as object)).rejects.toThrow(
    new TypeError('unknown option `revoked_at`; expected id, validFrom, validUntil, revokedAt'),
  )
})
