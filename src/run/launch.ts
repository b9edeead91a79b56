// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from 'node:stream'
import { SandboxError } from '../errors.js'
import { addon, parseOwn, unwrap, unwrapJson } from '../native.js'
import type { Mode } from '../policy/index.js'
import type { WindowSize } from './plan.js'
import { wipe } from './secrets.js'
import { Listening, type PieceListener, inputOf, outputOf } from './streams.js'
import { type TerminalView, followSize } from './terminal.js'

/** State of one mechanism of the sandbox. */
export interface Mechanism {
  readonly state: 'degraded' | 'enforced' | 'not_requested' | 'unavailable'
  readonly facts?: Readonly<Record<string, string>>
  readonly reason?: string
}

/** What was really enforced. */
export interface Enforcement {
  readonly tier: 'full' | 'lite' | 'none'
  readonly mechanisms: Readonly<Record<string, Mechanism>>
}

/** How a command ended. */
export type Termination =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: number }
  | { readonly kind: 'not_executable'; readonly errno: number }
  | { readonly kind: 'cancelled' | 'not_found' | 'sandbox_lost' | 'timed_out' }
  | LimitTermination

/** A limit ended it: one of exit code and signal is a number. */
export interface LimitTermination {
  readonly kind: 'cpu' | 'file_size' | 'oom' | 'output' | 'pids'
  readonly code: number | null
  readonly signal: number | null
}

/** A limit that was seen to be reached, whether or not that ended the command. */
export interface LimitReached {
  readonly limit: LimitTermination['kind'] | 'timeout'
  /** What was seen, in words. */
  readonly evidence: string
}

/** What is known of one output stream. */
export interface StreamOutcome {
  /** Of all that was passed on, 64 hex digits: the whole stream, unless it reached its limit. */
  readonly sha256: string
  /** Length of what was passed on. */
  readonly bytes: number
  /** Whether less than all of it was kept. */
  readonly truncated: boolean
}

/** How one launch went. */
export interface LaunchOutcome {
  readonly termination: Termination
  readonly limits_reached: readonly LimitReached[]
  readonly duration_us: number
  readonly user_us: number
  readonly system_us: number
  readonly max_rss_kib: number
  readonly stdout: StreamOutcome
  readonly stderr: StreamOutcome
  readonly enforcement: Enforcement
}

/** A launch that has ended, with the output that was kept. */
export interface Launched {
  readonly outcome: LaunchOutcome
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** The end of each stream that a descriptor of the caller had not taken when the run ended. */
  readonly restOfStdout: Uint8Array
  readonly restOfStderr: Uint8Array
  /** What a listener threw; the run was stopped for it. */
  readonly thrown?: { readonly cause: unknown }
}

/** Where one stream of a run comes from or goes to: a descriptor of the caller, or a pipe. */
type End = number | 'pipe'

/** What goes into a run, and where its output goes. */
export interface LaunchStreams {
  /** How it is run: in `local` mode without a sandbox. */
  readonly mode: Mode
  /** What a plan with `stdin` of kind `bytes` reads. */
  readonly bytes?: Uint8Array | undefined
  /** What a plan with `stdin` of kind `stream` reads; nothing unless it is named. */
  readonly stdin?: End | undefined
  readonly stdout?: End | undefined
  readonly stderr?: End | undefined
  /** Values of the plan's secrets, in their order; wiped here. */
  readonly secrets?: readonly Uint8Array[] | undefined
  /** Called once the command executes, with the number of its sandbox's first process. */
  readonly onStart?: ((pid: number | undefined) => void) | undefined
}

/** A run that was started. */
export interface Started {
  /** How it ended; rejects with what kept it from starting. */
  readonly done: Promise<Launched>
  /** Writes to the pipe of standard input, if one was asked for. */
  readonly stdin?: Writable
  /** All of standard output, if a pipe was asked for. */
  readonly stdout?: Readable
  readonly stderr?: Readable
  /** Kills everything in the sandbox. */
  readonly cancel: () => void
  /** Sends a signal to the command; says whether that got through. */
  readonly signal: (number: number) => boolean
  /** Gives the command's terminal another size. */
  readonly resize: (size: WindowSize) => void
}

/** Stands for a pipe in the addon. */
const PIPE = -1

const numberOf = (end: End): number => (end === 'pipe' ? PIPE : end)

/**
 * Starts a launch plan.
 *
 * @param plan JSON of a launch plan
 * @throws {@link SandboxError} `ERR_SANDBOX_INTERNAL` for want of descriptors or threads, or because a
 *   descriptor is none; nothing was started then
 */
export function startPlan(plan: string, streams: LaunchStreams): Started {
  const { bytes, stdin, stdout, stderr, secrets = [] } = streams
  const canceller = new addon.Canceller()
  const launch = started(plan, canceller, streams, {
    ...(bytes && { bytes }),
    ...(stdin !== undefined && { stdin: numberOf(stdin) }),
    ...(stdout !== undefined && { stdout: numberOf(stdout) }),
    ...(stderr !== undefined && { stderr: numberOf(stderr) }),
    secrets: [...secrets],
  })
  const done = launch.done.then((answer) => {
    // until here the handle must live: the addon stops a run whose handle is gone
    canceller.release()
    return unwrap(answer)
  })
  const rest = (name: 'restOfStderr' | 'restOfStdout') => async () => {
    const ran = await done.catch(() => undefined)
    return ran?.[name] ?? new Uint8Array()
  }
  return {
    done: done.then((ran) => ({ ...ran, outcome: parseOwn<LaunchOutcome>(ran.outcome) })),
    cancel: () => canceller.cancel(),
    signal: (number) => canceller.signal(number),
    resize: ({ columns, rows }) => canceller.resize(columns, rows),
    ...(launch.stdin !== undefined && { stdin: inputOf(launch.stdin) }),
    ...(launch.stdout !== undefined && { stdout: outputOf(launch.stdout, rest('restOfStdout')) }),
    ...(launch.stderr !== undefined && { stderr: outputOf(launch.stderr, rest('restOfStderr')) }),
  }
}

type Handle = InstanceType<typeof addon.Canceller>
type Ends = Parameters<typeof addon.launchPlan>[2]

function started(plan: string, handle: Handle, { mode, onStart }: LaunchStreams, ends: Ends) {
  try {
    if (mode === 'local') return addon.launchLocalPlan(plan, handle, ends)
    return addon.launchPlan(plan, handle, ends, onStart && ((pid) => onStart(pid ?? undefined)))
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new SandboxError('ERR_SANDBOX_INTERNAL', message, { cause })
  } finally {
    // the addon has its own copies, which it wipes
    wipe(ends.secrets ?? [])
  }
}

/** Options of {@link launchPlan}. */
export interface LaunchOptions {
  /** How it is run: in `local` mode without a sandbox. */
  readonly mode: Mode
  /** What a plan with `stdin` of kind `bytes` reads. */
  readonly bytes?: Uint8Array | undefined
  /** What a plan with `stdin` of kind `stream` reads: a stream, or a descriptor that is copied from. */
  readonly input?: Readable | number | undefined
  /** Values of the plan's secrets, in their order; wiped here. */
  readonly secrets?: readonly Uint8Array[] | undefined
  /** What the command's terminal is shown on. */
  readonly terminal?: TerminalView | undefined
  readonly signal?: AbortSignal | undefined
  readonly onStdout?: PieceListener | undefined
  readonly onStderr?: PieceListener | undefined
}

/**
 * Runs a launch plan. A listener that throws, or an input that fails, stops the run; what was thrown
 * stands in the answer. While the command runs, it waits for a listener that returns a promise.
 *
 * @param plan JSON of a launch plan
 * @throws {@link SandboxError} when the sandbox could not be built; then nothing ran
 */
export async function launchPlan(plan: string, options: LaunchOptions): Promise<Launched> {
  const { mode, bytes, secrets, input, signal, onStdout, onStderr } = options
  const run = startPlan(plan, {
    mode,
    bytes,
    secrets,
    stdin: typeof input === 'object' ? 'pipe' : input,
    stdout: onStdout && 'pipe',
    stderr: onStderr && 'pipe',
  })
  const listening = new Listening(run.cancel)
  signal?.addEventListener('abort', run.cancel, { once: true })
  if (signal?.aborted === true) run.cancel()
  const heard = [listening.deliver(run.stdout, onStdout), listening.deliver(run.stderr, onStderr)]
  const stopFeeding = feed(input, run.stdin, listening)
  const stopFollowing = followSize(options.terminal, run.resize)
  try {
    const launched = await run.done
    listening.release()
    await Promise.all(heard)
    const { thrown } = listening
    return thrown ? { ...launched, thrown } : launched
  } finally {
    signal?.removeEventListener('abort', run.cancel)
    stopFeeding()
    stopFollowing()
  }
}

/** Passes a stream on; returns what ends that. */
function feed(
  from: Readable | number | undefined,
  to: Writable | undefined,
  listening: Listening,
): () => void {
  if (typeof from !== 'object' || to === undefined) return () => undefined
  const onError = (cause: unknown) => listening.fail(cause)
  from.once('error', onError)
  // a command that reads no more, or has ended, is no failure
  to.on('error', () => from.unpipe(to))
  from.pipe(to)
  return () => {
    from.off('error', onError)
    from.unpipe(to)
    to.destroy()
  }
}

/** What this machine can enforce. */
export interface ProbeReport extends Enforcement {
  readonly kernel: string
  readonly machine: string
  /** Why it is less than `full`. */
  readonly reason?: string
  /** Each tier, built once. */
  readonly tiers: Readonly<Record<'full' | 'lite', { works: boolean; reason?: string }>>
  /** Settings of the machine that decide, as the kernel gives them. */
  readonly settings: Readonly<Record<string, string>>
}

/** Tries every mechanism of the sandbox on this machine. */
export async function probe(): Promise<ProbeReport> {
  return unwrapJson<ProbeReport>(await addon.probe())
}
