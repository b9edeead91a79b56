// SPDX-License-Identifier: Apache-2.0
// Pipelines, standard input, holes in a scope and limits of a contract, in the sandbox and in the
// receipts.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunResult, run, sha256 } from '../../dist/index.js'
import { type CommandChoice, commandOf, contractOf, policyOf } from './support/documents.js'
import { entriesIn, faultsOf } from './support/ledger.js'
import { Stage, publicKeyIn, withoutPrograms, withoutSandbox } from './support/stage.js'

const ALLOWED = ['cat', 'head', 'sh', 'tr', 'wc', 'yes']
const bytes = (document: object) => Buffer.from(JSON.stringify(document))
const text = (output: Uint8Array) => Buffer.from(output).toString()
let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

/** Runs one command of `ambit.contract.v1`. */
async function runOf(
  choice: Partial<CommandChoice>,
  members: object,
): Promise<{ result: RunResult; home: string }> {
  const home = stage.home()
  const env = { AMBIT_HOME: home, PATH: '/usr/bin:/bin' }
  const command = { ...commandOf({ argv: ['cat'], cwd: '/usr', ...choice }), ...members }
  const contract = bytes(contractOf([command], { version: 'ambit.contract.v1' }))
  return { result: await run({ contract, policy: bytes(policyOf(ALLOWED)), env }), home }
}

/** The payload of the ledger's last entry. */
function lastOf(home: string): Record<string, unknown> {
  return entriesIn(home).at(-1)?.payload ?? {}
}

const pipeline = (...argvs: readonly string[][]) => ({
  exec: undefined,
  pipeline: { segments: argvs.map((argv) => ({ argv })) },
})

const skip = withoutPrograms('/usr/bin/tr', '/bin/sh') || (await withoutSandbox())

describe.skipIf(skip)('a command', () => {
  it('of several programs is a pipeline in one sandbox, and its receipt names each', async () => {
    const argvs = [
      ['yes', 'a'],
      ['head', '-n', '2'],
      ['tr', 'a', 'B'],
    ]
    const { result, home } = await runOf({}, pipeline(...argvs))
    expect([result.status, result.exit_code, text(result.stdout)]).toEqual(['success', 0, 'B\nB\n'])
    const entries = entriesIn(home)
    expect(await faultsOf(entries, publicKeyIn(home))).toEqual([])
    const { commands, scope } = lastOf(home) as unknown as {
      commands: { executable: string; piped_into: { executable: string; argv_hash: string }[] }[]
      scope: { observed: { executable: string }[] }
    }
    const names = commands.flatMap(({ executable, piped_into }) => [
      executable,
      ...piped_into.map((program) => program.executable),
    ])
    expect(names.map((name) => name.split('/').at(-1))).toEqual(['yes', 'head', 'tr'])
    expect(scope.observed.map(({ executable }) => executable)).toEqual(names)
    expect(commands[0]?.piped_into.map((program) => Object.keys(program).toSorted())).toEqual([
      ['argv_hash', 'executable'],
      ['argv_hash', 'executable'],
    ])
  })

  it('of several programs fails as the first that failed', async () => {
    const { result } = await runOf({}, pipeline(['cat', '/nothing'], ['wc', '-c']))
    expect([result.status, result.exit_code, text(result.stdout)]).toEqual(['failed', 1, '0\n'])
  })

  it('reads nothing, a text, or a file in its scope', async () => {
    const work = stage.folder()
    writeFileSync(join(work, 'in'), 'from a file')
    const given = { argv: ['cat'], cwd: work }
    const outputs = []
    for (const stdin of [undefined, { text: 'tëxt' }, { file: join(work, 'in') }]) {
      const { result } = await runOf(given, { stdin })
      outputs.push(text(result.stdout))
    }
    expect(outputs).toEqual(['', 'tëxt', 'from a file'])
  })

  it('does not see what its contract denies inside a tree that it may read', async () => {
    const work = stage.folder()
    writeFileSync(join(work, 'secret'), 'CANARY')
    writeFileSync(join(work, 'open'), 'open')
    const argv = ['cat', join(work, 'open'), join(work, 'secret')]
    const control = await runOf({ argv, cwd: work }, {})
    expect(text(control.result.stdout)).toBe('openCANARY')
    const denied = await runOf({ argv, cwd: work }, { deny_paths: [join(work, 'secret')] })
    expect(text(denied.result.stdout)).toBe('open')
  })

  it('leaves files whose digests are in its receipt, where a glob means them', async () => {
    const work = stage.folder()
    const script = join(work, 's.sh')
    const lines = [
      'mkdir -p out/sub out/no',
      'printf one > out/a.js; printf two > out/sub/b.js; printf x > out/c.txt; printf y > out/no/d.js',
      'ln -s /etc/passwd out/link.js; ln -s /etc out/tree; mkdir out/dir.js',
    ]
    writeFileSync(script, lines.join('\n'))
    const given = { argv: ['sh', script], cwd: work, write: [work] }
    const members = { artifacts: [join(work, 'out/**/*.js')], deny_paths: [] }
    const { result, home } = await runOf(given, members)
    expect(result.status).toBe('success')
    const { artifacts } = lastOf(home) as { artifacts: { path: string }[] }
    expect(artifacts).toEqual([
      { path: join(work, 'out/a.js'), sha256: sha256('one'), bytes: 3 },
      { path: join(work, 'out/no/d.js'), sha256: sha256('y'), bytes: 1 },
      { path: join(work, 'out/sub/b.js'), sha256: sha256('two'), bytes: 3 },
    ])
  })

  it('has no file among its artifacts that it could not see', async () => {
    const work = stage.folder()
    const script = join(work, 's.sh')
    mkdirSync(join(work, 'no'))
    writeFileSync(join(work, 'no/d.js'), 'CANARY')
    writeFileSync(script, 'printf one > a.js')
    const given = { argv: ['sh', script], cwd: work, write: [work] }
    const members = { artifacts: [join(work, '**/*.js')], deny_paths: [join(work, 'no')] }
    const { home } = await runOf(given, members)
    const { artifacts } = lastOf(home) as { artifacts: { path: string }[] }
    expect(artifacts.map(({ path }) => path)).toEqual([join(work, 'a.js')])
  })

  it('keeps the limits of its contract', async () => {
    const work = stage.folder()
    const script = join(work, 's.sh')
    writeFileSync(script, 'head -c 4096 /dev/zero > out; ulimit -n; ulimit -t')
    const given = { argv: ['sh', script], cwd: work, write: [work] }
    const limits = { max_file_size_bytes: 512, max_open_files: 64, cpu_sec: 7 }
    const { result } = await runOf(given, { limits })
    expect(text(result.stdout)).toBe('64\n7\n')
    const { rlimits, process_limit: processes } = result.commands[0]?.enforcement.mechanisms ?? {}
    const held = { cpu_sec: '7', max_file_size_bytes: '512', max_open_files: '64' }
    expect(rlimits?.facts).toMatchObject(held)
    expect(processes?.facts).toMatchObject({ max_processes: '1024' })
    expect(existsSync(join(work, 'out'))).toBe(true)
  })
})
