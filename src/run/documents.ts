// SPDX-License-Identifier: Apache-2.0
import { type LoadedContract, loadContract, parseContract } from '../contract/index.js'
import { type Mode, type Policy, evaluate, loadPolicy, parsePolicy } from '../policy/index.js'
import type { PolicyDecision } from '../policy/index.js'

/** A document: a file's path, its bytes, or what was read from it before. */
type Source<Loaded> = Loaded | Uint8Array | string

/** What is checked. */
export interface CheckOptions {
  readonly contract: Source<LoadedContract>
  readonly policy: Source<Policy>
  /** How the contract is to be run; `hardened` unless said otherwise. */
  readonly mode?: Mode
  /** The clock. */
  readonly now?: () => Date
}

/** Contract and policy, read. */
export interface Documents {
  readonly contract: LoadedContract
  readonly policy: Policy
}

/**
 * Reads contract and policy.
 *
 * @throws {@link ContractError}, {@link PolicyError}
 */
export async function readDocuments(
  options: Pick<CheckOptions, 'contract' | 'policy'>,
): Promise<Documents> {
  return {
    contract: await read(options.contract, 'contract', loadContract, parseContract),
    policy: await read(options.policy, 'policy', loadPolicy, parsePolicy),
  }
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
 * Says what a policy decides about a contract. Nothing is written and nothing runs.
 *
 * @throws {@link ContractError}, {@link PolicyError} for documents that are not valid
 * @example
 * ```ts
 * const decision = await check({ contract: 'contract.json', policy: 'policy.yaml' })
 * console.log(decision.decision, decision.reason_codes)
 * ```
 */
export async function check(options: CheckOptions): Promise<PolicyDecision> {
  const { contract, policy } = await readDocuments(options)
  const now = options.now?.() ?? new Date()
  return evaluate(contract, policy, { mode: options.mode ?? 'hardened', now })
}
