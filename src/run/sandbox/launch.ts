// SPDX-License-Identifier: Apache-2.0
import { existsSync, realpathSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { SandboxError } from '../../errors.js'
import { findHome } from '../home.js'
import { type LaunchOutcome, launchPlan } from '../launch.js'
import type { LaunchPlan } from '../plan.js'
import type { PieceListener } from '../streams.js'
import type { TerminalView } from '../terminal.js'

/** A launch plan of one's own: what may be left out has the strictest value that there is. */
export type OwnPlan = Pick<LaunchPlan, Needed> & Partial<LaunchPlan> & Exceptions

type Needed =
  'argv' | 'cwd' | 'env' | 'executable' | 'network' | 'read_paths' | 'timeout_ms' | 'write_paths'

interface Exceptions {
  /** Paths in `write_paths` that stay read-only; those that do not exist are skipped. */
  readonly read_only_paths?: readonly string[]
  /** Protections in write paths that are lifted, by name. */
  readonly lifted_protections?: readonly string[]
}

/** Streams of a {@link launch}, and what stops it. */
export interface OwnLaunchOptions {
  /** What a plan with `stdin` of kind `bytes` or `stream`, or with a terminal reads. */
  readonly stdin?: Readable | Uint8Array | number
  /** Values of the plan's secrets by name. */
  readonly secrets?: Readonly<Record<string, Uint8Array>>
  /** What the command's terminal is shown on, for changes of its size. */
  readonly terminal?: TerminalView
  /** Kills everything in the sandbox; the termination is then `cancelled`. */
  readonly signal?: AbortSignal
  /** Called with each piece as it comes; the command waits for a promise that is returned. */
  readonly onStdout?: PieceListener
  readonly onStderr?: PieceListener
}

/** How a {@link launch} went. */
export interface OwnLaunch extends LaunchOutcome {
  /** The beginning of standard output, up to the plan's limit. */
  readonly output: { readonly stdout: Uint8Array; readonly stderr: Uint8Array }
}

/**
 * Runs a plan of the caller's own in a sandbox. **There is no policy, no decision and no receipt**: what
 * the plan says is what the command may, but that it never sees keys and ledger of `$AMBIT_HOME`.
 * Members that a plan does not have are refused.
 *
 * @throws {@link SandboxError} when the sandbox could not be built as the plan says; then nothing ran
 * @example
 * ```ts
 * const { output } = await launch({
 *   executable: '/bin/echo', argv: ['echo', 'hello'], env: {}, cwd: '/usr',
 *   read_paths: [], write_paths: [], network: 'deny', timeout_ms: 10_000,
 * })
 * console.log(output.stdout.length) // 6
 * ```
 */
export async function launch(plan: OwnPlan, options: OwnLaunchOptions = {}): Promise<OwnLaunch> {
  options.signal?.throwIfAborted()
  const { stdin, secrets = {}, terminal, signal, onStdout, onStderr } = options
  const isBytes = stdin instanceof Uint8Array
  const launched = await launchPlan(printed(plan), {
    mode: 'hardened',
    bytes: isBytes ? stdin : undefined,
    input: isBytes ? undefined : stdin,
    secrets: plan.secrets?.map(({ name }) => copyOf(name, secrets)),
    terminal,
    signal,
    onStdout,
    onStderr,
  })
  if (launched.thrown !== undefined) throw launched.thrown.cause
  const { outcome, stdout, stderr } = launched
  return { ...outcome, output: { stdout, stderr } }
}

function copyOf(name: string, values: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const value = Object.hasOwn(values, name) ? values[name] : undefined
  if (value instanceof Uint8Array) return Uint8Array.prototype.slice.call(value)
  throw new SandboxError('ERR_SANDBOX_SECRET', `the secret \`${name}\` was not given`)
}

/** Returns a plan as the sandbox reads it. State of ours is hidden, whatever else it says. */
export function printed(plan: OwnPlan): string {
  const { hidden_paths: hidden = [] } = plan
  return JSON.stringify({ ...plan, hidden_paths: [...hidden, ...stateFolders()] })
}

/** Returns the folders of keys and ledger that exist, those of the usual place too. */
function stateFolders(): readonly string[] {
  const { AMBIT_HOME: _named, XDG_STATE_HOME: _state, ...bare } = process.env
  const folders = [findHome(process.env).folder, findHome(bare).folder]
  return [...new Set(folders.filter((path) => existsSync(path)).map((path) => realpathSync(path)))]
}
