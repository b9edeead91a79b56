// SPDX-License-Identifier: Apache-2.0
import type {
  Enforcement,
  LimitReached,
  LimitTermination,
  StreamOutcome,
  Termination,
} from './launch.js'
import type { PolicyDecision } from '../policy/index.js'

/** What was executed. */
export interface ProgramResult {
  /** SHA-256 of the canonical JSON of its argv, `sha256:` and 64 hex digits. */
  readonly argv_hash: string
  /** The program that was executed, absolute. */
  readonly executable: string
  /** `sha256:` and the digest of that file right before the start, when it could be read. */
  readonly executable_hash?: string
}

/** What became of one command. */
export interface CommandResult extends ProgramResult {
  /** Its id in the contract. */
  readonly id: string
  /** The further programs of a pipeline. */
  readonly piped_into?: readonly ProgramResult[]
  readonly termination: Termination
  /** Limits that were seen to be reached, whether or not they ended it. */
  readonly limits_reached: readonly LimitReached[]
  readonly duration_ms: number
  /** CPU time of the command and its reaped descendants, microseconds. */
  readonly user_us: number
  readonly system_us: number
  /** Largest resident set, KiB. */
  readonly max_rss_kib: number
  readonly stdout: StreamOutcome
  readonly stderr: StreamOutcome
  readonly enforcement: Enforcement
}

/** The word for a whole run, as its execution receipt says it. */
export type RunStatus =
  'failed' | 'interrupted' | 'not_started' | 'success' | 'timed_out' | LimitTermination['kind']

/** A signed document as its exact bytes, and its place in the ledger. */
export interface LedgerReceipt {
  /** Number of the entry, decimal digits. */
  readonly seq: string
  /** SHA-256 of the bytes, 64 hex digits. */
  readonly digest: string
  readonly bytes: Uint8Array
}

/** Everything a run left behind. */
export interface RunResult {
  /** Id of the run in the ledger. */
  readonly run_id: string
  /** `denied` and `needs_approval`: nothing ran. */
  readonly status: RunStatus | 'denied' | 'needs_approval'
  /**
   * Exit code of `ambit run`: the child's own, or from 120 ours (120 denied, 121 approval required,
   * 124 timed out, 126 not executable, 127 not found, 128+n killed by signal n).
   */
  readonly exit_code: number
  readonly decision: PolicyDecision
  /** Commands in order; the last one is where the run ended. */
  readonly commands: readonly CommandResult[]
  /** What was kept of the last command's output. */
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  readonly receipts: {
    /** `ambit:decision`, made before anything ran. */
    readonly decision: LedgerReceipt
    /** `ambit:execution`; absent when nothing was allowed to run. */
    readonly execution?: LedgerReceipt
    /** `csc.receipt.v0.1` as text. */
    readonly csc: string
  }
}

const TIMED_OUT = 124
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127
const SIGNAL_BASE = 128
const SIGKILL = 9

/** Returns the exit code that stands for how a command ended. */
export function exitCodeOf(termination: Termination): number {
  if (isOfLimit(termination)) return endCodeOf(termination)
  switch (termination.kind) {
    case 'exited':
      return termination.code
    case 'signaled':
      return SIGNAL_BASE + termination.signal
    case 'timed_out':
      return TIMED_OUT
    case 'not_executable':
      return NOT_EXECUTABLE
    case 'not_found':
      return NOT_FOUND
    case 'cancelled':
    case 'sandbox_lost':
      return SIGNAL_BASE + SIGKILL
  }
}

/**
 * The exit code of a command that a limit ended is its own. Where that was a good one, but output was
 * lost, it stands for a kill.
 */
function endCodeOf({ code, signal }: LimitTermination): number {
  if (code !== null && code !== 0) return code
  return SIGNAL_BASE + (signal ?? SIGKILL)
}

/** Returns the word for a run that ended with this command. */
export function statusOf(termination: Termination): RunStatus {
  if (isOfLimit(termination)) return termination.kind
  switch (termination.kind) {
    case 'exited':
      return termination.code === 0 ? 'success' : 'failed'
    case 'timed_out':
      return 'timed_out'
    case 'cancelled':
    case 'sandbox_lost':
      return 'interrupted'
    case 'signaled':
    case 'not_executable':
    case 'not_found':
      return 'failed'
  }
}

/** Says in words how a command ended. */
export function describe(result: CommandResult): string {
  const command = `command \`${result.id}\``
  const { termination } = result
  if (isOfLimit(termination)) return `${command} ${OVER[termination.kind]}${evidenceOf(result)}`
  switch (termination.kind) {
    case 'exited':
      return `${command} exited with code ${termination.code}`
    case 'signaled':
      return `${command} was killed by signal ${termination.signal}`
    case 'timed_out':
      return `${command} timed out`
    case 'not_executable':
      return `${command}: \`${result.executable}\` could not be executed`
    case 'not_found':
      return `${command}: \`${result.executable}\` was not found`
    case 'cancelled':
      return `${command} was cancelled`
    case 'sandbox_lost':
      return `${command}: the sandbox was killed from outside`
  }
}

const OVER = {
  cpu: 'used up its processor time',
  file_size: 'wrote a file larger than its limit',
  oom: 'ran out of memory',
  output: 'wrote more output than its limit',
  pids: 'could have no more processes',
} as const satisfies Record<LimitTermination['kind'], string>

function isOfLimit(termination: Termination): termination is LimitTermination {
  return Object.hasOwn(OVER, termination.kind)
}

function evidenceOf({ termination, limits_reached }: CommandResult): string {
  const found = limits_reached.find(({ limit }) => limit === termination.kind)
  return found === undefined ? '' : ` (${found.evidence})`
}
