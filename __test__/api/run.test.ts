// SPDX-License-Identifier: Apache-2.0
// `run` as a program uses it: stopping, streaming, bounds, order, threads.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunOptions, type RunResult, run } from '../../dist/index.js'
import {
  type CommandChoice,
  commandOf,
  contractOf,
  policyOf,
  writeDocuments,
} from '../e2e/support/documents.js'
import { entriesIn, faultsOf, summary } from '../e2e/support/ledger.js'
import { processesWith } from '../e2e/support/processes.js'
import { PYTHON } from '../e2e/support/range.js'
import { Stage, publicKeyIn, withoutPrograms, withoutSandbox } from '../e2e/support/stage.js'

const SLEEP = '/bin/sleep'
const ALLOWED = ['cat', 'false', PYTHON, 'head', 'sh', 'touch', 'true', SLEEP]
const MIB = 1024 * 1024

let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

const bytes = (document: object) => Buffer.from(JSON.stringify(document))

/** Documents for these commands as `run` takes them, with a home of their own. */
function optionsFor(...commands: readonly CommandChoice[]): RunOptions & { home: string } {
  const home = stage.home()
  return {
    contract: bytes(contractOf(commands.map(commandOf))),
    policy: bytes(policyOf(ALLOWED)),
    env: { AMBIT_HOME: home },
    home,
  }
}

/** A command that runs a shell script in a folder that it can write. */
function shell(text: string): CommandChoice & { work: string } {
  const work = stage.folder()
  const script = join(stage.folder(), 'script.sh')
  writeFileSync(script, text)
  return { argv: ['sh', script], cwd: work, read: [script], write: [work], work }
}

/** A command that writes zeros, and beside them how many it has written. */
function writer(size: number): CommandChoice & { work: string } {
  const work = stage.folder()
  const script = join(stage.folder(), 'write.py')
  writeFileSync(join(work, 'written'), '0')
  writeFileSync(
    script,
    `import os
piece, written = bytes(65536), 0
count = os.open("written", os.O_WRONLY)
while written < ${size}:
    written += os.write(1, piece)
    os.pwrite(count, b"%d" % written, 0)
`,
  )
  return { argv: [PYTHON, script], cwd: work, read: [script], write: [work], work }
}

/** A command that says so when it has begun, and then sleeps as nothing else does. */
function sleeper(): { command: CommandChoice; alive: () => boolean } {
  const command = shell('')
  const seconds = `300.${process.pid}${command.work.replace(/\D/gu, '')}`
  const script = command.argv[1] ?? ''
  writeFileSync(script, `echo begun\n${SLEEP} ${seconds}\n`)
  return { command, alive: () => processesWith(`${SLEEP}\0${seconds}`).length > 0 }
}

const text = (output: Uint8Array): string => Buffer.from(output).toString('utf8')
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

const skip = withoutPrograms(SLEEP, PYTHON) || (await withoutSandbox())

describe.skipIf(skip)('a signal', () => {
  it('stops a run: the command is dead and the outcome recorded', async () => {
    const { command, alive } = sleeper()
    const options = optionsFor(command)
    const stop = new AbortController()
    let lived = false
    const onStdout = () => {
      lived = true
      stop.abort()
    }
    const result = await run({ ...options, signal: stop.signal, onStdout })
    expect(lived).toBe(true)
    expect(alive()).toBe(false)
    expect(result).toMatchObject({
      status: 'interrupted',
      commands: [{ termination: { kind: 'cancelled' } }],
    })
    const entries = entriesIn(options.home)
    expect(summary(entries)).toEqual(['intent allow', 'outcome interrupted'])
    expect(await faultsOf(entries, publicKeyIn(options.home))).toEqual([])
  })

  it('that was given already rejects with its reason and records nothing', async () => {
    const options = optionsFor({ argv: ['true'], cwd: '/usr' })
    const reason = new Error('no longer wanted')
    const signal = AbortSignal.abort(reason)
    await expect(run({ ...options, signal })).rejects.toBe(reason)
    expect(existsSync(join(options.home, 'ledger'))).toBe(false)
  })
})

describe.skipIf(skip)('a listener', () => {
  it('gets output while the command runs', async () => {
    const command = shell('echo first\nuntil [ -e go ]; do sleep 0.01; done\necho second\n')
    const heard: string[] = []
    const onStdout = (piece: Uint8Array, id: string) => {
      heard.push(`${id} ${text(piece)}`)
      // the command waits for it: if the piece came at the end only, this would never end
      writeFileSync(join(command.work, 'go'), '')
    }
    const result = await run({ ...optionsFor({ ...command, id: 'talker' }), onStdout })
    expect(heard).toEqual(['talker first\n', 'talker second\n'])
    expect({ status: result.status, stdout: text(result.stdout) }).toEqual({
      status: 'success',
      stdout: 'first\nsecond\n',
    })
  })

  it('gets standard error apart', async () => {
    const heard = { stdout: '', stderr: '' }
    await run({
      ...optionsFor(shell('echo out; echo err >&2')),
      onStdout: (piece) => (heard.stdout += text(piece)),
      onStderr: (piece) => (heard.stderr += text(piece)),
    })
    expect(heard).toEqual({ stdout: 'out\n', stderr: 'err\n' })
  })

  it('that throws stops the run, which rejects with that very error once recorded', async () => {
    const { command, alive } = sleeper()
    const options = optionsFor(command)
    const thrown = new RangeError('mine')
    const onStdout = () => {
      throw thrown
    }
    await expect(run({ ...options, onStdout })).rejects.toBe(thrown)
    expect(alive()).toBe(false)
    const entries = entriesIn(options.home)
    expect(summary(entries)).toEqual(['intent allow', 'outcome interrupted'])
    expect(entries[1]?.payload).toMatchObject({ error: { code: 'LISTENER_FAILED' } })
  })

  it('that is slow slows the command down: 50 MB are never far ahead of it', async () => {
    const size = 50 * MIB
    const { work, ...command } = writer(size)
    const pause = new Int32Array(new SharedArrayBuffer(4))
    let [heard, ahead] = [0, 0]
    const onStdout = (piece: Uint8Array) => {
      heard += piece.length
      Atomics.wait(pause, 0, 0, 0.2)
      ahead = Math.max(ahead, Number(readFileSync(join(work, 'written'), 'utf8')) - heard)
    }
    const result = await run({ ...optionsFor(command), onStdout })
    expect(result.commands[0]).toMatchObject({
      termination: { kind: 'exited', code: 0 },
      stdout: { bytes: size, truncated: true },
    })
    expect(heard).toBe(size)
    // what waits is two full pipes, a piece and what Node has read, and then the command does
    expect(ahead / MIB).toBeLessThan(2)
    expect(ahead).toBeGreaterThan(0)
  })

  it('that returns a promise makes the command wait for it', async () => {
    const size = 10 * MIB
    const { work, ...command } = writer(size)
    let [heard, ahead] = [0, 0]
    const onStdout = async (piece: Uint8Array) => {
      heard += piece.length
      await new Promise(setImmediate)
      ahead = Math.max(ahead, Number(readFileSync(join(work, 'written'), 'utf8')) - heard)
    }
    const result = await run({ ...optionsFor(command), onStdout })
    expect(result.commands[0]).toMatchObject({ stdout: { bytes: size } })
    expect(heard).toBe(size)
    expect(ahead / MIB).toBeLessThan(1)
  })

  it('whose promise never resolves keeps no run that is stopped', async () => {
    const stop = new AbortController()
    const onStdout = () => {
      stop.abort()
      return new Promise(() => {})
    }
    const options = { ...optionsFor(writer(10 * MIB)), onStdout, signal: stop.signal }
    expect(await run(options)).toMatchObject({ status: 'interrupted' })
  })

  it('of `ambit run` that is slow keeps the command, and memory, back', async () => {
    const size = 30 * MIB
    const { work, ...command } = writer(size)
    const files = writeDocuments(
      stage.folder(),
      contractOf([commandOf(command)]),
      policyOf(ALLOWED),
    )
    const { bin, node } = stage.installed
    const child = spawn(node, [bin, 'run', files.contract, files.policy, '--quiet'], {
      env: { AMBIT_HOME: stage.home() },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let [heard, ahead] = [0, 0]
    for await (const piece of child.stdout as AsyncIterable<Uint8Array>) {
      heard += piece.length
      ahead = Math.max(ahead, Number(readFileSync(join(work, 'written'), 'utf8')) - heard)
    }
    expect(heard).toBe(size)
    expect(ahead / MIB).toBeLessThan(2)
  })
})

describe.skipIf(skip)('a run', () => {
  it('keeps the beginning of long output, and the digest of all of it', async () => {
    const size = 10 * MIB + 1
    const result = await run(
      optionsFor({ argv: ['head', '-c', String(size), '/dev/zero'], cwd: '/usr' }),
    )
    expect(result.stdout).toHaveLength(10 * MIB)
    expect(result.commands[0]?.stdout).toEqual({
      sha256: sha256(Buffer.alloc(size)),
      bytes: size,
      truncated: true,
    })
    expect(JSON.parse(result.receipts.csc)).toMatchObject({
      stdout_hash: `sha256:${sha256(Buffer.alloc(size))}`,
      stdout_truncated: true,
    })
  })

  it('stops at the first command that fails', async () => {
    const work = stage.folder()
    const command = { cwd: work, write: [work] }
    const options = optionsFor(
      { ...command, id: 'a', argv: ['touch', join(work, 'a')] },
      { ...command, id: 'b', argv: ['false'] },
      { ...command, id: 'c', argv: ['touch', join(work, 'c')] },
    )
    const result = await run(options)
    expect(result).toMatchObject({ status: 'failed', exit_code: 1 })
    expect(result.commands.map(({ id }) => id)).toEqual(['a', 'b'])
    expect([existsSync(join(work, 'a')), existsSync(join(work, 'c'))]).toEqual([true, false])
    expect(JSON.parse(result.receipts.csc)).toMatchObject({
      status: 'failed',
      completed_command_ids: ['a'],
      failed_command_id: 'b',
    })
  })

  it('works eight at a time without mixing anything up', async () => {
    const options = optionsFor({ argv: ['true'], cwd: '/usr' })
    const results = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const { argv, ...scope } = shell(`for i in 1 2 3 4 5 6 7 8 9; do echo ${index}; done`)
        const contract = bytes(contractOf([commandOf({ argv, ...scope })]))
        return await run({ ...options, contract })
      }),
    )
    const outputs = results.map(({ stdout }) => text(stdout))
    expect(outputs).toEqual(Array.from({ length: 8 }, (_, index) => `${index}\n`.repeat(9)))
    const entries = entriesIn(options.home)
    expect(entries).toHaveLength(16)
    expect(await faultsOf(entries, publicKeyIn(options.home))).toEqual([])
  })

  it('works in a worker thread', async () => {
    const { contract, policy, home } = optionsFor(shell('echo from a thread'))
    const entry = join(stage.installed.folder, 'worker.mjs')
    writeFileSync(
      entry,
      `import { parentPort, workerData } from 'node:worker_threads'
       import { run } from 'ambit'
       const { contract, policy, home } = workerData
       const pieces = []
       const { status, stdout } = await run({
         contract, policy, env: { AMBIT_HOME: home }, onStdout: (piece) => pieces.push(piece.length),
       })
       parentPort.postMessage({ status, stdout: Buffer.from(stdout).toString(), pieces })`,
    )
    const worker = new Worker(entry, { workerData: { contract, policy, home } })
    const [answer] = (await once(worker, 'message')) as [Partial<RunResult>]
    expect(answer).toEqual({ status: 'success', stdout: 'from a thread\n', pieces: [14] })
    await once(worker, 'exit')
  })
})
