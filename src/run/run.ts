// SPDX-License-Identifier: Apache-2.0
// The pipeline: the one place that knows all stages. It owns clock, ids, modes and keys.
import type { Readable } from 'node:stream'
import { ConfigError, ReceiptError, SandboxError } from '../errors.js'
import type { Secret } from '../keys/signer.js'
import type { Recorded } from '../ledger/types.js'
import { sha256Hex } from '../native.js'
import { VERSION } from '../version.js'
import { type Question, decideRun } from './decide.js'
import { artifactsOf } from './artifacts.js'
import { type CheckOptions, readDocuments } from './documents.js'
import { type CommandListener, type Executed, type OutputListener, execute } from './execute.js'
import { type Home, findHome } from './home.js'
import {
  type CscOutcome,
  type Execution,
  type Marks,
  type RunFacts,
  cscReceipt,
  cscTime,
  executionPayload,
} from './payloads.js'
import { pinsOf } from './pins.js'
import type { LaunchPlan } from './plan.js'
import { meetObligations, plansOf } from './plans.js'
import { ReceiptFiles } from './receipt-file.js'
import { Recorder } from './recorder.js'
import { type RunResult, exitCodeOf } from './result.js'
import { scopeOf } from './scope.js'
import { resolveSecrets } from './secrets.js'
import type { TerminalView } from './terminal.js'

/** What is run, and how. */
export interface RunOptions extends CheckOptions {
  /** Private key file or `pkcs11:` URI; the key in `$AMBIT_HOME` unless another is named. */
  readonly signingKey?: string
  /** Where the passphrase of an encrypted key is. */
  readonly passphrase?: Secret
  /** Key id that csc receipts carry; the key's RFC 7638 thumbprint unless another is named. */
  readonly keyId?: string
  /** Where the csc receipt is written; a file there is replaced. */
  readonly receiptOut?: string
  /**
   * Folder for the decision and execution receipt, byte for byte as signed, named by their number
   * in the ledger; files there are never replaced.
   */
  readonly evidenceOut?: string
  /** Text that stands in both receipts: 1 to 256 printable ASCII characters, new each time. */
  readonly nonce?: string
  /** Whom the receipts are for: 1 to 256 printable ASCII characters that stand in both. */
  readonly audience?: string
  /** Stops the run: everything in the sandbox is killed and the run recorded as interrupted. */
  readonly signal?: AbortSignal
  /**
   * What commands read whose contract says that they read what the runner reads, or have a terminal:
   * a stream, or a descriptor, which is copied from and never given to a command.
   */
  readonly stdin?: Readable | number
  /** What a command's terminal is shown on, for its size and changes of it. */
  readonly terminal?: TerminalView
  /** Called right before a command is started. */
  readonly onCommand?: CommandListener
  /**
   * Called with each piece of standard output as it comes. While the command runs, it waits for a
   * promise that is returned.
   */
  readonly onStdout?: OutputListener
  /** Called with each piece of standard error as it comes. */
  readonly onStderr?: OutputListener
  /** Environment to look names up in; `process.env` unless another is given. */
  readonly env?: NodeJS.ProcessEnv
}

/** What all parts of one run share. */
interface Work extends Question {
  readonly options: RunOptions
  readonly env: NodeJS.ProcessEnv
  readonly home: Home
}

/**
 * Runs a contract if the policy allows it, held to it by the kernel, with receipts for whatever
 * happens. In `local` mode the kernel holds it to nothing, and the receipts say so. A denial is a
 * result; only a run that could not be done as planned or not be recorded is an error.
 *
 * @throws {@link ContractError}, {@link PolicyError} for documents that are not valid
 * @throws {@link SandboxError} when the sandbox could not be built; nothing of that command ran
 * @throws {@link LedgerError} when a decision or outcome could not be recorded
 * @throws {@link ApprovalError} for an approval that is not valid or cannot be read
 * @throws {@link KeyError}, {@link ReceiptError}
 * @example
 * ```ts
 * const result = await run({
 *   contract: 'contract.json',
 *   policy: 'policy.yaml',
 *   onStdout: (piece) => process.stdout.write(piece),
 * })
 * console.log(result.status, result.exit_code)
 * ```
 */
export async function run(options: RunOptions): Promise<RunResult> {
  options.signal?.throwIfAborted()
  const marks = marksOf(options)
  const documents = await readDocuments(options)
  const env = options.env ?? process.env
  const now = options.now ?? (() => new Date())
  const home = findHome(env)
  const { mode = 'hardened', signingKey, passphrase, keyId } = options
  const recorder = new Recorder({ home, signingKey, passphrase, keyId })
  try {
    return await recorded({ options, ...documents, mode, recorder, now, env, home, marks })
  } finally {
    await recorder.close()
  }
}

/** Returns what stands in both receipts by the caller's wish. */
function marksOf({ nonce, audience }: RunOptions): Marks {
  const marks = {
    ...(nonce !== undefined && { nonce }),
    ...(audience !== undefined && { audience }),
  }
  for (const [name, text] of Object.entries(marks)) {
    if (/^[\x20-\x7e]{1,256}$/u.test(text)) continue
    const message = `\`${name}\` takes 1 to 256 printable ASCII characters`
    throw new ConfigError('ERR_CONFIG_INVALID', message)
  }
  return marks
}

async function recorded(work: Work): Promise<RunResult> {
  const { options, recorder, now } = work
  await recorder.recordInterrupted(now())
  const files = await ReceiptFiles.reserve(options.receiptOut, options.evidenceOut)
  try {
    return await decided(work, files)
  } finally {
    await files.discard()
  }
}

async function decided(work: Work, files: ReceiptFiles): Promise<RunResult> {
  const { facts, intent } = await decideRun(work)
  return facts.decision.decision === 'allow'
    ? await executed(work, facts, intent, files)
    : await refused(work, facts, intent, files)
}

async function refused(
  work: Work,
  facts: RunFacts,
  intent: Recorded,
  files: ReceiptFiles,
): Promise<RunResult> {
  const { decision, runId } = facts
  const [first] = decision.reasons
  const fault = { code: first?.code ?? 'DENIED', message: first?.message ?? 'denied' }
  const csc = signCsc(work, facts, { commands: [], fault, endedAt: work.now() })
  await files.place(csc, [evidence('decision', intent)])
  const denied = decision.decision === 'deny'
  return {
    run_id: runId,
    status: denied ? 'denied' : 'needs_approval',
    exit_code: denied ? EXIT_DENIED : EXIT_NEEDS_APPROVAL,
    decision,
    commands: [],
    stdout: new Uint8Array(),
    stderr: new Uint8Array(),
    receipts: { decision: intent, csc },
  }
}

const EXIT_DENIED = 120
const EXIT_NEEDS_APPROVAL = 121

async function executed(
  work: Work,
  facts: RunFacts,
  intent: Recorded,
  files: ReceiptFiles,
): Promise<RunResult> {
  const { contract, policy } = work
  const done = await execute(contract.commands, async () => planned(work, facts), {
    ...work.options,
    pinsOf: (id) => pinsOf(facts.decision, id),
    secretsFor: ({ secrets = [] }) =>
      resolveSecrets(secrets, policy.document.secrets ?? [], work.env),
  })
  const { csc, outcome } = await recordOutcome(work, facts, intent, done)
  await files.place(csc, [evidence('decision', intent), evidence('execution', outcome)])
  if (done.error !== undefined) throw withRun(done.error, facts, done)
  return resultOf(facts, done, { decision: intent, execution: outcome, csc })
}

/** Makes the plans, and sees to what must hold before the first of them. */
async function planned(work: Work, { decision }: RunFacts): Promise<readonly LaunchPlan[]> {
  const plans = plansOf(work, decision)
  await meetObligations(work, decision, work.options.signal)
  return plans
}

/** Returns what a run was given, and what was seen of it and of what it left behind. */
async function seenOf(
  { contract }: Work,
  done: Executed,
): Promise<Required<Pick<Execution, 'artifacts' | 'scope'>>> {
  const started = new Set(done.commands.map((command) => command.id))
  const asked = contract.commands.filter((command) => started.has(command.id))
  const patterns = asked.flatMap((command) => command.artifacts ?? [])
  const artifacts = await artifactsOf({
    patterns: started.size === 0 ? [] : [...contract.expected_outputs, ...patterns],
    trees: [...new Set(done.plans.flatMap((plan) => plan.write_paths))],
    hidden: done.plans.flatMap((plan) => plan.hidden_paths),
  })
  return { scope: scopeOf(contract.commands, done.plans, done.commands), artifacts }
}

/** Signs and records what became of a run. */
async function recordOutcome(
  work: Work,
  facts: RunFacts,
  intent: Recorded,
  done: Executed,
): Promise<{ csc: string; outcome: Recorded }> {
  const { recorder } = work
  recorder.renewKey()
  const endedAt = work.now()
  const { commands, status, fault } = done
  const { scope, artifacts } = await seenOf(work, done)
  recorder.release()
  try {
    const csc = signCsc(work, facts, { ...done, endedAt })
    const cscDigest = sha256Hex(Buffer.from(csc))
    const decisionDigest = intent.digest
    const obligations = done.plans.length > 0 ? facts.decision.obligations : []
    const what = { commands, scope, artifacts, obligations, ...(fault && { fault }) }
    const said = { endedAt, status, decisionDigest, cscDigest, ...what }
    const outcome = await recorder.outcome(facts.runId, executionPayload(facts, said), endedAt)
    return { csc, outcome }
  } catch (error) {
    if (!(error instanceof ReceiptError)) throw error
    // the whole story cannot be signed; that the run ended, and how, must be on record all the same
    const short = { code: error.code, message: 'the outcome could not be described in full' }
    const said = { endedAt, status, commands: [], decisionDigest: intent.digest, fault: short }
    await recorder.outcome(facts.runId, executionPayload(facts, said), endedAt)
    throw error
  }
}

/** Tells the caller which run an error is about, and how far it had come. */
function withRun(error: Error, facts: RunFacts, done: Executed): Error {
  if (!(error instanceof SandboxError)) return error
  const details = { ...error.details, run_id: facts.runId, commands_run: done.commands.length }
  return new SandboxError(error.code, error.message, { details, cause: error })
}

function resultOf(facts: RunFacts, done: Executed, receipts: RunResult['receipts']): RunResult {
  const last = done.status === 'interrupted' ? undefined : done.commands.at(-1)
  return {
    run_id: facts.runId,
    status: done.status,
    exit_code: exitCodeOf(last?.termination ?? { kind: 'cancelled' }),
    decision: facts.decision,
    commands: done.commands,
    stdout: done.stdout,
    stderr: done.stderr,
    receipts,
  }
}

const SEQ_DIGITS = 6

function evidence(kind: string, { seq, bytes }: Recorded): { name: string; bytes: Uint8Array } {
  return { name: `${seq.padStart(SEQ_DIGITS, '0')}.${kind}.json`, bytes }
}

type Csc = Pick<CscOutcome, 'commands' | 'endedAt' | 'failedId' | 'fault'>

function signCsc(work: Work, facts: RunFacts, outcome: Csc): string {
  const { policy, recorder } = work
  const receipt = cscReceipt(facts, {
    ...outcome,
    policySchemaVersion: policy.document.policy_schema_version,
    runnerVersion: `ambit ${VERSION}`,
  })
  return recorder.signCsc(receipt, cscTime(work.now()))
}
