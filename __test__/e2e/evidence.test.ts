// SPDX-License-Identifier: Apache-2.0
// What receipts say when a run does not go its way, and what a contract can do about it.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunOptions, type RunResult, run } from '../../dist/index.js'
import { type CommandChoice, commandOf, contractOf, policyOf } from './support/documents.js'
import { type Entry, entriesIn, faultsOf, summary } from './support/ledger.js'
import { Stage, publicKeyIn, withoutPrograms, withoutSandbox } from './support/stage.js'

const ALLOWED = ['cat', 'git', 'sh', 'touch', 'true']
const bytes = (document: object) => Buffer.from(JSON.stringify(document))
let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

interface Case {
  readonly home: string
  readonly options: RunOptions
}

function caseOf(commands: readonly object[], home = stage.home()): Case {
  const env = { AMBIT_HOME: home, PATH: '/usr/bin:/bin' }
  const policy = bytes(policyOf(ALLOWED))
  return { home, options: { contract: bytes(contractOf(commands)), policy, env } }
}

/** A command that writes a marker into its folder. */
function marking(id: string, work = stage.folder()): { command: object; marker: string } {
  const marker = join(work, 'it-ran')
  const choice: CommandChoice = { id, argv: ['touch', marker], cwd: work, write: [work] }
  return { command: commandOf(choice), marker }
}

function last(entries: readonly Entry[]): Record<string, unknown> {
  return entries.at(-1)?.payload ?? {}
}

async function recorded(home: string): Promise<Entry[]> {
  const entries = entriesIn(home)
  expect(await faultsOf(entries, publicKeyIn(home))).toEqual([])
  return entries
}

const csc = (result: RunResult): Record<string, unknown> =>
  JSON.parse(result.receipts.csc) as Record<string, unknown>

const skip = withoutPrograms('/usr/bin/touch', '/bin/sh') || (await withoutSandbox())

describe.skipIf(skip)('a contract whose later command', () => {
  it('cannot be run at all runs nothing', async () => {
    const first = marking('c0')
    const network = 'allowlisted'
    const second = commandOf({ id: 'c1', argv: ['true'], cwd: '/usr', network })
    const { home, options } = caseOf([first.command, second])
    await expect(run(options)).rejects.toMatchObject({ code: 'ERR_SANDBOX_UNSUPPORTED' })
    expect(existsSync(first.marker)).toBe(false)
    const entries = await recorded(home)
    expect(last(entries)).toMatchObject({ status: 'not_started', commands: [] })
  })

  it('cannot start leaves the first on record', async () => {
    const first = marking('c0')
    const second = commandOf({ id: 'c1', argv: ['true'], cwd: '/usr', read: ['/nowhere/at/all'] })
    const { home, options } = caseOf([first.command, second])
    const receiptOut = join(stage.folder(), 'receipt.json')
    await expect(run({ ...options, receiptOut })).rejects.toMatchObject({
      code: 'ERR_SANDBOX_PATH_MISSING',
      details: { commands_run: 1 },
    })
    expect(existsSync(first.marker)).toBe(true)
    expect(last(await recorded(home))).toMatchObject({
      status: 'failed',
      commands: [{ id: 'c0', exit_code: 0 }],
      error: { code: 'ERR_SANDBOX_PATH_MISSING' },
    })
    const text = execFileSync('cat', [receiptOut], { encoding: 'utf8' })
    expect(JSON.parse(text)).toMatchObject({
      status: 'failed',
      exit_code: 126,
      completed_command_ids: ['c0'],
      failed_command_id: 'c1',
    })
  })
})

describe.skipIf(skip)('a run that its caller ends', () => {
  it('by a listener that throws says what ran', async () => {
    const work = stage.folder()
    const script = join(work, 's.sh')
    writeFileSync(script, 'echo hello; touch it-ran; exec sleep 20')
    const choice = { id: 'c0', argv: ['sh', script], cwd: work, write: [work] }
    const { home, options } = caseOf([commandOf(choice)])
    const receiptOut = join(stage.folder(), 'receipt.json')
    const onStdout = () => {
      throw new Error('no more')
    }
    await expect(run({ ...options, receiptOut, onStdout })).rejects.toThrow('no more')
    expect(last(await recorded(home))).toMatchObject({
      status: 'interrupted',
      commands: [{ id: 'c0', termination: 'cancelled', tier: 'full' }],
      enforcement: { tier: 'full' },
      error: { code: 'LISTENER_FAILED' },
    })
    const text = execFileSync('cat', [receiptOut], { encoding: 'utf8' })
    expect(JSON.parse(text)).toMatchObject({ status: 'failed', exit_code: 137 })
  })

  it('between two commands is no success', async () => {
    const stop = new AbortController()
    const first = commandOf({ id: 'c0', argv: ['true'], cwd: '/usr' })
    const second = marking('c1')
    const { home, options } = caseOf([first, second.command])
    // the second command's plan is made before; the clock is asked when a run has ended
    const signal = Object.assign(stop.signal, {})
    let asked = 0
    Object.defineProperty(signal, 'aborted', { get: () => (asked += 1) > 3 })
    const result = await run({ ...options, signal })
    expect(result).toMatchObject({ status: 'interrupted', exit_code: 137 })
    expect(csc(result)).toMatchObject({ status: 'failed', failed_command_id: 'c1' })
    expect(existsSync(second.marker)).toBe(false)
    expect(summary(await recorded(home))).toEqual(['intent allow', 'outcome interrupted'])
  })
})

describe.skipIf(skip)('a receipt file', () => {
  it.each([
    ['no name', ''],
    ['a folder by its slash', 'folder/'],
    ['a link to a device', 'null'],
    ['a pipe', 'pipe'],
  ])('that is %s is refused before anything runs', async (_name, path) => {
    const folder = stage.folder()
    symlinkSync('/dev/null', join(folder, 'null'))
    execFileSync('mkfifo', [join(folder, 'pipe')])
    const { command, marker } = marking('c0')
    const { options } = caseOf([command])
    const receiptOut = path === '' ? '' : `${folder}/${path}`
    await expect(run({ ...options, receiptOut })).rejects.toMatchObject({
      code: 'ERR_RECEIPT_UNWRITABLE',
    })
    expect(existsSync(marker)).toBe(false)
  })

  it('that the command lengthens is still whole', async () => {
    const work = stage.folder()
    const script = join(stage.folder(), 's.sh')
    writeFileSync(script, 'for f in .ambit-*; do head -c 100000 /dev/zero >> "$f"; done')
    const choice = { id: 'c0', argv: ['sh', script], cwd: work, read: [script], write: [work] }
    const { options } = caseOf([commandOf(choice)])
    const receiptOut = join(work, 'receipt.json')
    const result = await run({ ...options, receiptOut })
    expect(result.status).toBe('success')
    expect(execFileSync('cat', [receiptOut], { encoding: 'utf8' })).toBe(result.receipts.csc)
    expect(readdirSync(work)).toEqual(['receipt.json'])
  })
})

describe.skipIf(skip)('keys and ledger', () => {
  it('are not used through a link that the contract may write', async () => {
    const { command, marker } = marking('c0')
    const work = join(marker, '..')
    const real = stage.home()
    symlinkSync(real, join(work, 'home'))
    const { options } = caseOf([command], join(work, 'home'))
    await expect(run(options)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    expect(existsSync(marker)).toBe(false)
    expect(last(await recorded(real))).toMatchObject({ status: 'not_started' })

    const elsewhere = join(stage.folder(), 'home')
    symlinkSync(real, elsewhere)
    expect(await run(caseOf([command], elsewhere).options)).toMatchObject({ status: 'success' })
  })

  it('leave nothing behind but themselves, also what was killed', async () => {
    const { command } = marking('c0')
    const { home, options } = caseOf([command])
    writeFileSync(join(home, 'reserve-4194999-x'), '')
    await run(options)
    expect(readdirSync(home).toSorted()).toEqual(['keys', 'ledger'])
  })
})

describe.skipIf(skip)('a program', () => {
  it('that a command has planted is not found in the PATH of a later one', async () => {
    const work = stage.folder()
    mkdirSync(join(work, 'bin'))
    const script = join(stage.folder(), 's.sh')
    writeFileSync(script, 'printf "#!/bin/sh\\necho planted\\n" > bin/git; chmod 755 bin/git')
    const plant = { id: 'c0', argv: ['sh', script], cwd: work, read: [script], write: [work] }
    const use = { id: 'c1', argv: ['git', '--version'], cwd: work, env: ['PATH'] }
    const { options } = caseOf([commandOf(plant), commandOf(use)])
    const env = { ...options.env, PATH: `${join(work, 'bin')}:/usr/bin:/bin` }
    const result = await run({ ...options, env })
    expect(existsSync(join(work, 'bin/git'))).toBe(true)
    expect(result.commands[1]?.executable).toBe('/usr/bin/git')
    expect(Buffer.from(result.stdout).toString()).toMatch(/^git version/)
  })
})

describe.skipIf(skip)('ambit run', () => {
  it('records a run whose output cannot be written, and says so', async () => {
    const home = stage.home()
    const folder = stage.folder()
    const script = join(folder, 's.sh')
    writeFileSync(script, 'echo hello; sleep 20')
    const choice = { id: 'c0', argv: ['sh', script], cwd: folder }
    writeFileSync(join(folder, 'c.json'), bytes(contractOf([commandOf(choice)])))
    writeFileSync(join(folder, 'p.json'), bytes(policyOf(ALLOWED)))
    const node = [process.execPath, join(import.meta.dirname, '../../bin/ambit.js')]
    const line = `"${node.join('" "')}" run c.json p.json > /dev/full`
    const env = { AMBIT_HOME: home, PATH: '/usr/bin:/bin' }
    const ended = () => execFileSync('/bin/sh', ['-c', line], { cwd: folder, env, stdio: 'pipe' })
    expect(ended).toThrow(expect.objectContaining({ status: 125 }))
    expect(summary(await recorded(home))).toEqual(['intent allow', 'outcome interrupted'])
  })

  it('does not show the home that is used by default either', async () => {
    const user = stage.folder()
    const keys = join(user, '.local/state/ambit/keys')
    mkdirSync(keys, { recursive: true })
    writeFileSync(join(keys, 'default.pem'), 'a key')
    const file = join(keys, 'default.pem')
    const { options } = caseOf([commandOf({ argv: ['cat', file], cwd: user, read: [user] })])
    const before = process.env['HOME']
    process.env['HOME'] = user
    try {
      const result = await run(options)
      expect(result).toMatchObject({ status: 'failed', exit_code: 1 })
      expect(Buffer.from(result.stdout).toString()).toBe('')
    } finally {
      process.env['HOME'] = before
    }
  })
})
