// SPDX-License-Identifier: Apache-2.0
// What the ledger promises: nothing runs unrecorded, and a run that was cut off is found.
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Documents,
  commandOf,
  contractOf,
  policyOf,
  writeDocuments,
} from './support/documents.js'
import { entriesIn, faultsOf, summary } from './support/ledger.js'
import { processesWith, until } from './support/processes.js'
import { Stage, publicKeyIn, withoutPrograms, withoutSandbox } from './support/stage.js'
import { SELF, UNPRIVILEGED, USERS, type User, folder } from './support/users.js'

const SLEEP = '/bin/sleep'
let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

/** Documents for one command that may write into its folder. */
function documentsFor(argv: readonly string[], work: string): Documents {
  const contract = contractOf([commandOf({ argv, cwd: work, write: [work] })])
  return writeDocuments(stage.folder(), contract, policyOf([argv[0] ?? '']))
}

/** A run that leaves a file behind if it runs. */
function marking(user: User): { argv: string[]; marker: string } {
  const work = stage.folder(user)
  const marker = join(work, 'it-ran')
  const { contract, policy } = documentsFor(['touch', marker], work)
  return { argv: ['run', contract, policy, '--json'], marker }
}

/** Seconds to sleep that no other process has. */
let seconds = 100_000 + process.pid / 1_000_000
const newSeconds = () => String((seconds += 1))

const skip = withoutPrograms(SLEEP) || (await withoutSandbox(UNPRIVILEGED))

describe.skipIf(skip).each(USERS)('a runner of $name that is killed', (user) => {
  it('takes its command with it, and the next run records it as interrupted', async () => {
    const home = stage.home(user)
    const work = stage.folder(user)
    const sleeps = newSeconds()
    const { contract, policy } = documentsFor([SLEEP, sleeps], work)
    const argv = ['run', contract, policy, '--nonce', 'n-1']
    const running = stage.start(argv, { user, home })
    await until(() => processesWith(`${SLEEP}\0${sleeps}`).length > 0)
    running.child.kill('SIGKILL')
    expect(await running.ended).toMatchObject({ code: null, signal: 'SIGKILL' })
    await until(() => processesWith(`${SLEEP}\0${sleeps}`).length === 0)

    const next = marking(user)
    expect(await stage.ambit(next.argv, { user, home })).toMatchObject({ code: 0 })
    expect(existsSync(next.marker)).toBe(true)
    const entries = entriesIn(home)
    const want = ['intent allow', 'outcome interrupted', 'intent allow', 'outcome success']
    expect(summary(entries)).toEqual(want)
    const [intent, outcome] = entries
    expect(outcome?.payload).toMatchObject({
      type: 'ambit:execution',
      run_id: intent?.run_id,
      decision_hash: `sha256:${intent?.digest}`,
      commands: [],
      enforcement: { tier: 'none', mechanisms: {} },
      error: { code: 'INTERRUPTED' },
      nonce: 'n-1',
    })
    expect(await faultsOf(entries, publicKeyIn(home))).toEqual([])
  })
})

describe.skipIf(skip)('the chain', () => {
  it('links allowed, denied, failed and timed out runs without a gap', async () => {
    const home = stage.home()
    const work = stage.folder()
    const contracts = [
      { argv: ['true'], cwd: work },
      { argv: ['rm', '-rf', '/'], cwd: work },
      { argv: ['false'], cwd: work },
      { argv: ['sleep', newSeconds()], cwd: work, timeoutSec: 1 },
    ].map((command) => contractOf([commandOf(command)]))
    const codes: (number | null)[] = []
    for (const contract of contracts) {
      const files = writeDocuments(stage.folder(), contract, policyOf(['true', 'false', 'sleep']))
      const { code } = await stage.ambit(['run', files.contract, files.policy], { home })
      codes.push(code)
    }
    expect(codes).toEqual([0, 120, 1, 124])
    const entries = entriesIn(home)
    expect(summary(entries)).toEqual([
      'intent allow',
      'outcome success',
      'refusal deny',
      'intent allow',
      'outcome failed',
      'intent allow',
      'outcome timed_out',
    ])
    // as the contract has them: what agent and session are found by
    const actors = new Set(entries.map(({ payload }) => JSON.stringify(payload['actor'])))
    expect([...actors]).toEqual(['{"agent_id":"a","session_id":"s"}'])
    expect(await faultsOf(entries, publicKeyIn(home))).toEqual([])
  })

  it('stays dense when runs come at the same time', async () => {
    const home = stage.home()
    const runs = Array.from({ length: 4 }, () => marking(SELF))
    const ended = await Promise.all(runs.map(({ argv }) => stage.ambit(argv, { home })))
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0])
    const entries = entriesIn(home)
    expect(entries).toHaveLength(8)
    expect(await faultsOf(entries, publicKeyIn(home))).toEqual([])
  })
})

/** What stands in the way of a record, made in a new home of the user. */
interface Obstacle {
  readonly name: string
  readonly prepare: (home: string) => void
  readonly flags?: (home: string) => readonly string[]
  readonly exit: number
  readonly code: string
}

const OBSTACLES: readonly Obstacle[] = [
  {
    name: 'the ledger folder cannot be written',
    prepare: (home) => folder(join(home, 'ledger'), UNPRIVILEGED, 0o500),
    exit: 123,
    code: 'ERR_LEDGER_UNAVAILABLE',
  },
  {
    name: 'a file stands in the place of the ledger',
    prepare: (home) => writeFileSync(join(home, 'ledger'), ''),
    exit: 123,
    code: 'ERR_LEDGER_UNAVAILABLE',
  },
  {
    name: 'there is no key',
    prepare: (home) => rmSync(join(home, 'keys'), { recursive: true }),
    exit: 125,
    code: 'ERR_KEY_MISSING',
  },
  {
    name: 'others may read the key',
    prepare: (home) => chmodSync(join(home, 'keys/default.pem'), 0o644),
    exit: 125,
    code: 'ERR_KEY_FILE_PERMISSIONS',
  },
  {
    name: 'the key is none',
    prepare: (home) => writeFileSync(join(home, 'keys/default.pem'), 'no key'),
    exit: 125,
    code: 'ERR_KEY_MALFORMED',
  },
  {
    name: 'the receipt cannot be written',
    prepare: (home) => writeFileSync(join(home, 'file'), ''),
    flags: (home) => ['--receipt-out', join(home, 'file/receipt.json')],
    exit: 125,
    code: 'ERR_RECEIPT_UNWRITABLE',
  },
  {
    name: 'the evidence cannot be written',
    prepare: (home) => writeFileSync(join(home, 'file'), ''),
    flags: (home) => ['--evidence-out', join(home, 'file')],
    exit: 125,
    code: 'ERR_RECEIPT_UNWRITABLE',
  },
  {
    name: 'a folder stands in the place of the receipt',
    prepare: (home) => mkdirSync(join(home, 'receipt.json')),
    flags: (home) => ['--receipt-out', join(home, 'receipt.json')],
    exit: 125,
    code: 'ERR_RECEIPT_UNWRITABLE',
  },
]

describe.skipIf(skip)('nothing runs', () => {
  it.each(OBSTACLES)('when $name', async ({ prepare, flags, exit, code }) => {
    const home = stage.home(UNPRIVILEGED)
    prepare(home)
    const { argv, marker } = marking(UNPRIVILEGED)
    const all = [...argv, ...(flags?.(home) ?? [])]
    const { code: exited, stdout } = await stage.ambit(all, { user: UNPRIVILEGED, home })
    const document = JSON.parse(stdout) as unknown
    expect(document).toMatchObject({ version: 'ambit.error.v1', error: { code } })
    expect(exited).toBe(exit)
    expect(existsSync(marker)).toBe(false)
  })

  it('but what has no obstacle: the control', async () => {
    const home = stage.home(UNPRIVILEGED)
    const { argv, marker } = marking(UNPRIVILEGED)
    expect(await stage.ambit(argv, { user: UNPRIVILEGED, home })).toMatchObject({ code: 0 })
    expect(existsSync(marker)).toBe(true)
  })
})
