// SPDX-License-Identifier: Apache-2.0
import type { Command } from '../contract/index.js'
import { AmbitError } from '../errors.js'
import { type Launched, canonicalize, launchPlan, sha256Hex } from '../native.js'
import type { RunFault } from './payloads.js'
import { type PlanContext, planOf } from './plan.js'
import { type CommandResult, type RunStatus, statusOf } from './result.js'

/** Receives a piece of output of the command with this id. */
export type OutputListener = (piece: Uint8Array, commandId: string) => void

/** What executing needs besides the commands. */
export interface ExecuteContext extends PlanContext {
  readonly signal?: AbortSignal | undefined
  readonly onStdout?: OutputListener | undefined
  readonly onStderr?: OutputListener | undefined
}

/** What became of the commands of a contract. */
export interface Executed {
  readonly commands: readonly CommandResult[]
  readonly status: RunStatus
  /** Output that was kept of the last command. */
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** What stopped the run from outside its commands, for the receipt. */
  readonly fault?: RunFault
  /** The same as it is to be thrown once it is recorded. */
  readonly error?: Error
}

/** Runs commands in order and stops at the first that does not succeed. Never throws. */
export async function execute(
  commands: readonly Command[],
  context: ExecuteContext,
): Promise<Executed> {
  const results: CommandResult[] = []
  let output = { stdout: new Uint8Array(), stderr: new Uint8Array() }
  let status: RunStatus = 'interrupted'
  for (const command of commands) {
    if (context.signal?.aborted === true) {
      return { commands: results, status: 'interrupted', ...output, fault: ABORTED }
    }
    try {
      const { result, stdout, stderr } = await one(command, context)
      results.push(result)
      output = { stdout: new Uint8Array(stdout), stderr: new Uint8Array(stderr) }
      status = statusOf(result.termination)
    } catch (error) {
      return { commands: results, ...output, ...stopped(error, results.length > 0) }
    }
    if (status !== 'success') break
  }
  return { commands: results, status, ...output }
}

const ABORTED: RunFault = { code: 'ABORTED', message: 'the caller stopped the run' }

/** Says what an error means for the run it ended. */
function stopped(error: unknown, ran: boolean): Pick<Executed, 'error' | 'fault' | 'status'> {
  if (error instanceof AmbitError) {
    const { code, message } = error
    return { status: ran ? 'failed' : 'not_started', fault: { code, message }, error }
  }
  // a listener of the caller threw: the command was stopped in the middle
  const fault = { code: 'LISTENER_FAILED', message: 'a listener of the caller failed' }
  const thrown = error instanceof Error ? error : new Error('a listener failed', { cause: error })
  return { status: 'interrupted', fault, error: thrown }
}

async function one(
  command: Command,
  context: ExecuteContext,
): Promise<{ result: CommandResult; stdout: Uint8Array; stderr: Uint8Array }> {
  const plan = planOf(command, context)
  const { onStdout, onStderr, signal } = context
  const launched = await launchPlan(JSON.stringify(plan), {
    signal,
    onStdout: onStdout && ((piece) => onStdout(piece, command.id)),
    onStderr: onStderr && ((piece) => onStderr(piece, command.id)),
  })
  const { stdout, stderr } = launched
  return { result: resultOf(command, plan.executable, plan.argv, launched), stdout, stderr }
}

function resultOf(
  command: Command,
  executable: string,
  argv: readonly string[],
  launched: Launched,
): CommandResult {
  const { duration_us, ...outcome } = launched.outcome
  return {
    id: command.id,
    argv_hash: `sha256:${sha256Hex(Buffer.from(canonicalize(JSON.stringify(argv))))}`,
    executable,
    duration_ms: Math.round(duration_us / 1000),
    ...outcome,
  }
}
