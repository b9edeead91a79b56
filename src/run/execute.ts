// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream'
import type { Command } from '../contract/index.js'
import { AmbitError, InternalError } from '../errors.js'
import { canonicalize, sha256Hex } from '../native.js'
import type { Mode } from '../policy/index.js'
import { type Launched, launchPlan } from './launch.js'
import type { RunFault } from './payloads.js'
import { type Pins, compareWithPins } from './pins.js'
import type { LaunchPlan, Program } from './plan.js'
import { type CommandResult, type ProgramResult, type RunStatus, statusOf } from './result.js'
import { executableHash } from './scope.js'
import type { TerminalView } from './terminal.js'

/** Receives a piece of output of the command with this id, which waits for a promise it returns. */
export type OutputListener = (piece: Uint8Array, commandId: string) => unknown

/** Hears of the command that is to start. */
export type CommandListener = (
  commandId: string,
  facts: { readonly hasTerminal: boolean; readonly readsStdin: boolean },
) => void

/** How commands are run, where output goes, and what stops a run. */
export interface Listeners {
  readonly mode?: Mode
  /** What the policy says of the executables of a command, by its id. */
  readonly pinsOf?: (commandId: string) => Pins
  /** Reads the secrets of a plan, for whoever wipes them. */
  readonly secretsFor?: (plan: LaunchPlan) => readonly Uint8Array[]
  /** What commands read whose contract says so. */
  readonly stdin?: Readable | number | undefined
  readonly terminal?: TerminalView | undefined
  /** Called right before a command is started. */
  readonly onCommand?: CommandListener | undefined
  readonly signal?: AbortSignal | undefined
  readonly onStdout?: OutputListener | undefined
  readonly onStderr?: OutputListener | undefined
}

/** What became of the commands of a contract. */
export interface Executed {
  readonly commands: readonly CommandResult[]
  /** The plans of all commands; none when they could not be made. */
  readonly plans: readonly LaunchPlan[]
  readonly status: RunStatus
  /** Output that was kept of the last command. */
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** The command at which the run ended, when that is not the last of `commands`. */
  readonly failedId?: string
  /** What stopped the run from outside its commands, for the receipt. */
  readonly fault?: RunFault
  /** The same as it is to be thrown once it is recorded. */
  readonly error?: Error
}

/**
 * Plans all commands, runs them in order and stops at the first that does not succeed. Never
 * throws.
 *
 * @param plan makes all plans; when it throws, nothing has run
 */
export async function execute(
  commands: readonly Command[],
  plan: () => Promise<readonly LaunchPlan[]>,
  listeners: Listeners,
): Promise<Executed> {
  const run = new Progress()
  try {
    const plans = await plan()
    run.plans = plans
    for (const [index, command] of commands.entries()) {
      const launch = plans[index]
      if (launch === undefined) throw new InternalError('a command has no plan')
      if (listeners.signal?.aborted === true) return run.stopped('interrupted', command.id, ABORTED)
      try {
        run.add(await one(command, launch, listeners))
      } catch (error) {
        return run.failed(error, command.id)
      }
      if (run.status !== 'success') break
    }
  } catch (error) {
    return run.failed(error)
  }
  return run.ended()
}

const ABORTED: RunFault = { code: 'ABORTED', message: 'the caller stopped the run' }
const LISTENER_FAILED: RunFault = {
  code: 'LISTENER_FAILED',
  message: 'a listener of the caller failed',
}

/** A command that has ended. */
interface Ended extends Launched {
  readonly result: CommandResult
}

/** What is known of a run so far. */
class Progress {
  status: RunStatus = 'not_started'
  plans: readonly LaunchPlan[] = []
  readonly #commands: CommandResult[] = []
  #last: Ended | undefined

  add(ended: Ended): void {
    this.#commands.push(ended.result)
    this.#last = ended
    this.status = statusOf(ended.result.termination)
  }

  /** The run as it ended by itself, or because a listener threw. */
  ended(): Executed {
    const { thrown } = this.#last ?? {}
    if (thrown === undefined) return this.#so(this.status)
    const error =
      thrown.cause instanceof Error
        ? thrown.cause
        : new Error('a listener failed', { cause: thrown.cause })
    return { ...this.#so('interrupted'), fault: LISTENER_FAILED, error }
  }

  /** The run as it was stopped before this command. */
  stopped(status: RunStatus, failedId: string, fault: RunFault): Executed {
    return { ...this.#so(status), failedId, fault }
  }

  /** The run as it could not go on: before all commands, or before this one. */
  failed(error: unknown, failedId?: string): Executed {
    const known = error instanceof AmbitError ? error : new InternalError(String(error))
    const { code, message } = known
    return {
      ...this.#so(this.#last === undefined ? 'not_started' : 'failed'),
      ...(failedId !== undefined && { failedId }),
      fault: { code, message: message.slice(0, MAX_MESSAGE) },
      error: known,
    }
  }

  #so(status: RunStatus): Executed {
    const { stdout = new Uint8Array(), stderr = new Uint8Array() } = this.#last ?? {}
    return { commands: this.#commands, plans: this.plans, status, stdout, stderr }
  }
}

/** Longest message in a receipt, characters: a path in it may be as long as a contract. */
const MAX_MESSAGE = 2000

async function one(command: Command, plan: LaunchPlan, listeners: Listeners): Promise<Ended> {
  const { mode = 'hardened', pinsOf } = listeners
  const pins = pinsOf?.(command.id) ?? new Map<string, never>()
  const all = [plan, ...plan.piped_into]
  const programs = await Promise.all(all.map((program) => programResult(program, pins)))
  compareWithPins(programs, pins)
  const readsStdin = plan.stdin.kind === 'stream'
  listeners.onCommand?.(command.id, { hasTerminal: plan.terminal !== undefined, readsStdin })
  const launched = await launchPlan(JSON.stringify(plan), {
    ...streamsOf(command, listeners),
    mode,
    secrets: listeners.secretsFor?.(plan),
    ...(!readsStdin && { input: undefined }),
    ...(plan.terminal === undefined && { terminal: undefined }),
  })
  return { ...launched, result: resultOf(command, programs, launched) }
}

function streamsOf({ id, stdin }: Command, listeners: Listeners) {
  const { onStdout, onStderr, signal, terminal } = listeners
  return {
    signal,
    terminal,
    input: listeners.stdin,
    bytes: stdin?.text === undefined ? undefined : Buffer.from(stdin.text),
    onStdout: onStdout && ((piece: Uint8Array) => onStdout(piece, id)),
    onStderr: onStderr && ((piece: Uint8Array) => onStderr(piece, id)),
  }
}

/** Says what is to be executed, by digest where it can be had. */
async function programResult({ executable, argv }: Program, pins: Pins): Promise<ProgramResult> {
  const executable_hash = await executableHash(executable, pins.has(argv[0] ?? ''))
  return {
    argv_hash: `sha256:${sha256Hex(Buffer.from(canonicalize(JSON.stringify(argv))))}`,
    executable,
    ...(executable_hash !== undefined && { executable_hash }),
  }
}

function resultOf(
  command: Command,
  programs: readonly ProgramResult[],
  launched: Launched,
): CommandResult {
  const { duration_us, ...outcome } = launched.outcome
  const [first, ...piped_into] = programs
  if (first === undefined) throw new InternalError('a plan has no program')
  return {
    id: command.id,
    ...first,
    ...(piped_into.length > 0 && { piped_into }),
    duration_ms: Math.round(duration_us / 1000),
    ...outcome,
  }
}
