// SPDX-License-Identifier: Apache-2.0
// Checkpoints as their users meet them: made by themselves and by hand, kept elsewhere, and what
// they find when a ledger was cut, rolled back or exchanged.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  Ledger,
  type LedgerOptions,
  Signer,
  compareLedger,
  cosignCheckpoint,
  exportTiles,
  generateKey,
  latestCheckpoint,
  proveEntry,
  verifyTiles,
  witnessRequest,
} from '../../dist/index.js'
import { oneObject } from '../e2e/support/json.js'
import { Stage, publicKeyIn } from '../e2e/support/stage.js'
import { copyTree } from '../e2e/support/copy-tree.js'

let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

/** A ledger in a home, with what opens and signs it. */
interface Made {
  readonly home: string
  readonly folder: string
  readonly key: string
  readonly signer: Signer
  readonly open: (options?: LedgerOptions) => Ledger
}

function made(): Made {
  const home = stage.home()
  const folder = join(home, 'ledger')
  const signer = new Signer(join(home, 'keys', 'default.pem'))
  const open = (options: LedgerOptions = {}) => new Ledger(folder, options)
  return { home, folder, key: publicKeyIn(home), signer, open }
}

let runs = 0

/** Appends entries that no other ledger has. */
async function add(
  ledger: Ledger,
  signer: Signer,
  count: number,
  createdAtMs = 1_700_000_000_000,
): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    runs += 1
    const hash = `sha256:${'0'.repeat(64)}`
    const payload = JSON.stringify({
      type: 'ambit:decision',
      issued_at: '2026-01-01T00:00:00Z',
      run_id: `run_${runs}`,
      mode: 'hardened',
      decision: 'deny',
      reason_codes: ['COMMAND_NOT_ALLOWED'],
      contract_id: 'c',
      contract_hash: hash,
      policy_name: 'p',
      policy_hash: hash,
      classified_effects: [],
    })
    await ledger.append(signer, {
      phase: 'refusal',
      runId: `run_${runs}`,
      createdAtMs,
      payload,
    })
  }
}

/** The bytes of the latest checkpoint. */
function held(ledger: Ledger): Buffer {
  const checkpoint = latestCheckpoint(ledger)
  if (checkpoint === undefined) throw new Error('no checkpoint')
  return Buffer.from(checkpoint.note)
}

/** A ledger of five entries with a checkpoint, a copy of that state, and four more entries. */
async function rolledBack(): Promise<Made & { earlier: string; checkpoint: Buffer }> {
  const own = made()
  const ledger = own.open()
  await add(ledger, own.signer, 5)
  await ledger.checkpoint(own.signer)
  ledger.close()
  const earlier = join(stage.folder(), 'ledger')
  copyTree(own.folder, earlier)
  const later = own.open()
  await add(later, own.signer, 4)
  await later.checkpoint(own.signer)
  const checkpoint = held(later)
  later.close()
  return { ...own, earlier, checkpoint }
}

describe('checkpoints that a ledger makes by itself', () => {
  it('come after so many entries, and at the end for the rest', async () => {
    const { signer, open } = made()
    const ledger = open({ checkpoints: { entries: 10, intervalMs: 3_600_000 } })
    await add(ledger, signer, 9)
    expect(latestCheckpoint(ledger)).toBeUndefined()
    await add(ledger, signer, 3)
    await ledger.finish(signer)
    expect(latestCheckpoint(ledger)?.size).toBe('12')
    expect(ledger.checkpointFault).toBeUndefined()
    const checkpoint = { size: '12', created_at_ms: expect.any(Number) as number }
    expect(await ledger.status()).toMatchObject({ checkpoint, checkpoint_error: null })
    const first = latestCheckpoint(ledger)
    await ledger.finish(signer)
    expect(latestCheckpoint(ledger)).toEqual(first)
    ledger.close()
  })

  it('come when an entry has waited long enough, with no other behind it', async () => {
    const { signer, open } = made()
    using ledger = open({ checkpoints: { intervalMs: 300 } })
    await add(ledger, signer, 1)
    await expect.poll(() => latestCheckpoint(ledger)?.size).toBe('1')
    await add(ledger, signer, 1)
    await expect.poll(() => latestCheckpoint(ledger)?.size).toBe('2')
  })

  it('come at the end for an entry that is new when the ledger was long idle', async () => {
    const { signer, open } = made()
    using ledger = open({ checkpoints: { intervalMs: 30 } })
    await setTimeout(60)
    await add(ledger, signer, 1, Date.now())
    await ledger.finish(signer)
    expect(latestCheckpoint(ledger)?.size).toBe('1')
  })

  it('never fail an append', async () => {
    const { signer, open } = made()
    const ledger = open({ checkpoints: { entries: 1000 } })
    await add(ledger, signer, 1)
    ledger.close()
    await ledger.finish(signer)
    expect(ledger.checkpointFault).toMatchObject({ code: 'ERR_LEDGER_UNAVAILABLE' })
  })

  it('do not keep a ledger from being closed', async () => {
    const { signer, open } = made()
    const ledger = open({ checkpoints: { entries: 1 } })
    await add(ledger, signer, 1)
    const asked = ledger.status()
    ledger.close()
    expect(await asked).toMatchObject({ entries: 1 })
    await ledger.finish(signer)
  })

  it.each([{ entries: 0 }, { entries: 1.5 }, { intervalMs: -1 }, { intervalMs: Number.NaN }])(
    'refuses the schedule %o',
    (checkpoints) => {
      const { open } = made()
      expect(() => open({ checkpoints })).toThrow(
        expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }),
      )
    },
  )
})

describe('a ledger beside a checkpoint that was kept elsewhere', () => {
  it('is complete, rolled back or forked', async () => {
    const { open, key, signer, earlier, checkpoint } = await rolledBack()
    const whole = open()
    const compared = async (ledger: Ledger) => await compareLedger(ledger, checkpoint, [key])
    expect(await compared(whole)).toEqual({ status: 'complete', have: '9', want: '9' })
    whole.close()

    const copy = new Ledger(earlier)
    expect(await compared(copy)).toEqual({ status: 'rolled_back', have: '5', want: '9' })
    await add(copy, signer, 6)
    await copy.checkpoint(signer)
    expect(await compared(copy)).toEqual({ status: 'forked', have: '9', want: '9' })
    copy.close()
  })

  it('is compared with its own checkpoints only, signed by a trusted key', async () => {
    const { open, key, checkpoint } = await rolledBack()
    const other = made()
    const ledger = open()
    await expect(compareLedger(ledger, checkpoint, [other.key])).rejects.toMatchObject({
      code: 'ERR_LEDGER_NOTE_SIGNATURE',
    })
    const foreign = other.open()
    await expect(compareLedger(foreign, checkpoint, [key])).rejects.toMatchObject({
      code: 'ERR_LEDGER_NOTE',
    })
    foreign.close()
    ledger.close()
  })
})

describe('a proof', () => {
  it('is made in a checkpoint of the same history only', async () => {
    const { open, signer, earlier, checkpoint } = await rolledBack()
    const ledger = open()
    const { proof } = await proveEntry(ledger, '2', checkpoint)
    expect(proof.endsWith(checkpoint.toString())).toBe(true)
    await add(ledger, signer, 1)
    await expect(proveEntry(ledger, '10')).rejects.toMatchObject({ code: 'ERR_LEDGER_PROOF' })
    ledger.close()

    const copy = new Ledger(earlier)
    const inOther = async () => await proveEntry(copy, '2', checkpoint)
    await expect(inOther()).rejects.toMatchObject({ code: 'ERR_LEDGER_PROOF' })
    await add(copy, signer, 6)
    await expect(inOther()).rejects.toMatchObject({ code: 'ERR_LEDGER_PROOF' })
    copy.close()
    const other = made()
    const foreign = other.open()
    await add(foreign, other.signer, 9)
    await expect(proveEntry(foreign, '2', checkpoint)).rejects.toMatchObject({
      code: 'ERR_LEDGER_NOTE',
    })
    foreign.close()
  })
})

describe('a witness', () => {
  it('signs what grew, and neither a rollback nor a fork', async () => {
    const { open, key, signer, earlier, checkpoint } = await rolledBack()
    const folder = stage.folder()
    const keys = [join(folder, 'w.pem'), join(folder, 'w.pub.pem')] as const
    generateKey(...keys)
    const witness = new Signer(keys[0])
    const [name, state] = ['witness.test/w1', join(folder, 'seen.json')]
    const now = new Date('2026-01-01T00:00:00Z')
    const cosign = async (request: string | Buffer) =>
      await cosignCheckpoint(Buffer.from(request), witness, { name, state, logs: [key], now })

    const copy = new Ledger(earlier)
    const first = await cosign(held(copy))
    expect(first.note.split('\n').at(-2)).toMatch(/^— witness\.test\/w1 /u)
    expect(first.vkey).toMatch(/^witness\.test\/w1\+[0-9a-f]{8}\+/u)
    await expect(cosign(checkpoint)).rejects.toMatchObject({ code: 'ERR_LEDGER_PROOF' })
    const ledger = open()
    await cosign(await witnessRequest(ledger, '5'))
    ledger.close()

    const seen = readFileSync(state)
    await expect(cosign(held(copy))).rejects.toMatchObject({ code: 'ERR_LEDGER_ROLLED_BACK' })
    await add(copy, signer, 4)
    await copy.checkpoint(signer)
    await expect(cosign(held(copy))).rejects.toMatchObject({ code: 'ERR_LEDGER_FORKED' })
    await add(copy, signer, 4)
    await copy.checkpoint(signer)
    const request = await witnessRequest(copy, '9')
    await expect(cosign(request)).rejects.toMatchObject({ code: 'ERR_LEDGER_FORKED' })
    copy.close()
    expect(readFileSync(state)).toEqual(seen)
  })
})

describe('a log as tiles', () => {
  it('is written whole, and any change of it is found', async () => {
    const { open, key, signer } = made()
    const ledger = open()
    await add(ledger, signer, 7)
    const folder = join(stage.folder(), 'tiles')
    await expect(exportTiles(ledger, folder)).rejects.toMatchObject({ code: 'ERR_LEDGER_EMPTY' })
    const { size, root } = await ledger.checkpoint(signer)
    expect(await exportTiles(ledger, folder)).toEqual({ size, root })
    await expect(exportTiles(ledger, folder)).rejects.toMatchObject({ code: 'ERR_LEDGER_EXISTS' })
    const origin = `ambit-ledger/${ledger.id}`
    ledger.close()
    expect(await verifyTiles(folder, [key])).toEqual({ origin, size, root })
    const tile = join(folder, 'tile', '0', '000.p', '7')
    renameSync(join(folder, 'tile', 'entries', '000.p', '7'), join(folder, 'moved'))
    await expect(verifyTiles(folder, [key])).rejects.toMatchObject({
      code: 'ERR_LEDGER_UNAVAILABLE',
    })
    renameSync(join(folder, 'moved'), join(folder, 'tile', 'entries', '000.p', '7'))
    writeFileSync(tile, Buffer.alloc(7 * 32))
    await expect(verifyTiles(folder, [key])).rejects.toMatchObject({ code: 'ERR_LEDGER_PROOF' })
  })
})

describe('the commands', () => {
  it('make a checkpoint, prove an entry, and cosign', async () => {
    const { home, open, signer, key } = made()
    const ledger = open()
    await add(ledger, signer, 3)
    const out = stage.folder()
    const ambit = async (...argv: string[]) => await stage.ambit(['ledger', ...argv], { home })

    expect(await ambit('prove', '2')).toMatchObject({ code: 1, stdout: '' })
    const note = join(out, 'checkpoint')
    expect(await ambit('checkpoint', '--out', note)).toMatchObject({ code: 0, stdout: '' })
    expect(readFileSync(note, 'utf8')).toBe(held(ledger).toString())
    const printed = await ambit('checkpoint')
    expect(printed).toMatchObject({ code: 0, stdout: held(ledger).toString() })
    expect(await ambit('checkpoint', '--out', note)).toMatchObject({ code: 7 })

    const proven = await ambit('prove', '2')
    expect(proven).toMatchObject({ code: 0, stdout: (await proveEntry(ledger, '2')).proof })
    const json = oneObject((await ambit('prove', '3', '--json')).stdout)
    expect(json).toMatchObject({ version: 'ambit.proof.v1', seq: '3' })
    const unknown = ['0', '4', 'run_unknown'].map(async (entry) => await ambit('prove', entry))
    expect((await Promise.all(unknown)).map(({ code }) => code)).toEqual([7, 7, 7])

    const keys = [join(out, 'w.pem'), join(out, 'w.pub.pem')] as const
    generateKey(...keys)
    const flags = ['--state', join(out, 'seen'), '--key', keys[0], '--log-key']
    const cosigned = await ambit('witness', note, ...flags, key, '--json')
    expect(cosigned).toMatchObject({ code: 0 })
    const answer = oneObject(cosigned.stdout)
    expect(answer).toMatchObject({ version: 'ambit.cosignature.v1' })
    const witnessed = join(out, 'cosigned')
    writeFileSync(witnessed, String((answer as { note?: unknown }).note))
    const withWitness = await ambit('prove', '1', '--checkpoint', witnessed)
    expect(withWitness.stdout.endsWith(readFileSync(witnessed, 'utf8'))).toBe(true)
    const tiles = join(out, 'tiles')
    expect(await ambit('export', tiles, '--form', 'tiles')).toMatchObject({ code: 0, stdout: '' })
    expect(await verifyTiles(tiles, [key])).toMatchObject({ size: '3' })
    const refused = await Promise.all([
      ambit('witness', note, ...flags, keys[1]),
      ambit('witness', keys[1], ...flags, key),
      ambit('witness', join(out, 'none'), ...flags, key),
    ])
    expect(refused.map(({ code }) => code)).toEqual([5, 2, 7])

    await add(ledger, signer, 2)
    const request = join(out, 'request')
    expect(await ambit('checkpoint', '--old', '3', '--out', request)).toMatchObject({ code: 0 })
    expect(await ambit('witness', request, ...flags, key)).toMatchObject({ code: 0 })
    expect(await ambit('witness', note, ...flags, key)).toMatchObject({ code: 6 })
    expect(await ambit('checkpoint', '--old', '9')).toMatchObject({ code: 6 })
    ledger.close()
  })
})
