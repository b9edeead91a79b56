// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os'
import { Args, Flags } from '@oclif/core'
import { AmbitCommand, jsonText, oneLine } from '../cli/command.js'
import { PASSPHRASE_FLAGS, secretOf } from '../cli/passphrase.js'
import { RawTerminal } from '../cli/terminal.js'
import {
  type AmbitError,
  type LoadedContract,
  type Policy,
  type RunOptions,
  type RunResult,
  dryRun,
  explain,
  loadContract,
  loadPolicy,
  run,
} from '../index.js'

type Mode = 'hardened' | 'local'

const UNENFORCED = 'local: nothing enforced by the kernel'
const EXIT_DECIDED = { allow: 0, deny: 120, needs_approval: 121 } as const
const EXIT_SANDBOX = 122
const EXIT_LEDGER = 123
const EXIT_FAILURE = 125
const SIGNAL_BASE = 128
/** The descriptor of standard input. */
const STDIN = 0

export default class Run extends AmbitCommand {
  static override summary = 'run a contract if the policy allows it, held to it by the kernel'
  static override description =
    "exit codes: the command's own; from 120 ours: 120 denied, 121 approval required, " +
    '122 sandbox could not be built, 123 ledger could not record, 124 timed out, ' +
    '125 invalid or internal, 126 not executable, 127 not found, 128+n killed by signal n'
  static override examples = [
    '<%= config.bin %> run contract.json policy.yaml --receipt-out out/receipt.json',
  ]
  static override args = {
    contract: Args.string({ description: 'contract file (JSON)', required: true }),
    policy: Args.string({ description: 'policy file (YAML)', required: true }),
  }
  static override flags = {
    ...AmbitCommand.shared,
    mode: Flags.option({
      description: 'how to run it; in `local` mode nothing is enforced by the kernel',
      options: ['hardened', 'local'] as const,
      default: 'hardened' as const,
    })(),
    approval: Flags.string({
      description: 'approval file; give it again for each approval',
      helpValue: 'FILE',
      multiple: true,
    }),
    'receipt-out': Flags.string({ description: 'file for the csc receipt', helpValue: 'FILE' }),
    'evidence-out': Flags.string({
      description: 'folder for the decision and execution receipts, byte for byte as signed',
      helpValue: 'DIR',
    }),
    sign: Flags.boolean({ description: 'sign the receipts, as is always done' }),
    'signing-key': Flags.string({
      description:
        'private key file, or pkcs11: URI of a key in a token; else the key in $AMBIT_HOME',
      helpValue: 'KEY',
    }),
    ...PASSPHRASE_FLAGS,
    'key-id': Flags.string({ description: 'key id for the csc receipt', helpValue: 'ID' }),
    nonce: Flags.string({
      description: 'text that stands in both signed receipts, new each time',
      helpValue: 'TEXT',
    }),
    audience: Flags.string({
      description: 'whom the receipts are for; stands in both',
      helpValue: 'TEXT',
    }),
    'sandbox-debug': Flags.boolean({
      description: 'print what the sandbox would be given as JSON; start and write nothing',
    }),
    quiet: Flags.boolean({ description: 'say nothing on success', char: 'q' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Run)
    this.json = flags.json
    const contract = await loadContract(args.contract)
    const policy = await loadPolicy(args.policy)
    this.warnOf(flags.mode)
    if (flags['sandbox-debug']) await this.plan({ contract, policy }, flags)
    else await this.execute({ contract, policy }, flags)
  }

  private async execute(documents: Documents, flags: RunFlags): Promise<void> {
    const stop = new AbortController()
    const caught = stopOnSignal(stop)
    const lost = new LostOutput(stop)
    // with --json stdout is ours, so the command's output goes to stderr
    const output = flags.json ? process.stderr : process.stdout
    const raw = new RawTerminal(output)
    const result = await run({
      ...optionsOf(flags),
      ...documents,
      signal: stop.signal,
      stdin: STDIN,
      terminal: output,
      onCommand: (_, { hasTerminal, readsStdin }) => raw.set(hasTerminal && readsStdin),
      onStdout: (piece) => lost.pass(piece, output),
      onStderr: (piece) => lost.pass(piece, process.stderr),
    }).finally(() => raw.set(false))
    const stopped = result.status === 'interrupted'
    const signalled =
      stopped && caught.signal !== undefined ? SIGNAL_BASE + caught.signal : undefined
    const exit_code = lost.error === undefined ? (signalled ?? result.exit_code) : EXIT_FAILURE
    if (flags.json) this.emit('ambit.run.v1', documentOf({ ...result, exit_code }))
    if (!flags.quiet || result.status !== 'success') this.report(result, documents, flags)
    if (lost.error !== undefined) this.say(`the output could not be written: ${lost.error.message}`)
    this.finish(exit_code)
  }

  /** Says what a run would be, and runs nothing. */
  private async plan({ contract, policy }: Documents, flags: RunFlags): Promise<void> {
    const { decision, plans } = await dryRun({ ...optionsOf(flags), contract, policy })
    if (flags.json) this.emit('ambit.plan.v1', { decision, plans })
    else for (const plan of plans) process.stdout.write(`${jsonText(plan)}\n`)
    if (decision.decision !== 'allow') this.say(explain(decision, contract, policy).join('\n'))
    this.finish(EXIT_DECIDED[decision.decision])
  }

  /** Says before anything starts what nobody should have to look up afterwards. */
  private warnOf(mode: Mode): void {
    if (mode === 'local') this.say(UNENFORCED)
  }

  private report(result: RunResult, { contract, policy }: Documents, flags: RunFlags): void {
    if (result.status === 'denied' || result.status === 'needs_approval') {
      const lines = explain(result.decision, contract, policy)
      this.say([...lines, whereReceipt(result, flags)].join('\n'))
      return
    }
    this.say(endOf(result))
    for (const { enforcement } of result.commands) {
      const moved = enforcement.mechanisms['protections']?.facts?.['moved_aside']
      if (moved !== undefined) this.say(`  moved aside, since it is protected: ${oneLine(moved)}`)
    }
  }

  protected exitCodeFor(error: AmbitError): number {
    // 122 says that nothing ran; a later command that could not start is not that
    const ran = Number(error.details['commands_run'] ?? 0) > 0
    if (error.code.startsWith('ERR_SANDBOX_')) return ran ? EXIT_FAILURE : EXIT_SANDBOX
    return error.code.startsWith('ERR_LEDGER_') ? EXIT_LEDGER : EXIT_FAILURE
  }
}

interface Documents {
  readonly contract: LoadedContract
  readonly policy: Policy
}

interface RunFlags {
  readonly mode: Mode
  readonly 'receipt-out'?: string | undefined
  readonly 'evidence-out'?: string | undefined
  readonly 'signing-key'?: string | undefined
  readonly 'key-id'?: string | undefined
  readonly json: boolean
  readonly quiet: boolean
  readonly 'passphrase-file'?: string | undefined
  readonly 'passphrase-env'?: string | undefined
  readonly approval?: readonly string[] | undefined
  readonly nonce?: string | undefined
  readonly audience?: string | undefined
}

function optionsOf(flags: RunFlags): Omit<RunOptions, 'contract' | 'policy'> {
  const { mode, nonce, audience, approval: approvals } = flags
  const [receiptOut, signingKey] = [flags['receipt-out'], flags['signing-key']]
  const [evidenceOut, keyId] = [flags['evidence-out'], flags['key-id']]
  return {
    mode,
    ...(approvals !== undefined && { approvals }),
    ...(receiptOut !== undefined && { receiptOut }),
    ...(evidenceOut !== undefined && { evidenceOut }),
    ...(signingKey !== undefined && { signingKey }),
    passphrase: secretOf(flags),
    ...(keyId !== undefined && { keyId }),
    ...(nonce !== undefined && { nonce }),
    ...(audience !== undefined && { audience }),
  }
}

/** Says where the receipt of a run is that did not begin. */
function whereReceipt({ receipts }: RunResult, flags: RunFlags): string {
  const files = [flags['receipt-out'], flags['evidence-out']].flatMap((path) => path ?? [])
  return oneLine(`    receipt  ${[...files, `ledger entry ${receipts.decision.seq}`].join(', ')}`)
}

/** Ends the run, not just this process, when a person or a supervisor asks for it. */
function stopOnSignal(stop: AbortController): { signal?: number } {
  const caught: { signal?: number } = {}
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      caught.signal = constants.signals[name]
      stop.abort()
    })
  }
  return caught
}

/** Ends the run when its output cannot be passed on; a reader that has gone is no reason. */
class LostOutput {
  error: Error | undefined
  readonly #stop: AbortController

  constructor(stop: AbortController) {
    this.#stop = stop
    for (const stream of [process.stdout, process.stderr]) {
      // oclif's own listener ends the process at once, before the outcome is on record
      stream.removeAllListeners('error')
      stream.on('error', (error: NodeJS.ErrnoException) => this.#lose(error))
    }
  }

  /** Writes a piece, and lets the command wait for a reader; files throw where pipes emit. */
  pass(piece: Uint8Array, to: NodeJS.WriteStream): Promise<void> | undefined {
    if (this.error !== undefined) return undefined
    try {
      return to.write(piece) ? undefined : roomIn(to)
    } catch (error) {
      this.#lose(error instanceof Error ? error : new Error(String(error)))
      return undefined
    }
  }

  #lose(error: NodeJS.ErrnoException): void {
    if (error.code === 'EPIPE') return
    this.error ??= error
    this.#stop.abort()
  }
}

/** Resolves when a stream takes more, or never will. */
function roomIn(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const events = ['drain', 'close', 'error']
    const go = () => {
      for (const event of events) stream.off(event, go)
      resolve()
    }
    for (const event of events) stream.on(event, go)
  })
}

function documentOf(result: RunResult): object {
  const { run_id, status, exit_code, decision, commands, receipts } = result
  return {
    run_id,
    status,
    exit_code,
    decision,
    commands,
    receipts: {
      csc: receipts.csc,
      decision: text(receipts.decision.bytes),
      ...(receipts.execution && { execution: text(receipts.execution.bytes) }),
    },
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

/** How a run that was begun ended, and which limits it reached, for people. */
function endOf(result: RunResult): string {
  const last = result.commands.at(-1)
  const tier = last?.enforcement.tier ?? 'none'
  const mark = result.status === 'success' ? '✓' : '✗'
  const reached = last?.limits_reached ?? []
  return [
    `${mark} ${result.status}  exit ${result.exit_code}  sandbox ${tier}  ${result.run_id}`,
    ...reached.map(({ limit, evidence }) => `  limit reached: ${limit}: ${evidence}`),
  ].join('\n')
}
