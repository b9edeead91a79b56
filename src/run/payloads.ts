// SPDX-License-Identifier: Apache-2.0
// What receipts say: payloads of our two types, and the csc receipt. All pure.
import type { PolicyDecision } from '../policy/index.js'
import type { Enforcement, Termination } from './launch.js'
import { type CommandResult, type RunStatus, describe, exitCodeOf } from './result.js'
import type { Artifacts } from './artifacts.js'
import type { Scope } from './scope.js'

/** What every receipt of a run has in common. */
export interface RunFacts {
  readonly runId: string
  readonly decision: PolicyDecision
  readonly startedAt: Date
  /** Who asked for it, as the contract says. */
  readonly actor: Actor
  /** The approvals that the decision rests on. */
  readonly approvals: readonly UsedApproval[]
  /** What the caller wants to find in both receipts, as it is. */
  readonly marks?: Marks
}

/** What receipts say of an approval. */
interface UsedApproval {
  /** `sha256:` and the digest of its RFC 8785 text. */
  readonly approval_hash: string
  readonly approval_id: string
  /** The thumbprint of the key that signed it, or `unsigned`. */
  readonly approver_key_id: string
  readonly scope: string
}

/** What receipts say of who asked: claims of the contract, which nobody checked. */
export interface Actor {
  readonly agent_id: string
  readonly session_id: string
}

/** Returns what receipts say of a contract's actor; the rest of it is in the contract alone. */
export function actorOf({ agent_id, session_id }: Actor): Actor {
  return { agent_id, session_id }
}

/** Tells receipts apart that are made for others. */
export interface Marks {
  /** Something new each time, from whoever asks for the receipt. */
  readonly nonce?: string
  /** Whom the receipt is for. */
  readonly audience?: string
}

/** Why a run did not end well, by code. */
export interface RunFault {
  readonly code: string
  readonly message: string
}

/** RFC 3339 in UTC with milliseconds. */
const utc = (time: Date): string => time.toISOString()

/** The form csc-runner writes: microseconds and `+00:00`. */
export const cscTime = (time: Date): string => time.toISOString().replace('Z', '000+00:00')

/** Returns the payload of `ambit:decision`; the ledger adds its place, the signer its id. */
export function decisionPayload(facts: RunFacts): string {
  const { decision, runId, startedAt } = facts
  return JSON.stringify({
    type: 'ambit:decision',
    issued_at: utc(startedAt),
    run_id: runId,
    mode: decision.mode,
    decision: decision.decision,
    reason_codes: decision.reason_codes,
    contract_id: decision.contract_id,
    contract_hash: `sha256:${decision.contract_sha256}`,
    policy_name: decision.policy_profile,
    policy_hash: `sha256:${decision.policy_sha256}`,
    classified_effects: decision.classified_effects,
    ...(decision.findings && { findings: decision.findings }),
    ...(facts.approvals.length > 0 && { approvals: facts.approvals }),
    actor: facts.actor,
    ...facts.marks,
  })
}

/** What an execution receipt says besides the facts of its run. */
export interface Execution {
  readonly endedAt: Date
  readonly status: RunStatus
  readonly commands: readonly CommandResult[]
  /** SHA-256 of the decision receipt, hex. */
  readonly decisionDigest: string
  /** SHA-256 of the csc receipt's text, hex. */
  readonly cscDigest?: string
  readonly scope?: Scope
  readonly artifacts?: Artifacts
  /** What was seen to before the first command. */
  readonly obligations?: PolicyDecision['obligations']
  readonly fault?: RunFault
}

const NOTHING_ENFORCED: Enforcement = { tier: 'none', mechanisms: {} }
const ORDER = ['none', 'lite', 'full'] as const

/** Returns the enforcement of the command that had least. */
function weakest(commands: readonly CommandResult[]): Enforcement {
  const found = commands
    .map((command) => command.enforcement)
    .toSorted((a, b) => ORDER.indexOf(a.tier) - ORDER.indexOf(b.tier))
  return found[0] ?? NOTHING_ENFORCED
}

/** Returns the payload of `ambit:execution`. */
export function executionPayload(facts: RunFacts, execution: Execution): string {
  const { decision, runId } = facts
  const { cscDigest, scope, artifacts, fault } = execution
  return JSON.stringify({
    type: 'ambit:execution',
    issued_at: utc(execution.endedAt),
    run_id: runId,
    decision_hash: `sha256:${execution.decisionDigest}`,
    contract_hash: `sha256:${decision.contract_sha256}`,
    policy_hash: `sha256:${decision.policy_sha256}`,
    mode: decision.mode,
    status: execution.status,
    commands: execution.commands.map(commandMember),
    enforcement: weakest(execution.commands),
    ...(scope && { scope }),
    artifacts: artifacts?.artifacts ?? [],
    ...(artifacts?.truncated === true && { artifacts_truncated: true }),
    ...seenTo(execution),
    approvals: facts.approvals,
    actor: facts.actor,
    ...facts.marks,
    ...(cscDigest !== undefined && { csc_receipt_hash: `sha256:${cscDigest}` }),
    ...(fault && { error: fault }),
  })
}

/** The obligations that no member of a command shows. */
function seenTo({ obligations = [] }: Execution): object {
  const trees = obligations.filter(({ require }) => require === 'clean_work_tree')
  return trees.length > 0 ? { obligations: trees } : {}
}

function commandMember(result: CommandResult): object {
  const { termination, enforcement, executable_hash: _observed, piped_into, ...rest } = result
  const programs = piped_into?.map(({ argv_hash, executable }) => ({ argv_hash, executable }))
  return {
    ...rest,
    ...(programs && { piped_into: programs }),
    tier: enforcement.tier,
    termination: termination.kind,
    exit_code: 'code' in termination ? termination.code : null,
    signal: 'signal' in termination ? termination.signal : null,
    timed_out: termination.kind === 'timed_out',
  }
}

/** The part of a recorded decision that an execution receipt repeats. */
export interface RecordedDecision {
  readonly run_id: string
  readonly contract_hash: string
  readonly policy_hash: string
  readonly mode: string
  /** Absent in receipts of before. */
  readonly actor?: Actor
  /** As the decision lists them; absent where it lists none. */
  readonly approvals?: readonly unknown[]
  readonly marks: Marks
}

/** Returns the payload for a run whose process ended before it could say how. */
export function interruptedPayload(
  recorded: RecordedDecision,
  decisionDigest: string,
  now: Date,
): string {
  const { run_id, contract_hash, policy_hash, mode, actor, approvals, marks } = recorded
  const message =
    'the process that began this run ended before it recorded an outcome; how far it came is not known'
  return JSON.stringify({
    type: 'ambit:execution',
    issued_at: utc(now),
    run_id,
    decision_hash: `sha256:${decisionDigest}`,
    contract_hash,
    policy_hash,
    mode,
    status: 'interrupted',
    commands: [],
    enforcement: NOTHING_ENFORCED,
    ...(approvals && { approvals }),
    ...(actor && { actor }),
    ...marks,
    error: { code: 'INTERRUPTED', message },
  })
}

/** What a csc receipt says besides the facts of its run. */
export interface CscOutcome {
  readonly endedAt: Date
  readonly commands: readonly CommandResult[]
  /** The command at which the run ended, when that is not the last of `commands`. */
  readonly failedId?: string
  readonly fault?: RunFault
  /** `policy_schema_version` of the policy. */
  readonly policySchemaVersion: string
  /** Version of this package. */
  readonly runnerVersion: string
}

/** Returns a `csc.receipt.v0.1` without its signature. */
export function cscReceipt(facts: RunFacts, outcome: CscOutcome): string {
  const { decision, runId, startedAt } = facts
  const { commands, fault, endedAt } = outcome
  const completed = commands.filter((command) => isSuccess(command.termination))
  const end = cscEnd(outcome)
  return JSON.stringify({
    receipt_version: 'csc.receipt.v0.1',
    contract_id: decision.contract_id,
    execution_id: `exec_${runId}`,
    contract_sha256: decision.contract_sha256,
    policy_sha256: decision.policy_sha256,
    policy_profile: decision.policy_profile,
    policy_schema_version: outcome.policySchemaVersion,
    runner_version: outcome.runnerVersion,
    execution_mode: decision.mode,
    started_at: cscTime(startedAt),
    ended_at: cscTime(endedAt),
    completed_command_ids: completed.map((command) => command.id),
    failed_command_id: end.failed?.id ?? outcome.failedId ?? null,
    error: errorText(fault, end.failed),
    ...end.members,
  })
}

const MAX_ERROR = 4000

/** How csc-runner's receipt says a path that could not be granted. */
const NOT_STARTED = 126

/** How a run ended, in csc's words: `blocked` only where no command started. */
function cscEnd(outcome: Pick<CscOutcome, 'commands' | 'failedId' | 'fault'>): {
  readonly failed?: CommandResult
  readonly members: object
} {
  const { commands, failedId, fault } = outcome
  const last = commands.at(-1)
  if (last === undefined) return { members: { status: 'blocked' } }
  if (isSuccess(last.termination)) {
    if (fault === undefined) return { members: { status: 'success', ...ranMembers(last, 0) } }
    // it ended well, but the run did not: at the command after it, or by the caller's fault
    return { members: { status: 'failed', ...ranMembers(last, NOT_STARTED) } }
  }
  const { termination } = last
  const signal = 'signal' in termination ? termination.signal : null
  const code = signal === null ? exitCodeOf(termination) : -signal
  const members = { status: 'failed', ...ranMembers(last, code) }
  return failedId === undefined ? { failed: last, members } : { members }
}

/** Our own words only: what a command prints may hold secrets. */
function errorText(fault: RunFault | undefined, failed: CommandResult | undefined): string {
  if (fault !== undefined) return fault.message.slice(0, MAX_ERROR)
  return failed === undefined ? '' : describe(failed)
}

function isSuccess(termination: Termination): boolean {
  return termination.kind === 'exited' && termination.code === 0
}

/** csc-runner reports the last command only, a signal as a negative code. */
function ranMembers(last: CommandResult, exitCode: number): object {
  return {
    exit_code: exitCode,
    stdout_hash: `sha256:${last.stdout.sha256}`,
    stderr_hash: `sha256:${last.stderr.sha256}`,
    stdout_truncated: last.stdout.truncated,
    stderr_truncated: last.stderr.truncated,
    artifacts: [],
  }
}
