// SPDX-License-Identifier: Apache-2.0
import type { LoadedContract } from '../contract/schema.js'
import { checkCommand } from './checks.js'
import { DECISION_VERSION, type Mode, type PolicyDecision } from './decision.js'
import { Findings } from './findings.js'
import type { Policy } from './schema.js'

/** What a decision depends on besides the contract and the policy. */
export interface EvaluationContext {
  readonly mode: Mode
}

function checkRisk({ risk_class: value }: LoadedContract, policy: Policy, found: Findings): void {
  if (policy.document.allowed_risk_classes.includes(value)) return
  const options = { value, rule: 'allowed_risk_classes' }
  found.csc('RISK_CLASS_NOT_ALLOWED', `risk class not allowed: ${value}`, options)
}

function checkApprovalMode({ approval_mode: value }: LoadedContract, found: Findings): void {
  if (value === 'policy_only') return
  const message = `contract approval mode requires approval: ${value}`
  found.csc('APPROVAL_REQUIRED', message, { value })
}

/**
 * Decides whether a contract may run under a policy. Every rule is checked, whatever is found on
 * the way; deny wins over needs_approval, which wins over allow. Pure: the same contract, policy
 * and mode give the same decision. Never throws for values that {@link parseContract} and
 * {@link parsePolicy} returned.
 *
 * @param contract as `parseContract` returned it
 * @param policy as `parsePolicy` returned it
 * @param context the mode in which the contract is to be run
 */
export function evaluate(
  contract: LoadedContract,
  policy: Policy,
  context: EvaluationContext,
): PolicyDecision {
  const found = new Findings(policy)
  checkRisk(contract, policy, found)
  const effects = contract.commands.flatMap((command) =>
    checkCommand(command, policy.document, found).map((effect) => ({
      command_id: command.id,
      effect_type: effect,
    })),
  )
  checkApprovalMode(contract, found)
  const decision = found.verdict()
  if (decision === 'allow') found.csc('ALLOW', 'contract satisfies v0.1 policy checks')
  return {
    decision_version: DECISION_VERSION,
    contract_id: contract.contract_id,
    contract_sha256: contract.hash,
    policy_profile: policy.document.name,
    policy_sha256: policy.hash,
    mode: context.mode,
    decision,
    reason_codes: found.codes(),
    reasons: found.reasons(),
    reasons_total: found.total(),
    classified_effects: effects,
  }
}
