// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '../../errors.js'
import { findExecutable } from '../executable.js'
import { isWithin } from '../paths.js'
import { DEFAULT_LIMITS, DEFAULT_PATH, type Floor, type LaunchPlan } from '../plan.js'
import { printed } from './launch.js'
import { SandboxedProcess } from './process.js'
import { numberOf } from './signals.js'
import { type StdioChoice, endsOf } from './stdio.js'

/** What commands of a sandbox may see, write and use; nothing that is not named. */
export interface SandboxOptions {
  /** Files and folders that can be read and executed, besides the base system. */
  readonly read?: readonly string[]
  /** Files and folders that can also be written. */
  readonly write?: readonly string[]
  /** Paths in them that are not seen. */
  readonly hidden?: readonly string[]
  /** Paths in `write` that stay read-only. */
  readonly readOnly?: readonly string[]
  /** `deny` unless said; `full` is the network of this machine. */
  readonly network?: 'deny' | 'full'
  readonly limits?: LaunchPlan['limits']
  /** Longest time of a command, milliseconds; one day unless said, and never more. */
  readonly maxTime?: number
  /** The least tier that will do; `full` unless said. */
  readonly floor?: Floor
}

/** Options of {@link Sandbox.spawn}, in the shape of those of `child_process.spawn`. */
export interface SpawnOptions {
  /** Must lie in what can be read; that of this process unless said. */
  readonly cwd?: string | URL
  /** The whole environment; `PATH` and `HOME=/tmp` unless said, and never that of this process. */
  readonly env?: NodeJS.ProcessEnv
  readonly argv0?: string
  readonly stdio?: StdioChoice
  readonly signal?: AbortSignal
  /** Milliseconds after which `killSignal` is sent. */
  readonly timeout?: number
  readonly killSignal?: NodeJS.Signals | number
  /** Runs the command through `/bin/sh -c`, or another shell. */
  readonly shell?: boolean | string
  readonly windowsHide?: boolean
  readonly windowsVerbatimArguments?: boolean
}

const KNOWN: ReadonlySet<string> = new Set<keyof SpawnOptions>([
  'argv0',
  'cwd',
  'env',
  'killSignal',
  'shell',
  'signal',
  'stdio',
  'timeout',
  'windowsHide',
  'windowsVerbatimArguments',
])

const OPTIONS: ReadonlySet<string> = new Set<keyof SandboxOptions>([
  'floor',
  'hidden',
  'limits',
  'maxTime',
  'network',
  'read',
  'readOnly',
  'write',
])

/** What {@link Sandbox.execFile} returns. */
export interface ExecFileResult {
  readonly stdout: string
  readonly stderr: string
}

/** Options of {@link Sandbox.execFile}. */
export interface ExecFileOptions extends Omit<SpawnOptions, 'stdio'> {
  /** Most bytes of each stream; more ends the command. 1 MiB unless said. */
  readonly maxBuffer?: number
}

const LONGEST_MS = 86_400_000
const MAX_BUFFER = 1024 * 1024

/**
 * A place to run commands in. It has **no policy and leaves no receipt**: what it is made with is what
 * its commands may. Each command has a sandbox of its own; they share the paths and nothing else.
 *
 * @example
 * ```ts
 * const sandbox = new Sandbox({ read: ['/usr/share'], network: 'deny' })
 * const child = sandbox.spawn('sh', ['-c', 'exit 3'], { cwd: '/usr/share' })
 * child.on('close', (code: number) => console.log(code)) // 3
 * ```
 */
export class Sandbox {
  readonly #options: SandboxOptions

  /**
   * Nothing is opened or tried before the first command.
   *
   * @throws {@link ConfigError} `ERR_CONFIG_INVALID` for options that there are not
   */
  constructor(options: SandboxOptions = {}) {
    refuseUnknown(options, OPTIONS, 'a sandbox')
    this.#options = structuredClone(options)
  }

  /**
   * Starts a command, as `child_process.spawn` does.
   *
   * @throws {@link ConfigError} `ERR_CONFIG_INVALID` for options that a sandbox does not have
   */
  spawn(command: string, options?: SpawnOptions): SandboxedProcess
  spawn(command: string, args?: readonly string[], options?: SpawnOptions): SandboxedProcess
  spawn(
    command: string,
    second?: SpawnOptions | readonly string[],
    third?: SpawnOptions,
  ): SandboxedProcess {
    const [args, options] = isList(second) ? [second, third ?? {}] : [[], second ?? third ?? {}]
    refuseUnknown(options, KNOWN, 'a command in a sandbox')
    // found out now, and not in a timer or when the signal comes
    numberOf(options.killSignal)
    const ends = endsOf(options.stdio)
    const { file, argv } = argvOf(command, args, options)
    const plan = this.#plan(file, argv, options)
    const stdin = { kind: ends[0] === 'ignore' ? 'empty' : 'stream' } as const
    const { signal, timeout, killSignal } = options
    const request = { ends, file, argv, signal, timeout, killSignal }
    return new SandboxedProcess({ ...request, plan: printed({ ...plan, stdin }) })
  }

  /**
   * Runs a command to its end and returns what it wrote, as a promisified `child_process.execFile`.
   * Rejects when it does not exit with 0, with `code`, `signal`, `stdout` and `stderr`.
   */
  async execFile(
    command: string,
    args: readonly string[] = [],
    options: ExecFileOptions = {},
  ): Promise<ExecFileResult> {
    const { maxBuffer = MAX_BUFFER, ...rest } = options
    return await collected(this.spawn(command, args, rest), maxBuffer)
  }

  #plan(file: string, argv: readonly string[], options: SpawnOptions) {
    const { read = [], write = [], hidden = [], readOnly = [], network = 'deny' } = this.#options
    const { maxTime = LONGEST_MS, floor = 'full' } = this.#options
    const env = environmentOf(options.env)
    const cwd = resolve(folderOf(options.cwd))
    const writable = write.map((path) => resolve(path))
    const isTrusted = (folder: string) => !writable.some((tree) => isWithin(folder, tree))
    return {
      executable: findExecutable(file, { path: env['PATH'] ?? DEFAULT_PATH, cwd, isTrusted }),
      argv,
      env,
      cwd,
      read_paths: read.map((path) => resolve(path)),
      write_paths: writable,
      hidden_paths: hidden.map((path) => resolve(path)),
      read_only_paths: readOnly.map((path) => resolve(path)),
      network,
      timeout_ms: maxTime,
      limits: { ...DEFAULT_LIMITS, ...this.#options.limits },
      floor,
    }
  }
}

function refuseUnknown(options: object, known: ReadonlySet<string>, whose: string): void {
  const unknown = Object.keys(options).find((name) => !known.has(name))
  if (unknown === undefined) return
  throw new ConfigError('ERR_CONFIG_INVALID', `${whose} has no option ${JSON.stringify(unknown)}`)
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value)
}

function folderOf(cwd: string | URL | undefined): string {
  return cwd instanceof URL ? fileURLToPath(cwd) : (cwd ?? process.cwd())
}

function argvOf(
  command: string,
  args: readonly string[],
  { argv0, shell = false }: SpawnOptions,
): { readonly file: string; readonly argv: readonly string[] } {
  if (shell === false) return { file: command, argv: [argv0 ?? command, ...args] }
  const file = typeof shell === 'string' ? shell : '/bin/sh'
  return { file, argv: [argv0 ?? file, '-c', [command, ...args].join(' ')] }
}

function environmentOf(env: NodeJS.ProcessEnv | undefined): Record<string, string> {
  const given = env ?? { PATH: DEFAULT_PATH, HOME: '/tmp' }
  const out = new Map<string, string>()
  for (const [name, value] of Object.entries(given)) if (value !== undefined) out.set(name, value)
  return Object.fromEntries(out)
}

/** What was written to one stream, up to a limit. */
class Collected {
  readonly #pieces: Uint8Array[] = []
  #room: number

  constructor(room: number) {
    this.#room = room
  }

  /** Returns whether there was room for all of it. */
  add(piece: Uint8Array): boolean {
    if (this.#room > 0) this.#pieces.push(piece.subarray(0, this.#room))
    this.#room -= piece.length
    return this.#room >= 0
  }

  get text(): string {
    return Buffer.concat(this.#pieces).toString('utf8')
  }
}

async function collected(child: SandboxedProcess, maxBuffer: number): Promise<ExecFileResult> {
  const all = { stdout: new Collected(maxBuffer), stderr: new Collected(maxBuffer) }
  let fault: Error | undefined
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (piece: Uint8Array) => {
      if (all[name].add(piece)) return
      fault ??= Object.assign(new RangeError(`${name} maxBuffer length exceeded`), {
        code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER',
      })
      child.kill('SIGKILL')
    })
  }
  child.stdin?.end()
  child.on('error', (error: Error) => {
    fault ??= error
  })
  await new Promise((done) => child.once('close', done))
  const result = { stdout: all.stdout.text, stderr: all.stderr.text }
  if (fault !== undefined) throw Object.assign(fault, result)
  if (child.exitCode === 0) return result
  const cmd = child.spawnargs.join(' ')
  const { exitCode: code, signalCode: signal, killed } = child
  throw Object.assign(new Error(`Command failed: ${cmd}`), { code, signal, killed, cmd, ...result })
}
