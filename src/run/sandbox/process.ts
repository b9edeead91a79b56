// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { getSystemErrorName } from 'node:util'
import { type LaunchOutcome, type Launched, type Started, startPlan } from '../launch.js'
import { nameOf, numberOf } from './signals.js'
import { type End, writeRest } from './stdio.js'

/** What is started, and how. */
export interface ProcessRequest {
  /** JSON of a launch plan. */
  readonly plan: string
  readonly ends: readonly [End, End, End]
  readonly file: string
  /** With `argv[0]`. */
  readonly argv: readonly string[]
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which it is sent `killSignal`; 0 for never. */
  readonly timeout?: number | undefined
  readonly killSignal?: string | number | undefined
}

const SIGKILL = 9
const asked = (end: End) => (end === 'ignore' ? undefined : end)

/**
 * A command in a sandbox, in the shape of `child_process.ChildProcess`: the same streams, the same
 * events in the same order. What differs is listed in docs/sandbox-api.md.
 */
export class SandboxedProcess extends EventEmitter {
  readonly spawnfile: string
  readonly spawnargs: readonly string[]
  /** Nothing unless its end is a pipe. */
  readonly stdin: Writable | null
  readonly stdout: Readable | null
  readonly stderr: Readable | null
  readonly stdio: readonly [Writable | null, Readable | null, Readable | null]
  /** There is no channel for messages. */
  readonly connected = false
  exitCode: number | null = null
  signalCode: string | null = null
  /** Whether {@link kill} got through. */
  killed = false
  /** The sandbox's first process, as this machine numbers it; known from `spawn` on. */
  pid: number | undefined
  /** How the run went, and what was enforced; known from `exit` on. */
  outcome: LaunchOutcome | undefined
  readonly #run: Started
  readonly #ends: readonly [End, End, End]
  #hasSpawned = false
  #isOver = false
  /** Signals that were sent before there was a process. */
  #early: number[] = []
  #letGo: () => void = () => undefined

  constructor(request: ProcessRequest) {
    super()
    this.spawnfile = request.file
    this.spawnargs = request.argv
    this.#ends = request.ends
    const [stdin, stdout, stderr] = request.ends
    this.#run = startPlan(request.plan, {
      mode: 'hardened',
      stdin: asked(stdin),
      stdout: asked(stdout),
      stderr: asked(stderr),
      onStart: (pid) => this.#begin(pid),
    })
    this.stdin = this.#run.stdin ?? null
    // to write to a command that reads no more is an error here as it is there, for who listens
    this.stdout = this.#run.stdout ?? null
    this.stderr = this.#run.stderr ?? null
    this.stdio = [this.stdin, this.stdout, this.stderr]
    this.#watch(request)
    this.#run.done.then(
      (launched) => this.#end(launched),
      (error: unknown) => this.#fail(error),
    )
  }

  /**
   * Sends a signal to the command's first process; `SIGKILL` ends all of the sandbox.
   *
   * @returns whether it got through
   * @throws {@link ConfigError} `ERR_CONFIG_INVALID` for a signal that there is not
   */
  kill(signal?: string | number): boolean {
    const number = numberOf(signal)
    if (this.#isOver) return false
    if (number === 0) return true
    if (number === SIGKILL) this.#run.cancel()
    else if (!this.#hasSpawned) this.#early.push(number)
    else if (!this.#run.signal(number)) return false
    this.killed = true
    return true
  }

  /** A run always keeps this process going until it has ended. */
  ref(): void {
    // as documented
  }

  /** Has no effect: see {@link ref}. */
  unref(): void {
    // as documented
  }

  [Symbol.dispose](): void {
    this.kill()
  }

  /** Stops when asked from outside, and by its timeout. */
  #watch({ signal, timeout = 0, killSignal }: ProcessRequest): void {
    const onAbort = () => {
      const reason: unknown = signal?.reason
      if (this.kill(killSignal)) this.emit('error', abortError(reason))
    }
    if (signal?.aborted === true) process.nextTick(onAbort)
    else signal?.addEventListener('abort', onAbort, { once: true })
    const timer = timeout > 0 ? setTimeout(() => this.kill(killSignal), timeout) : undefined
    this.#letGo = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #begin(pid: number | undefined): void {
    this.pid ??= pid
    if (this.#hasSpawned) return
    this.#hasSpawned = true
    this.emit('spawn')
    for (const number of this.#early.splice(0)) this.#run.signal(number)
  }

  #end(launched: Launched): void {
    const { outcome } = launched
    this.outcome = outcome
    const errno = errnoOf(outcome)
    if (errno !== undefined) return this.#fail(systemError(errno, this.spawnfile, this.spawnargs))
    // the news of a command that ended at once may come after that of its end
    if (outcome.enforcement.tier !== 'none') this.#begin(undefined)
    const { code, signal } = endOf(outcome)
    this.exitCode = code
    this.signalCode = signal
    this.#finish(() => this.emit('exit', code, signal), launched)
  }

  #fail(error: unknown): void {
    const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : -1
    this.exitCode = errno
    this.#finish(() => this.emit('error', error))
  }

  #finish(tell: () => void, launched?: Launched): void {
    this.#isOver = true
    this.#letGo()
    this.stdin?.destroy()
    const closed = this.#closed(launched)
    tell()
    // a stream that nobody reads would keep `close` from coming
    process.nextTick(() => {
      for (const stream of [this.stdout, this.stderr]) {
        if (stream?.readable === true) stream.resume()
      }
    })
    void closed.then(() => this.emit('close', this.exitCode, this.signalCode))
  }

  /** Resolves when all output has been passed on. */
  async #closed(launched: Launched | undefined): Promise<void> {
    const [, stdout, stderr] = this.#ends
    await Promise.all([
      ended(this.stdout),
      ended(this.stderr),
      launched && writeRest(stdout, launched.restOfStdout),
      launched && writeRest(stderr, launched.restOfStderr),
    ])
  }
}

function ended(stream: Readable | null): Promise<void> {
  if (stream === null || stream.closed) return Promise.resolve()
  return new Promise((resolve) => {
    stream.once('close', resolve)
  })
}

/** The errno of a command that could not be executed. */
function errnoOf({ termination }: LaunchOutcome): number | undefined {
  if (termination.kind === 'not_found') return NOT_FOUND
  return termination.kind === 'not_executable' ? termination.errno : undefined
}

const NOT_FOUND = 2

function endOf({ termination }: LaunchOutcome): {
  readonly code: number | null
  readonly signal: string | null
} {
  if ('code' in termination && termination.code !== null) {
    return { code: termination.code, signal: null }
  }
  const number = 'signal' in termination ? termination.signal : null
  return { code: null, signal: nameOf(number ?? SIGKILL) }
}

/** An error as `child_process` makes it. */
function systemError(errno: number, file: string, argv: readonly string[]): Error {
  const code = getSystemErrorName(-errno)
  const syscall = `spawn ${file}`
  const facts = { errno: -errno, code, syscall, path: file, spawnargs: argv.slice(1) }
  return Object.assign(new Error(`${syscall} ${code}`), facts)
}

function abortError(cause: unknown): Error {
  const error = new Error('The operation was aborted', { cause })
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' })
}
