// SPDX-License-Identifier: Apache-2.0
// Pure functions over documents: canonical text, digests, signed payloads, envelopes, policies.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type KeyDescription,
  Signer,
  canonicalize,
  checkPolicyBundle,
  compiledPolicyDigest,
  exportReceipt,
  generateKey,
  importReceipt,
  policyBundle,
  policyDigest,
  sha256,
  signReceipt,
  verifyReceipt,
} from '../../src/index.js'

const root = join(import.meta.dirname, '../..')
let folder: string
let key: { readonly path: string; readonly description: KeyDescription; readonly signer: Signer }

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ambit-documents-'))
  const path = join(folder, 'key.pub.pem')
  const description = generateKey(join(folder, 'key.pem'), path)
  key = { path, description, signer: new Signer(join(folder, 'key.pem')) }
})

afterAll(() => rmSync(folder, { recursive: true }))

/** Returns what a call throws, in the members that are promised. */
function thrown(call: () => unknown, ...members: readonly string[]): unknown {
  try {
    call()
  } catch (error) {
    const all = Object.entries(Object.getOwnPropertyDescriptors(error))
    return Object.fromEntries(
      all.filter(([name]) => members.includes(name)).map(([name, { value }]) => [name, value]),
    )
  }
  return 'nothing'
}

const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('canonicalize', () => {
  it.each([
    ['{ "b": 1.0, "a": [-0, 1e-7, "\\u00e9\\n"] }', '{"a":[0,1e-7,"é\\n"],"b":1}'],
    ['"😀"', '"😀"'],
    ['{"\\ufb33":1,"\\ud83d\\ude00":2,"é":3}', '{"é":3,"😀":2,"\ufb33":1}'],
  ])('writes %s as RFC 8785 has it, as text and as bytes', (json, want) => {
    expect(canonicalize(json)).toBe(want)
    expect(Buffer.from(canonicalize(bytes(json))).toString()).toBe(want)
  })

  it.each([
    ['{"a":1,\n"a":2}', { reason: 'DUPLICATE_MEMBER', offset: 8, line: 2, column: 1 }],
    ['["é",9007199254740992]', { reason: 'INTEGER_OUT_OF_RANGE', offset: 6, line: 1, column: 6 }],
    ['"\\ud800"', { reason: 'LONE_SURROGATE', offset: 1, line: 1, column: 2 }],
    ['\n"é\ud800"', { reason: 'LONE_SURROGATE', offset: 4, line: 2, column: 3 }],
    ['', { reason: 'UNEXPECTED_END', offset: 0, line: 1, column: 1 }],
    ['['.repeat(65), { reason: 'TOO_DEEP', offset: 64, line: 1, column: 65 }],
  ])('refuses %j and says where', (json, want) => {
    const got = thrown(() => canonicalize(json), 'code', 'reason', 'offset', 'line', 'column')
    expect(got).toEqual({ code: 'ERR_JSON', ...want })
  })

  it('refuses bytes that are not UTF-8', () => {
    const got = thrown(() => canonicalize(new Uint8Array([0x22, 0xff, 0x22])), 'reason', 'offset')
    expect(got).toEqual({ reason: 'INVALID_UTF8', offset: 1 })
  })
})

describe('sha256', () => {
  it.each(['', 'abc', 'é☃😀'])('of %j is that of its UTF-8', (text) => {
    const want = createHash('sha256').update(text).digest('hex')
    expect([sha256(text), sha256(bytes(text))]).toEqual([want, want])
  })

  it('refuses a text that has no UTF-8', () => {
    expect(thrown(() => sha256('a\udc00'), 'reason', 'offset')).toEqual({
      reason: 'LONE_SURROGATE',
      offset: 1,
    })
  })
})

const DECISION = {
  type: 'protectmcp:decision',
  issued_at: '2026-01-01T00:00:00Z',
  tool_name: 'read_file',
  decision: 'allow',
}

describe('verifyReceipt', () => {
  it('does not take a text with half a surrogate pair for the one that was signed', async () => {
    const payload = JSON.stringify({ ...DECISION, reason: '\ufffd' })
    const text = Buffer.from(signReceipt(payload, key.signer)).toString()
    const trust = { keys: [{ path: key.path }] }
    expect(await verifyReceipt(text, trust)).toMatchObject({ code: 'OK', canonical: true })
    const verdict = await verifyReceipt(text.replace('\ufffd', '\ud800'), trust)
    const detail = `INVALID_UTF8: invalid UTF-8 at line 1, column ${text.indexOf('\ufffd') + 1}`
    expect(verdict).toMatchObject({ code: 'MALFORMED_JSON', detail, digest: null })
  })

  it('refuses a key with a member that it does not know, as a bound that is misspelled', async () => {
    const receipt = signReceipt(JSON.stringify(DECISION), key.signer)
    const bound = { path: key.path, revokedAt: '2026-01-01T00:00:00Z' }
    expect(await verifyReceipt(receipt, { keys: [bound] })).toMatchObject({ code: 'KEY_REVOKED' })
    const misspelled = { path: key.path, revoked_at: '2026-01-01T00:00:00Z' }
    await expect(verifyReceipt(receipt, { keys: [misspelled] })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message:
        'a trusted key has no member "revoked_at"; expected path, id, validFrom, validUntil, revokedAt',
    })
  })
})

describe('signReceipt', () => {
  it('signs a payload that then verifies, from text and from bytes alike', async () => {
    const payload = JSON.stringify(DECISION)
    const receipt = signReceipt(payload, key.signer)
    expect(signReceipt(bytes(payload), key.signer)).toEqual(receipt)
    const text = Buffer.from(receipt).toString()
    expect(canonicalize(text)).toBe(text)
    expect(JSON.parse(text)).toMatchObject({
      payload: { ...DECISION, issuer_id: key.description.thumbprint },
      signature: { alg: 'EdDSA', kid: key.description.thumbprint },
    })
    const verdict = await verifyReceipt(receipt, { keys: [{ path: key.path }] })
    expect(verdict).toMatchObject({ status: 'valid', payload_type: 'protectmcp:decision' })
  })

  it('names the key as the draft recommends when asked to', async () => {
    const receipt = signReceipt(JSON.stringify(DECISION), key.signer, { kid: 'sb-issuer' })
    const verdict = await verifyReceipt(receipt, { keys: [{ path: key.path }] })
    expect(verdict.status).toBe('valid')
    expect(verdict.key_id).toMatch(/^sb:issuer:[1-9A-HJ-NP-Za-km-z]{12}$/u)
  })

  it.each<[string, string, string, object?]>([
    ['no JSON', '{', 'ERR_RECEIPT_MALFORMED', { reason: 'UNEXPECTED_END', offset: 1 }],
    ['half a surrogate pair', '{"a":"\ud800"}', 'ERR_JSON', { reason: 'LONE_SURROGATE' }],
    [
      'a decision of another word',
      JSON.stringify({ ...DECISION, decision: 'maybe' }),
      'ERR_RECEIPT_SCHEMA',
      { path: 'decision' },
    ],
    [
      'a member that is missing',
      JSON.stringify({ ...DECISION, tool_name: undefined }),
      'ERR_RECEIPT_SCHEMA',
      { path: 'tool_name' },
    ],
    [
      'another issuer',
      JSON.stringify({ ...DECISION, issuer_id: 'me' }),
      'ERR_RECEIPT_ISSUER_MISMATCH',
    ],
    [
      'a payload of ours with members that it lacks',
      JSON.stringify({ ...DECISION, type: 'ambit:decision' }),
      'ERR_RECEIPT_SCHEMA',
      { path: 'run_id' },
    ],
  ])('refuses %s', (_, payload, code, details = {}) => {
    const got = thrown(() => signReceipt(payload, key.signer), 'code', 'details')
    expect(got).toMatchObject({ code, details })
  })

  it('signs a claim without a sandbox on an explicit choice only, and warns', async () => {
    const payload = JSON.stringify({ ...DECISION, sandbox_backend: 'none' })
    expect(thrown(() => signReceipt(payload, key.signer), 'code')).toEqual({
      code: 'ERR_RECEIPT_UNSANDBOXED',
    })
    const warned = new Promise((resolve) => process.once('warning', resolve))
    const receipt = signReceipt(payload, key.signer, { allowUnsandboxed: true })
    expect(await warned).toMatchObject({ code: 'AMBIT_UNSANDBOXED' })
    expect(await verifyReceipt(receipt, { keys: [{ path: key.path }] })).toMatchObject({
      status: 'valid',
    })
  })
})

describe('exportReceipt and importReceipt', () => {
  it('give back the exact bytes', () => {
    const receipt = signReceipt(JSON.stringify(DECISION), key.signer)
    const keys = [{ path: key.path }]
    const exportedAt = new Date('2026-01-02T03:04:05Z')
    const envelope = exportReceipt({ receipt, keys, signer: key.signer, exportedAt })
    expect(importReceipt({ envelope: bytes(envelope), keys })).toEqual({
      receipt,
      exported_at: '2026-01-02T03:04:05.000Z',
      signers: [key.description.thumbprint],
    })
    const { payloadType, payload } = JSON.parse(envelope) as Record<string, string>
    expect(payloadType).toBe('application/vnd.in-toto+json')
    expect(JSON.parse(Buffer.from(payload ?? '', 'base64').toString())).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'receipt', digest: { sha256: sha256(receipt) } }],
      predicate: { receipt: Buffer.from(receipt).toString() },
    })
  })

  it('refuse what does not verify', () => {
    const receipt = signReceipt(JSON.stringify(DECISION), key.signer)
    const flipped = bytes(Buffer.from(receipt).toString().replace('allow', 'denyx'))
    const keys = [{ path: key.path }]
    const failed = (document: Uint8Array) =>
      thrown(
        () => exportReceipt({ receipt: document, keys, signer: key.signer }),
        'code',
        'details',
      )
    expect(failed(flipped)).toEqual({
      code: 'ERR_RECEIPT_NOT_VALID',
      details: { code: 'INVALID_SIGNATURE' },
    })
    const envelope = exportReceipt({ receipt, keys, signer: key.signer })
    const imported = (text: string, trusted = keys) =>
      thrown(() => importReceipt({ envelope: bytes(text), keys: trusted }), 'code')
    expect(imported('{}')).toEqual({ code: 'ERR_RECEIPT_ENVELOPE' })
    expect(imported(envelope, [])).toEqual({ code: 'ERR_RECEIPT_ENVELOPE_KEY' })
    const { payload = '' } = JSON.parse(envelope) as Record<string, string>
    const other = Buffer.from(payload, 'base64').toString().replace('urn:ambit', 'urn:AMBIT')
    expect(imported(envelope.replace(payload, Buffer.from(other).toString('base64')))).toEqual({
      code: 'ERR_RECEIPT_ENVELOPE_SIGNATURE',
    })
  })
})

describe('policies', () => {
  interface Vectors {
    readonly vectors: readonly {
      readonly engine: string
      readonly files: Readonly<Record<string, string>>
      readonly policy_digest: string
    }[]
  }
  const path = join(root, '__test__/vectors/receipts/acta/policy-digest.json')
  const { vectors } = JSON.parse(readFileSync(path, 'utf8')) as Vectors

  it.each(vectors)('have the digest $policy_digest', ({ engine, files, policy_digest }) => {
    const list = Object.entries(files).map(([name, content]) => ({ name, content }))
    expect(policyDigest(list, engine)).toBe(policy_digest)
    const bundle = policyBundle(list, engine, new Date(0))
    expect(checkPolicyBundle(bytes(bundle))).toBe(policy_digest)
    const changed = bundle.replace(/"content":"/u, '"content":" ')
    expect(thrown(() => checkPolicyBundle(bytes(changed)), 'code')).toEqual({
      code: 'ERR_POLICY_BUNDLE_MISMATCH',
    })
  })

  it('have a digest of their rules that tells their order', () => {
    const digest = compiledPolicyDigest('[{"a":1},{"b":2}]', 'yaml')
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/u)
    expect(compiledPolicyDigest('[{"b":2},{"a":1}]', 'yaml')).not.toBe(digest)
    expect(thrown(() => compiledPolicyDigest('{}', 'yaml'), 'code')).toEqual({
      code: 'ERR_POLICY_BUNDLE_INVALID',
    })
    expect(thrown(() => policyDigest([], 'yaml'), 'code')).toEqual({
      code: 'ERR_POLICY_BUNDLE_INVALID',
    })
  })
})
