// SPDX-License-Identifier: Apache-2.0
// The same scenarios through `child_process.spawn` and `Sandbox.spawn`: events, outputs, codes.
import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  Sandbox,
  type SandboxedProcess,
  SandboxError,
  type SpawnOptions,
  launch,
} from '../../dist/index.js'
import { start } from '../e2e/support/processes.js'
import { withoutSandbox } from '../e2e/support/stage.js'
import { SELF } from '../e2e/support/users.js'

let top = ''
beforeAll(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'ambit-spawn-')))
})
afterAll(() => {
  rmSync(top, { recursive: true, force: true })
})

const skip = await withoutSandbox()
const ENV = { PATH: '/usr/bin:/bin', NAME: 'value' }

type Child = ChildProcess | SandboxedProcess
type Act = (child: Child) => void

interface Scenario {
  readonly name: string
  readonly command: string
  readonly args?: readonly string[]
  readonly options?: Omit<SpawnOptions, 'cwd'>
  readonly act?: Act
  /** Whether `spawn` may come later, or not at all, since nothing was started by then. */
  readonly isEarly?: true
}

const sh = (script: string) => ({ command: 'sh', args: ['-c', script] })
const onReady = (act: Act): Act => {
  return (child) => child.stdout?.once('data', () => act(child))
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'output and code', ...sh('printf out; printf err >&2; exit 3') },
  { name: 'nothing', ...sh('exit 0') },
  { name: 'a lot of output', ...sh('head -c 3000000 /dev/zero') },
  { name: 'its environment and arguments', ...sh('echo $NAME $# $0') },
  { name: 'argv0', command: 'sh', args: ['-c', 'echo $0'], options: { argv0: 'other' } },
  { name: 'a command that there is not', command: 'ambit-no-such-command', args: ['a'] },
  { name: 'a file that cannot be executed', command: '/etc/ld.so.cache' },
  { name: 'a shell', command: 'echo $NAME; exit 4', options: { shell: true } },
  {
    name: 'input',
    command: 'cat',
    act: (child) => {
      child.stdin?.write('one ')
      child.stdin?.end('two')
    },
  },
  { name: 'no input', command: 'cat', options: { stdio: ['ignore', 'pipe', 'pipe'] } },
  { name: 'ignored output', ...sh('echo x; echo y >&2'), options: { stdio: 'ignore' } },
  { name: 'its own signal', ...sh('kill -9 $$') },
  {
    name: 'a signal that ends it',
    ...sh('echo; exec sleep 50'),
    act: onReady((child) => child.kill()),
  },
  {
    name: 'a signal that it catches',
    ...sh("trap 'echo caught; exit 9' TERM; echo; sleep 50 >/dev/null 2>&1 & wait"),
    act: onReady((child) => child.kill('SIGTERM')),
  },
  { name: 'SIGKILL', ...sh('echo; exec sleep 50'), act: onReady((child) => child.kill('SIGKILL')) },
  {
    name: 'a signal at once',
    ...sh('exec sleep 50'),
    act: (child) => child.kill('SIGKILL'),
    isEarly: true,
  },
  { name: 'a timeout', ...sh('exec sleep 50'), options: { timeout: 300 } },
  {
    name: 'a timeout with a signal',
    ...sh('exec sleep 50'),
    options: { timeout: 300, killSignal: 'SIGKILL' },
  },
  {
    name: 'an abort before',
    ...sh('exec sleep 50'),
    options: { signal: AbortSignal.abort('no') },
    isEarly: true,
  },
]

/** What is compared of an error. */
function factsOf(error: unknown): object {
  const { name, code, errno, syscall, path, spawnargs, message, cause } =
    error as NodeJS.ErrnoException & {
      spawnargs?: string[]
      cause?: unknown
    }
  return { name, code, errno, syscall, path, spawnargs, message, cause }
}

interface Seen {
  readonly events: readonly (readonly unknown[])[]
  readonly stdout: string
  readonly stderr: string
  readonly streams: readonly boolean[]
  readonly state: object
  readonly afterwards: boolean
}

const withoutSpawn = ({ events, ...rest }: Seen) => ({
  ...rest,
  events: events.filter(([name]) => name !== 'spawn'),
})

async function seen(child: Child, act?: Act): Promise<Seen> {
  const events: unknown[][] = []
  const out = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  for (const name of ['spawn', 'exit', 'close'] as const) {
    ;(child as ChildProcess).on(name, (...args: unknown[]) => events.push([name, ...args]))
  }
  child.on('error', (error: unknown) => events.push(['error', factsOf(error)]))
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (piece: Buffer) => out[name].push(piece))
    child[name]?.on('end', () => out[name].push(Buffer.from('<end>')))
  }
  act?.(child)
  await new Promise((resolve) => (child as ChildProcess).once('close', resolve))
  const { exitCode, signalCode, killed, spawnfile, spawnargs } = child
  return {
    events,
    stdout: Buffer.concat(out.stdout).toString('latin1'),
    stderr: Buffer.concat(out.stderr).toString('latin1'),
    streams: [child.stdin, child.stdout, child.stderr].map((stream) => stream === null),
    state: { exitCode, signalCode, killed, spawnfile, spawnargs },
    afterwards: child.kill(),
  }
}

describe.skipIf(skip)('Sandbox.spawn', () => {
  it.each(SCENARIOS)(
    'is child_process.spawn for $name',
    async ({ command, args = [], isEarly = false, ...rest }) => {
      const options = { cwd: '/usr', env: ENV, ...rest.options }
      const outside = await seen(spawn(command, args, options as object), rest.act)
      const inside = await seen(new Sandbox().spawn(command, args, options), rest.act)
      const compared = isEarly ? withoutSpawn : (all: Seen) => all
      expect(compared(inside)).toEqual(compared(outside))
    },
  )

  it('has a pid from spawn on, and says what was enforced', async () => {
    const child = new Sandbox().spawn('sleep', ['50'], { cwd: '/usr' })
    expect(child.pid).toBeUndefined()
    await new Promise((resolve) => child.once('spawn', resolve))
    expect(readFileSync(`/proc/${child.pid}/comm`, 'utf8')).toContain('ambit')
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
    expect(child.outcome?.enforcement.tier).toBe('full')
    expect(child.outcome?.termination).toEqual({ kind: 'cancelled' })
  })

  it('gives a command what the sandbox was made with, and nothing else', async () => {
    const sandbox = new Sandbox({ read: [top], hidden: [join(top, 'h')], write: [join(top)] })
    const script = 'echo in > f; cat f; env | sort; cat /etc/hostname; echo > /usr/x'
    const child = sandbox.spawn('sh', ['-c', script], {
      cwd: top,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const result = await seen(child)
    expect(result).toMatchObject({ state: { exitCode: 2 } })
    expect((result as unknown as { stdout: string }).stdout).toMatch(/^in\nHOME=\/tmp\n.*PATH=/su)
    expect((result as unknown as { stdout: string }).stdout).not.toContain('VITEST')
    expect(readFileSync(join(top, 'f'), 'utf8')).toBe('in\n')
  })

  it('writes to descriptors of the caller through copies', async () => {
    const path = join(top, 'out')
    const fd = openSync(path, 'w')
    const child = new Sandbox().spawn('sh', ['-c', 'head -c 200000 /dev/zero; echo x >&2'], {
      cwd: '/usr',
      stdio: ['ignore', fd, { fd }],
    })
    await new Promise((resolve) => child.once('close', resolve))
    closeSync(fd)
    expect([child.stdout, child.stderr]).toEqual([null, null])
    expect(readFileSync(path).length).toBe(200_002)
  })

  it('passes the streams of its process on, as the other does', async () => {
    const api = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href
    const code = (imports: string, spawning: string) => `${imports}
      const child = ${spawning}('sh', ['-c', 'cat; head -c 300000 /dev/zero; echo err >&2; exit 4'],
        { cwd: '/usr', stdio: 'inherit', env: ${JSON.stringify(ENV)} })
      child.on('close', (code) => { process.exitCode = code })`
    const outcomes = [
      code("import { spawn } from 'node:child_process'", 'spawn'),
      code(`import { Sandbox } from '${api}'`, 'new Sandbox().spawn'),
    ].map(async (text, index) => {
      const path = join(top, `inherit-${index}.mjs`)
      writeFileSync(path, text)
      const running = start(process.execPath, [path], { user: SELF, stdin: 'pipe' })
      running.child.stdin?.end('in\n')
      return await running.ended
    })
    const [outside, inside] = await Promise.all(outcomes)
    expect(inside).toEqual(outside)
    expect(outside).toMatchObject({ code: 4, stderr: 'err\n' })
  })

  it('waits for a reader, and closes without one', async () => {
    const child = new Sandbox().spawn('sh', ['-c', 'head -c 3000000 /dev/zero'], { cwd: '/usr' })
    // nobody listens: the end of the command pulls what is left
    const killed = new Promise((resolve) => child.once('close', resolve))
    await new Promise((resolve) => child.once('spawn', resolve))
    child.kill('SIGKILL')
    await killed
    expect(child.outcome?.stdout.bytes).toBeLessThan(1_000_000)
  })

  it('refuses what a sandbox does not have', () => {
    const sandbox = new Sandbox()
    const refused: readonly object[] = [
      { uid: 0 },
      { detached: true },
      { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] },
      { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] },
      { stdio: ['ipc'] },
      { killSignal: 'SIGNOT' },
    ]
    const misspelt: object = { hiden: ['/etc'] }
    expect(() => new Sandbox(misspelt)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }),
    )
    expect(() => new Sandbox({ hidden: ['/etc'] })).not.toThrow()
    for (const options of refused) {
      expect(() => sandbox.spawn('true', options)).toThrow(
        expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }),
      )
    }
    expect(() => sandbox.spawn('true', { stdio: [77_777] })).toThrow(
      expect.objectContaining({ code: 'ERR_SANDBOX_INTERNAL' }),
    )
  })

  it('tells of a sandbox that cannot be built as an error', async () => {
    const child = new Sandbox({ read: [join(top, 'none')] }).spawn('true', { cwd: '/usr' })
    const error = await new Promise((resolve) => child.once('error', resolve))
    expect(error).toBeInstanceOf(SandboxError)
    expect(error).toMatchObject({ code: 'ERR_SANDBOX_PATH_MISSING' })
  })

  it('returns output as execFile does', async () => {
    const sandbox = new Sandbox()
    const options = { cwd: '/usr' }
    expect(await sandbox.execFile('sh', ['-c', 'echo a; echo b >&2'], options)).toEqual({
      stdout: 'a\n',
      stderr: 'b\n',
    })
    await expect(sandbox.execFile('sh', ['-c', 'echo a; exit 3'], options)).rejects.toMatchObject({
      code: 3,
      stdout: 'a\n',
    })
    const large = sandbox.execFile('head', ['-c', '2000', '/dev/zero'], {
      ...options,
      maxBuffer: 1000,
    })
    await expect(large).rejects.toMatchObject({ code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER' })
  })
})

describe.skipIf(skip)('launch', () => {
  const plan = {
    executable: '/bin/cat',
    argv: ['cat'],
    env: {},
    cwd: '/usr',
    read_paths: [],
    write_paths: [],
    network: 'deny',
    timeout_ms: 20_000,
  } as const

  it('runs a plan of one’s own', async () => {
    const given = { ...plan, stdin: { kind: 'bytes' } } as const
    const { termination, output, enforcement } = await launch(given, { stdin: Buffer.from('hi') })
    expect(termination).toEqual({ kind: 'exited', code: 0 })
    expect(Buffer.from(output.stdout).toString()).toBe('hi')
    expect(enforcement.tier).toBe('full')
  })

  it('refuses members that a plan does not have, and never shows keys', async () => {
    await expect(launch({ ...plan, sandbox: false } as never)).rejects.toMatchObject({
      code: 'ERR_SANDBOX_PLAN_INVALID',
    })
    const secrets = [{ name: 'a', env: 'A' }]
    await expect(launch({ ...plan, secrets })).rejects.toMatchObject({ code: 'ERR_SANDBOX_SECRET' })
    const env = { ...plan, executable: '/usr/bin/env', argv: ['env'], secrets }
    const value = Buffer.from('v')
    const { output } = await launch(env, { secrets: { a: value } })
    expect(Buffer.from(output.stdout).toString()).toBe('A=v\n')
    // the caller's own stays the caller's
    expect(value.toString()).toBe('v')
  })

  it('is stopped by its signal before, and in the middle; after it nothing happens', async () => {
    await expect(launch(plan, { signal: AbortSignal.abort() })).rejects.toThrow('abort')
    const stop = new AbortController()
    const sleeping = { ...plan, executable: '/bin/sh', argv: ['sh', '-c', 'echo; exec sleep 50'] }
    const stopped = await launch(sleeping, { signal: stop.signal, onStdout: () => stop.abort() })
    expect(stopped.termination).toEqual({ kind: 'cancelled' })
    const late = new AbortController()
    const ended = await launch(plan, { signal: late.signal })
    late.abort()
    expect(ended.termination).toEqual({ kind: 'exited', code: 0 })
  })
})
