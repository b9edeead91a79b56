// SPDX-License-Identifier: Apache-2.0
// Sets through the API: the source's kinds, bindings, what can be stopped. What a chain may be is
// tested in crates/receipt.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type SetOptions,
  type SetResult,
  Signer,
  generateKey,
  policyDigest,
  sha256,
  signReceipt,
  verify,
  verifyAll,
  verifyReceipt,
} from '../../dist/index.js'

const HASH = `sha256:${sha256('x')}`
let folder = ''
let receipts: string[] = []
let trust: SetOptions = {}

function chain(signer: Signer, count: number): string[] {
  const made: string[] = []
  for (let seq = 1; seq <= count; seq += 1) {
    const last = made.at(-1)
    const payload = {
      type: 'example:decision',
      issued_at: `2026-01-01T00:00:0${seq}Z`,
      policy_digest: HASH,
      seq,
      ...(last === undefined ? {} : { previousReceiptHash: `sha256:${sha256(last)}` }),
    }
    made.push(Buffer.from(signReceipt(JSON.stringify(payload), signer)).toString())
  }
  return made
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ambit-set-'))
  const path = join(folder, 'key.pub.pem')
  generateKey(join(folder, 'key.pem'), path)
  receipts = chain(new Signer(join(folder, 'key.pem')), 5)
  trust = { keys: [{ path }] }
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function judged({ receipts: results, set }: SetResult): (number | string)[] {
  return [
    set.code,
    set.exit_code,
    ...results.map(({ verdict, error }) => verdict?.code ?? error?.code ?? ''),
  ]
}

describe('verify', () => {
  it('judges a folder, its files, lines and an array alike', async () => {
    const of = join(folder, 'receipts')
    mkdirSync(of)
    const paths = receipts.map((receipt, at) => {
      const path = join(of, `${at}.json`)
      writeFileSync(path, receipt)
      return path
    })
    const lines = join(folder, 'receipts.jsonl')
    writeFileSync(lines, receipts.join('\n'))
    const want = ['OK', 0, 'OK', 'OK', 'OK', 'OK', 'OK']
    for (const source of [of, paths, lines, Buffer.from(`[${receipts.join(',')}]`)]) {
      expect(judged(await verify(source, trust))).toEqual(want)
    }
    const gap = Buffer.from(`[${receipts.slice(1).join(',')}]`)
    expect(judged(await verify(gap, trust)).slice(0, 2)).toEqual(['CHAIN_GAP', 6])
  })

  it('says where a chain breaks', async () => {
    const source = Buffer.from([receipts[0], receipts[1], receipts[3]].join('\n'))
    const { set } = await verify(source, trust)
    expect(set.findings.map(({ code, number }) => [code, number])).toEqual([['CHAIN_BROKEN', 3]])
    expect(set.status).toBe('invalid')
    expect(set.completeness).toEqual({ kind: 'integrity_only' })
  })

  it('binds receipts to a policy by its digest or its file', async () => {
    const source = Buffer.from(receipts.join('\n'))
    const judge = async (options: SetOptions) => {
      const { set } = await verify(source, { ...trust, ...options })
      return set.code
    }
    expect(await judge({ policyDigests: [HASH] })).toBe('OK')
    expect(await judge({ policyDigests: [sha256('y')] })).toBe('POLICY_MISMATCH')
    expect(await judge({ contractDigests: [HASH] })).toBe('CONTRACT_NOT_CHECKED')
    const path = join(folder, 'policy.cedar')
    writeFileSync(path, 'permit (principal, action, resource);')
    expect(await judge({ policy: path })).toBe('POLICY_MISMATCH')
    const content = Buffer.from('permit (principal, action, resource);')
    const digest = policyDigest([{ name: 'policy.cedar', content }], 'cedar')
    const signer = new Signer(join(folder, 'key.pem'))
    const payload = { type: 'example:decision', issued_at: '2026-01-01T00:00:00Z' }
    const bound = signReceipt(JSON.stringify({ ...payload, policy_digest: digest }), signer)
    const { set } = await verify(bound, { ...trust, policy: path })
    expect(set.code).toBe('OK')
  })

  it('refuses options that it cannot use', async () => {
    for (const options of [
      { policyDigests: ['x'] },
      { witnesses: ['x'] },
      { at: new Date(Number.NaN) },
      { commitments: [{ count: -1, time: new Date() }] },
    ]) {
      await expect(verify(Buffer.from('{}'), options)).rejects.toMatchObject({
        code: 'ERR_CONFIG_INVALID',
      })
    }
    const missing = { keys: [{ path: join(folder, 'none') }] }
    await expect(verify(Buffer.from('{}'), missing)).rejects.toMatchObject({
      code: 'ERR_KEY_FILE_UNREADABLE',
    })
  })

  it('holds a chain against what others saw of it', async () => {
    const source = Buffer.from(receipts.join('\n'))
    const seen = async (count: number, time: string) => {
      const commitments = [{ count, time: new Date(time) }]
      return (await verify(source, { ...trust, commitments })).set.code
    }
    expect(await seen(2, '2026-01-01T00:00:02Z')).toBe('OK')
    expect(await seen(2, '2026-01-01T00:00:04Z')).toBe('ISSUED_BEFORE_COMMITMENT')
    expect(await seen(5, '2026-01-01T00:00:04Z')).toBe('ISSUED_AFTER_COMMITMENT')
    expect(await seen(6, '2026-01-02T00:00:00Z')).toBe('CHAIN_TRUNCATED')
  })
})

describe('verify with witnesses', () => {
  it('misses them where there is no checkpoint that they could have signed', async () => {
    const set = async (options: SetOptions) =>
      (await verify(Buffer.from(receipts.join('\n')), { ...trust, ...options })).set
    expect(await set({})).toMatchObject({ code: 'OK' })
    expect(await set({ quorum: 1 })).toMatchObject({ code: 'WITNESSES_MISSING', exit_code: 6 })
  })
})

describe('verifyAll', () => {
  it('hands out thousands in order, and ends with the set', async () => {
    const source = Buffer.from(Array.from({ length: 600 }, () => receipts.join('\n')).join('\n'))
    const numbers: (number | null)[] = []
    const results = verifyAll(source, trust)
    let next = await results.next()
    for (; next.done !== true; next = await results.next()) numbers.push(next.value.number)
    expect(numbers).toEqual(Array.from({ length: 3000 }, (_, at) => at + 1))
    expect(next.value.code).toBe('CHAIN_DUPLICATE')
    expect(next.value.findings).toHaveLength(1000)
    expect(next.value.findings_total).toBe(2995)
  })

  it('stops when it is left, and when it is told to', async () => {
    const source = Buffer.from(Array.from({ length: 4000 }, () => receipts.join('\n')).join('\n'))
    for await (const { number } of verifyAll(source, trust)) {
      if (number === 3) break
    }
    const controller = new AbortController()
    const reason = new Error('enough')
    const reading = async () => {
      for await (const { number } of verifyAll(source, { ...trust, signal: controller.signal })) {
        if (number === 3) controller.abort(reason)
      }
    }
    await expect(reading()).rejects.toBe(reason)
    const before = { ...trust, signal: AbortSignal.abort(reason) }
    await expect(verify(source, before)).rejects.toBe(reason)
  })
})

describe('verifyReceipt', () => {
  it('takes text and bytes of one receipt', async () => {
    const [text = ''] = receipts
    expect(await verifyReceipt(text, trust)).toMatchObject({ status: 'valid', canonical: true })
    expect(await verifyReceipt(Buffer.from(`${text}\n`), trust)).toMatchObject({
      status: 'valid',
      canonical: false,
    })
    expect(await verifyReceipt(text, {})).toMatchObject({ status: 'undecidable', code: 'NO_KEY' })
  })
})
