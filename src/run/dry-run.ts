// SPDX-License-Identifier: Apache-2.0
import type { PolicyDecision } from '../policy/index.js'
import { check, readDocuments } from './documents.js'
import { findHome } from './home.js'
import type { LaunchPlan } from './plan.js'
import { plansOf } from './plans.js'
import type { RunOptions } from './run.js'

/** What a launch would be given: its plan, with the names of its variables in place of their values. */
export type PlannedLaunch = Omit<LaunchPlan, 'env'> & { readonly env_names: readonly string[] }

/** What a run would do. */
export interface DryRun {
  readonly decision: PolicyDecision
  /** In the order of the commands; none where the decision is not `allow`. */
  readonly plans: readonly PlannedLaunch[]
}

/**
 * Says what `run` would decide and what it would give the sandbox. Nothing is started and nothing is
 * written; whether an approval was used before, and whether the kernel takes the plans, only a run
 * finds out.
 *
 * @throws {@link ContractError}, {@link PolicyError} for documents that are not valid
 * @throws {@link SandboxError} for what a command cannot be held to
 * @example
 * ```ts
 * const { decision, plans } = await dryRun({ contract: 'contract.json', policy: 'policy.yaml' })
 * console.log(decision.decision, plans[0]?.network)
 * ```
 */
export async function dryRun(
  options: Omit<
    RunOptions,
    'evidenceOut' | 'onCommand' | 'onStderr' | 'onStdout' | 'receiptOut' | 'signal' | 'stdin'
  >,
): Promise<DryRun> {
  const documents = await readDocuments(options)
  const decision = await check({ ...options, ...documents })
  if (decision.decision !== 'allow') return { decision, plans: [] }
  const env = options.env ?? process.env
  const plans = plansOf({ ...documents, env, home: findHome(env), options }, decision)
  return { decision, plans: plans.map(planned) }
}

function planned({ env, ...plan }: LaunchPlan): PlannedLaunch {
  return { ...plan, env_names: Object.keys(env).toSorted() }
}
