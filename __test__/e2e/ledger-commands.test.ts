// SPDX-License-Identifier: Apache-2.0
// `ambit ledger …` as people and programs use it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Ledger, Signer } from '../../dist/index.js'
import { oneObject } from './support/json.js'
import type { Ended } from './support/processes.js'
import { Stage } from './support/stage.js'

const HASH = `sha256:${'a'.repeat(64)}`
const HOUR_MS = 3_600_000
let stage: Stage
let home: string
let id: string

/** Appends a refusal for each of these decisions, the first an hour old. */
async function fill(decisions: readonly string[]): Promise<void> {
  const signer = new Signer(join(home, 'keys/default.pem'))
  const opened = new Ledger(join(home, 'ledger'))
  ;({ id } = opened)
  for (const [at, decision] of decisions.entries()) {
    const payload = {
      type: 'ambit:decision',
      issued_at: '2026-11-20T12:00:00.000Z',
      issuer_id: signer.publicKey.thumbprint,
      run_id: `run-${at + 1}`,
      contract_hash: HASH,
      policy_hash: HASH,
      mode: 'hardened',
      decision,
      reason_codes: [decision === 'deny' ? 'COMMAND_NOT_ALLOWED' : 'APPROVAL_REQUIRED'],
      contract_id: 'contract-0001',
      policy_name: 'p\u001B[2J',
      classified_effects: [],
    }
    await opened.append(signer, {
      phase: 'refusal',
      runId: payload.run_id,
      createdAtMs: Date.now() - (at === 0 ? HOUR_MS : 0),
      payload: JSON.stringify(payload),
    })
  }
  opened.close()
}

beforeAll(async () => {
  stage = new Stage()
  home = stage.home()
  await fill(['deny', 'needs_approval', 'deny'])
})

afterAll(() => stage.dispose())

async function ledger(...argv: readonly string[]): Promise<Ended> {
  return await stage.ambit(['ledger', ...argv], { home })
}

async function json(...argv: readonly string[]) {
  const ended = await ledger(...argv, '--json')
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  return oneObject(ended.stdout)
}

interface Listed {
  readonly entries: readonly { readonly seq: string; readonly document: string }[]
}

async function listed(...argv: readonly string[]): Promise<string[]> {
  const { entries } = (await json('list', ...argv)) as unknown as Listed
  return entries.map(({ seq }) => seq)
}

describe('ledger list', () => {
  it.each<[readonly string[], readonly string[]]>([
    [[], ['3', '2', '1']],
    [['--oldest-first'], ['1', '2', '3']],
    [['--limit', '1'], ['3']],
    [
      ['--decision', 'deny'],
      ['3', '1'],
    ],
    [['--code', 'APPROVAL_REQUIRED'], ['2']],
    [['--run', 'run-2'], ['2']],
    [
      ['--since', '30m'],
      ['3', '2'],
    ],
    [['--until', '30m'], ['1']],
    [['--since', '2020-01-01', '--until', '2020-01-02T00:00:00Z'], []],
    [['--agent', 'nobody'], []],
    [['--session', 'none'], []],
  ])('with %j finds %j', async (argv, want) => {
    expect(await listed(...argv)).toEqual(want)
  })

  it('is a table for people', async () => {
    const { code, stdout } = await ledger('list', '--oldest-first')
    expect(code).toBe(0)
    // times are those of this run
    const lines = stdout.split('\n').map((line) => line.replace(/\d{4}-\S+Z/u, 'T').trim())
    const cells = lines.map((line) => line.split(/\s{2,}/u))
    expect(cells.slice(0, 1)).toEqual([['seq', 'made', 'phase', 'said', 'run, codes']])
    expect(cells.slice(1, -1)).toEqual([
      ['1', 'T', 'refusal', 'deny', 'run-1', 'COMMAND_NOT_ALLOWED'],
      ['2', 'T', 'refusal', 'needs_approval', 'run-2', 'APPROVAL_REQUIRED'],
      ['3', 'T', 'refusal', 'deny', 'run-3', 'COMMAND_NOT_ALLOWED'],
    ])
  })

  it.each([
    [['--since', 'yesterday']],
    [['--until', '12']],
    [['--since', '2026-02-31']],
    [['--since', '2026-02-31T00:00:00Z']],
    [['--limit', '0']],
    [['--run', 'no run']],
    [['--nonsense']],
  ])('takes %j for wrong usage', async (argv) => {
    const { code, stdout } = await ledger('list', ...argv)
    expect([argv, code, stdout]).toEqual([argv, 64, ''])
  })
})

describe('ledger show', () => {
  it('writes the exact bytes that were signed', async () => {
    const { entries } = (await json('list', '--run', 'run-2')) as unknown as Listed
    const { code, stdout } = await ledger('show', '2', '--raw')
    expect([code, stdout]).toEqual([0, entries[0]?.document])
  })

  it('shows an entry, or those of a run, without what a terminal acts on', async () => {
    const shown = await ledger('show', 'run-2')
    expect(shown).toMatchObject({ code: 0, stdout: '' })
    expect(shown.stderr).toContain('entry 2, refusal of run-2')
    expect(shown.stderr).not.toContain('\u001B')
    expect(await json('show', '2')).toEqual(await json('show', 'run-2'))
  })

  it.each(['4', 'run-4'])('says that there is no %s', async (wanted) => {
    const { code, stdout } = await ledger('show', wanted, '--json')
    expect(code).toBe(7)
    expect(oneObject(stdout)).toMatchObject({ error: { code: 'ERR_LEDGER_ENTRY_UNKNOWN' } })
  })
})

describe('ledger tail', () => {
  it('is done when nobody reads', async () => {
    const running = stage.start(['ledger', 'tail', '--json'], { home })
    running.child.stdout?.destroy()
    expect(await running.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
  })

  it('shows the last entries, oldest first', async () => {
    const { entries } = (await json('tail', '--limit', '2')) as unknown as Listed
    expect(entries.map(({ seq }) => seq)).toEqual(['2', '3'])
  })

  it('follows what comes until it is interrupted', async () => {
    const { running, appendUntil } = followed()
    let said = ''
    running.child.stdout?.on('data', (piece: Buffer) => (said += piece.toString()))
    await appendUntil(() => said.includes('\n'))
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 0, signal: null })
    const [first = ''] = said.split('\n')
    expect(oneObject(`${first}\n`)).toMatchObject({ version: 'ambit.entry.v1' })
  })

  it('follows no more when nobody reads', async () => {
    const { running, appendUntil } = followed()
    let isOver = false
    const { child } = running
    child.once('exit', () => (isOver = true))
    child.stdout?.once('data', () => child.stdout?.destroy())
    await appendUntil(() => isOver)
    expect(await running.ended).toMatchObject({ code: 0, signal: null })
  })
})

/** A `tail -f` of a ledger, and what appends to that. */
function followed() {
  const following = stage.home()
  const signer = new Signer(join(following, 'keys/default.pem'))
  const mine = new Ledger(join(following, 'ledger'))
  const running = stage.start(['ledger', 'tail', '-f', '--json'], { home: following })
  // it may not have begun to follow: entries come until they are seen
  const appendUntil = async (isSeen: () => boolean) => {
    for (let at = 0; !isSeen(); at += 1) {
      const payload = {
        type: 'ambit:decision',
        issued_at: '2026-11-20T12:00:00.000Z',
        issuer_id: signer.publicKey.thumbprint,
        run_id: `run-${at}`,
        contract_hash: HASH,
        policy_hash: HASH,
        mode: 'hardened',
        decision: 'deny',
        reason_codes: ['COMMAND_NOT_ALLOWED'],
        contract_id: 'contract-0001',
        policy_name: 'p',
        classified_effects: [],
      }
      const submission = { runId: payload.run_id, payload: JSON.stringify(payload) }
      await mine.append(signer, { phase: 'refusal', createdAtMs: 0, ...submission })
      await new Promise((resolve) => {
        setTimeout(resolve, 50)
      })
    }
    mine.close()
  }
  return { running, appendUntil }
}

describe('ledger export and import', () => {
  it.each(['lines', 'files'])('as %s give the same ledger', async (form) => {
    const folder = stage.folder()
    const [path, copy] = [join(folder, 'export'), join(folder, 'copy')]
    const moved = { entries: 3, ledger_id: id }
    expect(await json('export', path, '--form', form)).toMatchObject({ form, path, ...moved })
    expect(await json('import', path, '--ledger', copy)).toMatchObject({ folder: copy, ...moved })
    expect(await json('list', '--ledger', copy)).toEqual(await json('list'))
    const again = await ledger('export', path, '--form', form, '--json')
    expect(again.code).toBe(1)
    expect(oneObject(again.stdout)).toMatchObject({ error: { code: 'ERR_LEDGER_EXISTS' } })
  })

  it('refuse what is not a whole ledger, and leave nothing', async () => {
    const folder = stage.folder()
    const [path, copy] = [join(folder, 'export'), join(folder, 'copy')]
    await json('export', path)
    writeFileSync(path, readFileSync(path, 'utf8').split('\n').slice(0, -2).join('\n'))
    const { code, stdout } = await ledger('import', path, '--ledger', copy, '--json')
    expect(code).toBe(1)
    expect(oneObject(stdout)).toMatchObject({ error: { code: 'ERR_LEDGER_IMPORT' } })
    expect(existsSync(copy)).toBe(false)
  })

  it('draw nothing where there is no terminal', async () => {
    const path = join(stage.folder(), 'export')
    const { stdout, stderr } = await ledger('export', path)
    expect([stdout, stderr]).toEqual(['', `✓ ${path}\n    3 entries of ledger ${id}\n`])
  })
})

describe('ledger status and gc', () => {
  it('say what is there and what was removed', async () => {
    const before = await json('status')
    expect(before).toMatchObject({ ledger_id: id, entries: 3, open_runs: 0 })
    // what a killed run and a killed import left
    writeFileSync(join(home, 'reserve-999999999-x'), 'x')
    const part = join(home, `ledger.import-${'0'.repeat(32)}`)
    mkdirSync(part)
    writeFileSync(join(part, 'ledger.lock'), '')
    expect(await json('gc')).toMatchObject({ reserves: 1, imports: 1, locks: 0 })
    expect([existsSync(part), existsSync(join(home, 'reserve-999999999-x'))]).toEqual([
      false,
      false,
    ])
    const { entries, head } = before
    expect(await json('status')).toMatchObject({ entries, head, log_bytes: 0 })
  })

  it.each(['status', 'list', 'tail', 'gc', 'checkpoint'])(
    '%s makes no ledger where there is none',
    async (name) => {
      const empty = stage.emptyHome()
      const { code, stdout } = await stage.ambit(['ledger', name, '--json'], { home: empty })
      expect(code).toBe(7)
      expect(oneObject(stdout)).toMatchObject({ error: { code: 'ERR_LEDGER_UNAVAILABLE' } })
      expect(existsSync(join(empty, 'ledger'))).toBe(false)
    },
  )
})
