// SPDX-License-Identifier: Apache-2.0
// Local mode: the same decision, no sandbox, and receipts that say so.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { check, describePublicKey, run } from '../../dist/index.js'
import { csc, installCscRunner } from './support/csc-runner.js'
import {
  type CommandChoice,
  commandOf,
  contractOf,
  policyOf,
  writeDocuments,
} from './support/documents.js'
import { oneObject } from './support/json.js'
import { entriesIn, faultsOf, summary } from './support/ledger.js'
import { processesWith, until } from './support/processes.js'
import { PYTHON } from './support/range.js'
import { Stage, publicKeyIn, withoutPrograms } from './support/stage.js'

const ALLOWED = ['cat', 'echo', 'env', 'false', 'pwd', 'sh', 'sleep', 'tr', 'yes', 'head']
const REASON = 'local mode: nothing enforced by the kernel'
const WARNING = 'local: nothing enforced by the kernel\n'
const noRunner = withoutPrograms(PYTHON) || installCscRunner() !== undefined
let stage: Stage
let home: string

beforeAll(() => {
  stage = new Stage()
  home = stage.home()
})

afterAll(() => stage.dispose())

const bytes = (document: object) => Buffer.from(JSON.stringify(document))
const text = (output: Uint8Array) => Buffer.from(output).toString()

/** The start of a command line that runs these commands in local mode. */
function lineOf(commands: readonly object[], policy: object = policyOf(ALLOWED)): string[] {
  const files = writeDocuments(stage.folder(), contractOf(commands), policy)
  return ['run', files.contract, files.policy, '--mode', 'local']
}

/** A command that runs a shell script. */
function shell(script: string, choice: Partial<CommandChoice> = {}): CommandChoice {
  const folder = stage.folder()
  writeFileSync(join(folder, 's.sh'), script)
  return { argv: ['sh', join(folder, 's.sh')], cwd: folder, read: [folder], ...choice }
}

/** Runs a command through the API. */
async function runOf(choice: CommandChoice, env: Record<string, string> = {}, members = {}) {
  const own = stage.home()
  const command = { ...commandOf(choice), ...members }
  const result = await run({
    contract: bytes(contractOf([command], { version: 'ambit.contract.v1' })),
    policy: bytes(policyOf(ALLOWED)),
    mode: 'local',
    env: { AMBIT_HOME: own, ...env },
  })
  return { result, home: own }
}

describe('ambit run --mode local', () => {
  it('says on stderr, also when it is quiet, that nothing is enforced', async () => {
    const argv = lineOf([commandOf({ argv: ['echo', '$HOME', '*'], cwd: '/usr' })])
    const words = await stage.ambit(argv, { home })
    expect(words).toMatchObject({ code: 0, stdout: '$HOME *\n' })
    expect(words.stderr.startsWith(WARNING)).toBe(true)
    expect(words.stderr).toMatch(/\n✓ success {2}exit 0 {2}sandbox none {2}run_\S+\n$/u)
    const quiet = await stage.ambit([...argv, '--quiet'], { home })
    expect(quiet).toMatchObject({ code: 0, stderr: WARNING })
    const json = await stage.ambit([...argv, '--json'], { home })
    expect(oneObject(json.stdout)).toMatchObject({
      status: 'success',
      decision: { mode: 'local', decision: 'allow' },
      commands: [{ enforcement: { tier: 'none', mechanisms: { landlock: { reason: REASON } } } }],
    })
  })

  it.each<[string, number, () => CommandChoice]>([
    ["the command's own code", 3, () => shell('exit 3')],
    ['120 when denied', 120, () => ({ argv: ['rm', 'x'], cwd: '/usr' })],
    ['120 for inline code', 120, () => ({ argv: ['sh', '-c', 'exit 0'], cwd: '/usr' })],
    ['122 when a path is not there', 122, () => ({ argv: ['pwd'], cwd: '/nothing' })],
    ['124 when it takes too long', 124, () => shell('sleep 60', { timeoutSec: 1 })],
    ['126 when it is not executable', 126, () => ({ argv: [textFile()], cwd: '/usr' })],
    ['127 when it is not there', 127, () => ({ argv: ['/usr/nothing/cat'], cwd: '/usr' })],
    ['137 when it is killed', 137, () => shell('kill -9 $$')],
  ])('ends with %s', async (_, code, choice) => {
    const made = choice()
    const names = made.argv.filter((name) => name.startsWith('/'))
    const policy = policyOf([...ALLOWED, ...names])
    const ended = await stage.ambit(lineOf([commandOf(made)], policy), { home })
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: '' })
  })

  it('decides as `check --mode local` does', async () => {
    const cases = [['echo'], ['rm'], ['sh', '-c', 'x'], ['python3', '-c', 'x']]
    for (const argv of cases) {
      const contract = bytes(contractOf([commandOf({ argv, cwd: '/usr' })]))
      const policy = bytes(policyOf([...ALLOWED, 'python3']))
      const now = () => new Date('2026-01-01T00:00:00Z')
      const checked = await check({ contract, policy, mode: 'local', now })
      const env = { AMBIT_HOME: home }
      const { decision } = await run({ contract, policy, mode: 'local', now, env })
      expect(decision).toEqual(checked)
    }
  })

  it('refuses under a floor, where hardened mode is the way', async () => {
    const policy = policyOf(ALLOWED, {
      policy_schema_version: 'ambit.policy.v1',
      enforcement_floor: 'lite',
    })
    const argv = lineOf([commandOf({ argv: ['pwd'], cwd: '/usr' })], policy)
    const { code, stdout } = await stage.ambit([...argv, '--json'], { home })
    expect(code).toBe(120)
    expect(stdout).toContain('ENFORCEMENT_BELOW_FLOOR')
  })

  it.each([
    ['is asked to end before its timeout', {}, 'asked\n'],
    ['is not asked where the policy gives no time', { timeout_grace_ms: 0 }, ''],
  ])('%s', async (_, changes, stdout) => {
    const version = { policy_schema_version: 'ambit.policy.v1' }
    const policy = policyOf(ALLOWED, { ...version, ...changes })
    const command = shell("trap 'echo asked; exit 0' TERM; sleep 60 & wait", { timeoutSec: 1 })
    const ended = await stage.ambit(lineOf([commandOf(command)], policy), { home })
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 124, stdout })
  })

  it('without a key runs nothing', async () => {
    const folder = stage.folder()
    const command = shell('echo > ran', { cwd: folder })
    const ended = await stage.ambit(lineOf([commandOf(command)]), { home: stage.emptyHome() })
    expect(ended.code).toBe(125)
    expect(existsSync(join(folder, 'ran'))).toBe(false)
    await stage.ambit(lineOf([commandOf(command)]), { home })
    expect(existsSync(join(folder, 'ran'))).toBe(true)
  })

  it('stopped by a signal ends the command and records it', async () => {
    const own = stage.home()
    const seconds = `300.${process.pid}`
    const command = commandOf(shell(`echo begun; sleep ${seconds}`))
    const running = stage.start(lineOf([command]), { home: own })
    await running.says('begun')
    await until(() => processesWith(`sleep\0${seconds}`).length === 1)
    running.child.kill('SIGTERM')
    expect(await running.ended).toMatchObject({ code: 143 })
    expect(processesWith(`sleep\0${seconds}`)).toEqual([])
    expect(summary(entriesIn(own))).toEqual(['intent allow', 'outcome interrupted'])
  })
})

/** An executable text that names no interpreter: no shell may guess that it is meant. */
function textFile(): string {
  const folder = join(stage.folder(), 'bin')
  mkdirSync(folder)
  const path = join(folder, 'cat')
  writeFileSync(path, 'echo guessed', { mode: 0o755 })
  return path
}

describe('a local run', () => {
  it('has an environment of PATH and what the contract names, and no more', async () => {
    const env = { LANG: 'C', OTHER: 'x', HOME: '/root' }
    const given = { argv: ['env'], cwd: '/usr' }
    const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    const bare = await runOf(given, env)
    expect(text(bare.result.stdout)).toBe(`${PATH}\n`)
    const named = await runOf({ ...given, env: ['LANG', 'HOME'] }, env)
    expect(text(named.result.stdout).trim().split('\n').toSorted()).toEqual([
      'HOME=/root',
      'LANG=C',
      PATH,
    ])
  })

  it('leaves receipts that say that nothing was enforced, and that verify', async () => {
    const { result, home: own } = await runOf({ argv: ['pwd'], cwd: '/usr' })
    expect(JSON.parse(result.receipts.csc)).toMatchObject({ execution_mode: 'local' })
    const entries = entriesIn(own)
    expect(await faultsOf(entries, publicKeyIn(own))).toEqual([])
    const [decision, execution] = entries.map(({ payload }) => payload)
    expect(decision).toMatchObject({ type: 'ambit:decision', mode: 'local' })
    expect(execution).toMatchObject({
      type: 'ambit:execution',
      mode: 'local',
      status: 'success',
      commands: [{ tier: 'none', termination: 'exited', exit_code: 0 }],
      enforcement: { tier: 'none' },
      scope: { declared: [{ network: 'deny' }], granted: [{ network: 'full' }] },
    })
    const { mechanisms = {} } = (execution?.['enforcement'] ?? {}) as {
      mechanisms?: Record<string, object>
    }
    expect(Object.keys(mechanisms).length).toBe(19)
    for (const mechanism of Object.values(mechanisms)) {
      expect(mechanism).toEqual({ state: 'not_requested', reason: REASON })
    }
  })

  it('is held to nothing: it writes where hardened mode does not let it', async () => {
    const outside = join(stage.folder(), 'written')
    const { result } = await runOf(shell(`echo > ${outside}`))
    expect([result.status, existsSync(outside)]).toEqual(['success', true])
  })

  it('has pipelines and standard input', async () => {
    const work = stage.folder()
    writeFileSync(join(work, 'in'), 'a file')
    const given = { argv: ['x'], cwd: work }
    const pipeline = {
      exec: undefined,
      pipeline: {
        segments: [
          ['yes', 'a'],
          ['head', '-n', '2'],
          ['tr', 'a', 'B'],
        ].map((argv) => ({ argv })),
      },
    }
    const piped = await runOf(given, {}, pipeline)
    expect([piped.result.status, text(piped.result.stdout)]).toEqual(['success', 'B\nB\n'])
    const cat = { argv: ['cat'], cwd: work }
    const typed = await runOf(cat, {}, { stdin: { text: 'tëxt' } })
    expect(text(typed.result.stdout)).toBe('tëxt')
    const filed = await runOf(cat, {}, { stdin: { file: join(work, 'in') } })
    expect(text(filed.result.stdout)).toBe('a file')
  })
})

describe.skipIf(noRunner)('csc-runner', () => {
  it.each<[string, number, CommandChoice]>([
    ['a success', 0, { argv: ['echo', 'naïve ☃'], cwd: '/usr' }],
    ['a denial', 120, { argv: ['rm', 'x'], cwd: '/usr' }],
    ['a failure', 1, { argv: ['false'], cwd: '/usr' }],
    ['a timeout', 124, { argv: ['sleep', '60'], cwd: '/usr', timeoutSec: 1 }],
  ])('accepts our receipt of %s in local mode', async (_, code, choice) => {
    const folder = stage.folder()
    const receipt = join(folder, 'receipt.json')
    const sign = ['--sign', '--signing-key', join(home, 'keys/default.pem'), '--key-id', 'live']
    const argv = [...lineOf([commandOf(choice)]), '--receipt-out', receipt, ...sign]
    expect((await stage.ambit(argv, { home })).code).toBe(code)
    const document: unknown = JSON.parse(readFileSync(receipt, 'utf8'))
    expect(document).toMatchObject({ execution_mode: 'local' })
    const key = join(folder, 'key.raw')
    writeFileSync(key, Buffer.from(describePublicKey(publicKeyIn(home)).hex, 'hex'))
    const verified = await csc('verify-receipt', receipt, '--public-key', key, '--key-id', 'live')
    expect(verified).toMatchObject({ code: 0, stdout: 'VALID — receipt signature verified\n' })
  })
})
