// SPDX-License-Identifier: Apache-2.0
import { type Approval, applyApprovals, loadApproval, parseApproval } from '../approval/index.js'
import { type LoadedContract, loadContract, parseContract } from '../contract/index.js'
import { ConfigError } from '../errors.js'
import { type Mode, type Policy, evaluate, loadPolicy, parsePolicy } from '../policy/index.js'
import type { PolicyDecision } from '../policy/index.js'
import { inspectContract } from './inspection.js'

/** A document: a file's path, its bytes, or what was read from it before. */
type Source<Loaded> = Loaded | Uint8Array | string

/** What is checked. */
export interface CheckOptions {
  readonly contract: Source<LoadedContract>
  readonly policy: Source<Policy>
  /** How the contract is to be run; `hardened` unless said otherwise. */
  readonly mode?: Mode
  /** Approvals of the contract: files, their bytes, or what was read from them before. */
  readonly approvals?: readonly Source<Approval>[]
  /** The clock. */
  readonly now?: () => Date
}

/** Contract and policy, read. */
export interface Documents {
  readonly contract: LoadedContract
  readonly policy: Policy
  readonly approvals: readonly Approval[]
}

/** The most approvals of one run. */
const MAX_APPROVALS = 64

/**
 * Reads contract, policy and approvals.
 *
 * @throws {@link ContractError}, {@link PolicyError}, {@link ApprovalError}
 */
export async function readDocuments(
  options: Pick<CheckOptions, 'approvals' | 'contract' | 'policy'>,
): Promise<Documents> {
  const { approvals: sources = [] } = options
  if (sources.length > MAX_APPROVALS) {
    const message = `at most ${MAX_APPROVALS} approvals, not ${sources.length}`
    throw new ConfigError('ERR_CONFIG_INVALID', message)
  }
  const contract = await read(options.contract, 'contract', loadContract, parseContract)
  const policy = await read(options.policy, 'policy', loadPolicy, parsePolicy)
  const reading = sources.map((it) => read(it, 'approval', loadApproval, parseApproval))
  return { contract, policy, approvals: await Promise.all(reading) }
}

async function read<Loaded extends object>(
  source: Source<Loaded>,
  name: string,
  load: (path: string) => Promise<Loaded>,
  parse: (bytes: Uint8Array, sourceName: string) => Loaded,
): Promise<Loaded> {
  if (typeof source === 'string') return await load(source)
  return source instanceof Uint8Array ? parse(source, name) : source
}

/**
 * Says what a policy decides about a contract, and approvals with it. Nothing is written and nothing
 * runs; whether an approval was used before, only a run finds out.
 *
 * @throws {@link ContractError}, {@link PolicyError} for documents that are not valid
 * @example
 * ```ts
 * const decision = await check({ contract: 'contract.json', policy: 'policy.yaml' })
 * console.log(decision.decision, decision.reason_codes)
 * ```
 */
export async function check(options: CheckOptions): Promise<PolicyDecision> {
  const { contract, policy, approvals } = await readDocuments(options)
  const now = options.now?.() ?? new Date()
  const by = { mode: options.mode ?? 'hardened', now } as const
  const findings = inspectContract(contract, policy)
  const decision = evaluate(contract, policy, { ...by, findings })
  return applyApprovals(decision, approvals, { ...by, contract, policy }).decision
}
