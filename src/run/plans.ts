// SPDX-License-Identifier: Apache-2.0
// The plans of all commands of a contract, which are made before the first one starts.
import type { LoadedContract } from '../contract/index.js'
import { SandboxError } from '../errors.js'
import { type Secret, secretPlacesOf } from '../keys/signer.js'
import { type Policy, type PolicyDecision, unmetObligations } from '../policy/index.js'
import { requireCleanWorkTree } from './clean-work-tree.js'
import type { Home } from './home.js'
import { pinsOf, refuseWritable } from './pins.js'
import { type Floor, type LaunchPlan, type PlanContext, planOf, treesOf } from './plan.js'
import { protectedPaths } from './protected.js'
import { resolveSecrets, wipe } from './secrets.js'
import { type TerminalView, sizeOf } from './terminal.js'

/** What plans are made of. */
export interface Planning {
  readonly contract: LoadedContract
  readonly policy: Policy
  readonly env: NodeJS.ProcessEnv
  readonly home: Home
  readonly options: {
    readonly signingKey?: string
    readonly passphrase?: Secret
    readonly terminal?: TerminalView
  }
}

/**
 * Makes the plans of all commands.
 *
 * @throws {@link SandboxError}, {@link ConfigError} when the contract cannot be run as the decision says
 */
export function plansOf(planning: Planning, decision: PolicyDecision): readonly LaunchPlan[] {
  const [unmet] = unmetObligations(decision)
  if (unmet !== undefined) {
    const message = `this version cannot see to what the policy requires: \`${unmet.require}\``
    throw new SandboxError('ERR_SANDBOX_UNSUPPORTED', message)
  }
  const context = contextOf(planning, decision)
  const plans = planning.contract.commands.map((command) => {
    const pins = pinsOf(decision, command.id)
    refuseWritable(pins, context.writable)
    return planOf(command, { ...context, pins })
  })
  // a secret that cannot be had is found out before anything runs
  const sources = planning.policy.document.secrets ?? []
  for (const { secrets = [] } of plans) wipe(resolveSecrets(secrets, sources, planning.env))
  return plans
}

/**
 * Sees to what the policy requires before anything starts, and what no plan can hold.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_WORK_TREE_UNCLEAN`
 */
export async function meetObligations(
  planning: Planning,
  decision: PolicyDecision,
  signal?: AbortSignal,
): Promise<void> {
  for (const obligation of decision.obligations ?? []) {
    if (obligation.require !== 'clean_work_tree') continue
    await requireCleanWorkTree(obligation.path, contextOf(planning, decision), signal)
  }
}

/** Returns what all plans of a run have in common. */
function contextOf(planning: Planning, decision: PolicyDecision): PlanContext {
  const { contract, policy, env, home, options } = planning
  const writable = contract.commands.flatMap((command) => treesOf(command, command.write_paths))
  const secrets = secretPlacesOf(options.signingKey ?? home.signingKey, options.passphrase)
  const named = policy.document.secrets ?? []
  const files = [...secrets.files, ...named.flatMap(({ from_file: file }) => file ?? [])]
  const variables = named.flatMap(({ from_env: variable }) => variable ?? [])
  const hiddenPaths = protectedPaths(home, files, env, writable)
  const { allowed_write_prefixes: writablePrefixes, timeout_grace_ms: graceMs } = policy.document
  const caller = { mode: decision.mode, env, hiddenNames: [...secrets.variables, ...variables] }
  const floor = floorOf(policy.document.enforcement_floor)
  const windowSize = sizeOf(options.terminal)
  const lifted = policy.document.lift_protections ?? []
  const bounds = { writable, writablePrefixes, hiddenPaths, lifted }
  return { ...caller, ...bounds, floor, graceMs, windowSize }
}

/**
 * Returns the least tier that hardened mode may run with: `full`, unless the policy names a lower one in
 * words. Below `lite` nothing is enforced, and then it is not hardened mode.
 */
function floorOf(named: Floor | 'none' | undefined): Floor {
  return named === undefined || named === 'full' ? 'full' : 'lite'
}
