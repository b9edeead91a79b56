// SPDX-License-Identifier: Apache-2.0
import { addon, parseOwn, unwrap, unwrapJson } from '../native.js'
import type { Mode } from '../policy/index.js'

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

/** What is known of one output stream. */
export interface StreamOutcome {
  /** Of the whole stream, 64 hex digits. */
  readonly sha256: string
  /** Length of the whole stream. */
  readonly bytes: number
  /** Whether less than all of it was kept. */
  readonly truncated: boolean
}

/** How one launch went. */
interface LaunchOutcome {
  readonly termination: Termination
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
  /** What a listener threw; the run was stopped for it. */
  readonly thrown?: { readonly cause: unknown }
}

/** Options of {@link launchPlan}. */
export interface LaunchOptions {
  /** How it is run: in `local` mode without a sandbox. */
  readonly mode: Mode
  /** What a plan with `stdin` of kind `bytes` reads. */
  readonly stdin?: Uint8Array | undefined
  readonly signal?: AbortSignal | undefined
  readonly onStdout?: ((piece: Uint8Array) => void) | undefined
  readonly onStderr?: ((piece: Uint8Array) => void) | undefined
}

/**
 * Runs a launch plan.
 *
 * @param plan JSON of a launch plan
 * A callback that throws stops the run; what it threw stands in the answer.
 *
 * @throws {@link SandboxError} when the sandbox could not be built; then nothing ran
 */
export async function launchPlan(plan: string, options: LaunchOptions): Promise<Launched> {
  const canceller = new addon.Canceller()
  let thrown: { readonly cause: unknown } | undefined
  const guarded = (callback: ((piece: Uint8Array) => void) | undefined) =>
    callback &&
    ((piece: Uint8Array) => {
      if (thrown) return
      try {
        callback(piece)
      } catch (cause) {
        thrown = { cause }
        canceller.cancel()
      }
    })
  const onAbort = () => canceller.cancel()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    if (options.signal?.aborted === true) canceller.cancel()
    const launch = options.mode === 'local' ? addon.launchLocalPlan : addon.launchPlan
    const answer = await launch(
      plan,
      canceller,
      options.stdin,
      guarded(options.onStdout),
      guarded(options.onStderr),
    )
    const { outcome, stdout, stderr } = unwrap(answer)
    const launched = { outcome: parseOwn<LaunchOutcome>(outcome), stdout, stderr }
    return thrown ? { ...launched, thrown } : launched
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
    // until here the handle must live: the addon stops a run whose handle is gone
    canceller.release()
  }
}

/** What this machine can enforce. */
export interface ProbeReport extends Enforcement {
  readonly kernel: string
  readonly machine: string
  readonly reason?: string
}

/** Tries every mechanism of the sandbox on this machine. */
export async function probe(): Promise<ProbeReport> {
  return unwrapJson<ProbeReport>(await addon.probe())
}
