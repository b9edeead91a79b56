// SPDX-License-Identifier: Apache-2.0
// The ledger as an object: what JavaScript adds to the store.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  Ledger,
  type LedgerEntry,
  type LedgerFilter,
  type QueryOptions,
  Signer,
  type Submission,
  generateKey,
  verifyReceipt,
} from '../../dist/index.js'

let top: string
let signer: Signer
let folders = 0

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'ambit-ledger-'))
  generateKey(join(top, 'key.pem'), join(top, 'key.pub.pem'))
  signer = new Signer(join(top, 'key.pem'))
})

afterAll(() => rmSync(top, { recursive: true }))

const newFolder = (): string => join(top, `ledger-${(folders += 1)}`)
const HASH = `sha256:${'a'.repeat(64)}`

/** A refusal that a policy with this decision and code would leave. */
function refusal(runId: string, decision = 'deny', changes: object = {}): Submission {
  const payload = {
    type: 'ambit:decision',
    issued_at: '2026-11-20T12:00:00.000Z',
    issuer_id: signer.publicKey.thumbprint,
    run_id: runId,
    contract_hash: HASH,
    policy_hash: HASH,
    mode: 'hardened',
    decision,
    reason_codes: ['COMMAND_NOT_ALLOWED'],
    contract_id: 'contract-0001',
    policy_name: 'p',
    classified_effects: [],
    ...changes,
  }
  return { phase: 'refusal', runId, createdAtMs: 1000, payload: JSON.stringify(payload) }
}

async function read(ledger: Ledger, filter?: LedgerFilter, options?: QueryOptions) {
  const entries: LedgerEntry[] = []
  for await (const entry of ledger.query(filter, options)) entries.push(entry)
  return entries
}

const seqs = (entries: readonly LedgerEntry[]) => entries.map(({ seq }) => Number(seq))

describe('appends', () => {
  it('that come together are dense, each with its own result, and verify', async () => {
    using ledger = new Ledger(newFolder())
    const bad = { ...refusal('bad'), payload: '{"type":"ambit:decision"}' }
    const malformed = { ...refusal('bad'), payload: '[' }
    const unknown = { ...refusal('never opened'), phase: 'outcome' as const }
    const all = [refusal('a'), bad, refusal('b'), malformed, unknown, refusal('c')]
    const results = await Promise.allSettled(
      all.map(async (submission) => await ledger.append(signer, submission)),
    )
    const said = results.map((result) =>
      result.status === 'fulfilled' ? result.value.seq : (result.reason as { code: string }).code,
    )
    const schema = 'ERR_RECEIPT_SCHEMA'
    expect(said).toEqual(['1', schema, '2', schema, 'ERR_LEDGER_RUN_ID', '3'])
    const entries = await read(ledger)
    expect(seqs(entries)).toEqual([1, 2, 3])
    for (const { document } of entries) {
      const keys = [{ path: join(top, 'key.pub.pem') }]
      const verdict = await verifyReceipt(document, { keys })
      expect(verdict).toMatchObject({ status: 'valid' })
    }
  })

  it('of many submitters keep each submitter’s order', async () => {
    using ledger = new Ledger(newFolder())
    const submitters = Array.from({ length: 16 }, async (_, submitter) => {
      const mine: number[] = []
      for (let turn = 0; turn < 10; turn += 1) {
        mine.push(Number((await ledger.append(signer, refusal(`r${submitter}-${turn}`))).seq))
      }
      return mine
    })
    const taken = await Promise.all(submitters)
    for (const mine of taken) expect(mine).toEqual(mine.toSorted((a, b) => a - b))
    const all = Array.from({ length: 160 }, (_, at) => at + 1)
    expect(taken.flat().toSorted((a, b) => a - b)).toEqual(all)
    expect(seqs(await read(ledger))).toEqual(all)
  })

  it('by two keys are signed by their own', async () => {
    using ledger = new Ledger(newFolder())
    generateKey(join(top, 'other.pem'), join(top, 'other.pub.pem'))
    const other = new Signer(join(top, 'other.pem'))
    const issuer = { issuer_id: other.publicKey.thumbprint }
    await Promise.all([
      ledger.append(signer, refusal('a')),
      ledger.append(other, refusal('b', 'deny', issuer)),
      ledger.append(signer, refusal('c')),
    ])
    const kids = (await read(ledger)).map(
      ({ document }) => (JSON.parse(document) as { signature: { kid: string } }).signature.kid,
    )
    const { thumbprint } = signer.publicKey
    expect(kids).toEqual([thumbprint, other.publicKey.thumbprint, thumbprint])
  })

  it.each([Number.NaN, 1.5, 2 ** 53, -1e300, Number.POSITIVE_INFINITY])(
    'at the time %d, which no export could say, are refused',
    async (createdAtMs) => {
      using ledger = new Ledger(newFolder())
      await expect(ledger.append(signer, { ...refusal('a'), createdAtMs })).rejects.toMatchObject({
        code: 'ERR_CONFIG_INVALID',
      })
      await ledger.append(signer, { ...refusal('a'), createdAtMs: Number.MIN_SAFE_INTEGER })
      const [entry, ...others] = await read(ledger)
      expect([entry?.created_at_ms, others]).toEqual([Number.MIN_SAFE_INTEGER, []])
    },
  )

  it('whose payload names another run, which no import would take, are refused', async () => {
    using ledger = new Ledger(newFolder())
    const other = { ...refusal('a'), runId: 'b' }
    await expect(ledger.append(signer, other)).rejects.toMatchObject({ code: 'ERR_RECEIPT_SCHEMA' })
    expect(await read(ledger)).toEqual([])
  })

  it('are refused by a ledger that is open for reading only, and by a closed one', async () => {
    const folder = newFolder()
    const ledger = new Ledger(folder)
    await ledger.append(signer, refusal('a'))
    ledger.close()
    await expect(ledger.append(signer, refusal('b'))).rejects.toMatchObject({
      code: 'ERR_LEDGER_UNAVAILABLE',
    })
    using reader = Ledger.open(folder, { readOnly: true })
    await expect(reader.append(signer, refusal('b'))).rejects.toMatchObject({
      code: 'ERR_LEDGER_WRITE',
    })
    expect(seqs(await read(reader))).toEqual([1])
  })
})

describe('a query', () => {
  const COUNT = 600
  let ledger: Ledger

  beforeAll(async () => {
    ledger = new Ledger(newFolder())
    const decisions = ['deny', 'needs_approval']
    const all = Array.from({ length: COUNT }, (_, at) => refusal(`r${at}`, decisions[at % 2]))
    await Promise.all(all.map(async (submission) => await ledger.append(signer, submission)))
  })

  afterAll(() => ledger.close())

  it.each<[string, LedgerFilter, QueryOptions, number[]]>([
    ['a range', { fromSeq: '5', untilSeq: '7' }, {}, [5, 6, 7]],
    ['a limit', {}, { limit: 2 }, [1, 2]],
    ['nothing', {}, { limit: 0 }, []],
    ['the newest', {}, { limit: 2, newestFirst: true }, [600, 599]],
    ['a decision', { decision: 'deny', untilSeq: '6' }, {}, [1, 3, 5]],
    ['a run', { runId: 'r9' }, {}, [10]],
    ['a phase', { phase: 'intent' }, {}, []],
    ['a time', { sinceMs: 1001 }, {}, []],
    ['a code', { code: 'COMMAND_NOT_ALLOWED', fromSeq: '599' }, {}, [599, 600]],
  ])('finds %s', async (_, filter, options, want) => {
    expect(seqs(await read(ledger, filter, options))).toEqual(want)
  })

  it('goes on over its pages in both directions', async () => {
    const all = Array.from({ length: COUNT }, (_, at) => at + 1)
    expect(seqs(await read(ledger))).toEqual(all)
    expect(seqs(await read(ledger, {}, { newestFirst: true }))).toEqual(all.toReversed())
  })

  it.each<[LedgerFilter, QueryOptions, string]>([
    [{ fromSeq: 'x' }, {}, 'ERR_CONFIG_INVALID'],
    [{ runId: 'no run' }, {}, 'ERR_LEDGER_RUN_ID'],
    [{ phase: 'x' as never }, {}, 'ERR_CONFIG_INVALID'],
    [{}, { limit: -1 }, 'ERR_CONFIG_INVALID'],
    [{}, { limit: 1.5 }, 'ERR_CONFIG_INVALID'],
  ])('refuses %j, %j', async (filter, options, code) => {
    await expect(read(ledger, filter, options)).rejects.toMatchObject({ code })
  })
})

describe('an export', () => {
  it.each(['lines', 'files'] as const)('as %s comes back as the same ledger', async (form) => {
    using ledger = new Ledger(newFolder())
    for (const run of ['a', 'b', 'c']) await ledger.append(signer, refusal(run))
    const path = newFolder()
    const { head, entries } = await ledger.status()
    const moved = { ledger_id: ledger.id, entries, head }
    const heard: [number, number][] = []
    const onProgress = (done: number, total: number) => heard.push([done, total])
    expect(await ledger.exportTo(path, { form, onProgress })).toEqual(moved)
    expect(heard.at(-1)).toEqual([3, 3])
    const folder = newFolder()
    expect(await Ledger.importFrom(path, folder, { onProgress })).toEqual(moved)
    using copy = new Ledger(folder)
    expect(await read(copy)).toEqual(await read(ledger))
    expect(await copy.append(signer, refusal('d'))).toMatchObject({ seq: '4' })
    await expect(Ledger.importFrom(path, folder)).rejects.toMatchObject({
      code: 'ERR_LEDGER_EXISTS',
    })
  })

  it('that was changed is not imported', async () => {
    using ledger = new Ledger(newFolder())
    for (const run of ['a', 'b']) await ledger.append(signer, refusal(run))
    const path = newFolder()
    await ledger.exportTo(path, { form: 'lines' })
    writeFileSync(path, readFileSync(path, 'utf8').replace('contract-0001', 'contract-0002'))
    await expect(Ledger.importFrom(path, newFolder())).rejects.toMatchObject({
      code: 'ERR_LEDGER_IMPORT',
    })
  })
})
