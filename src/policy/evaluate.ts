// SPDX-License-Identifier: Apache-2.0
import type { LoadedContract } from '../contract/schema.js'
import { checkCommand } from './checks.js'
import {
  type CommandFinding,
  DECISION_VERSION,
  MAX_REASONS,
  type Mode,
  type PolicyDecision,
} from './decision.js'
import { Findings } from './findings.js'
import { obligationsOf } from './obligations.js'
import type { Policy } from './schema.js'

/** What a decision depends on besides the contract and the policy. */
export interface EvaluationContext {
  readonly mode: Mode
  /** The time of the decision. Without it a policy that expires denies. */
  readonly now?: Date
  /** What inspectors found in the contract's commands. */
  readonly findings?: readonly CommandFinding[]
}

/** How long a decision may be used, in milliseconds. */
const LIFETIME_MS = 300_000

/** A decision, and the rules that its reasons come from. */
interface Assessment {
  readonly decision: PolicyDecision
  /** Paths of rules in the policy, such as `network` or `deny_argv_prefixes[2]`. */
  readonly rules: ReadonlySet<string>
}

function checkPolicy({ document, rules }: Policy, context: EvaluationContext, found: Findings) {
  const { expiresAt } = rules
  const { enforcement_floor: floor, expires_at: expiry = '' } = document
  const now = context.now?.getTime() ?? Number.POSITIVE_INFINITY
  if (expiresAt !== undefined && !(now < expiresAt)) {
    found.own('POLICY_EXPIRED', `policy expired: ${expiry}`, { value: expiry, rule: 'expires_at' })
  }
  if (context.mode === 'local' && floor !== undefined && floor !== 'none') {
    const message = `mode local enforces nothing, the policy asks for: ${floor}`
    found.own('ENFORCEMENT_BELOW_FLOOR', message, { value: floor, rule: 'enforcement_floor' })
  }
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

/** Adds what inspectors deny. */
function checkFindings(inspected: readonly CommandFinding[], found: Findings): void {
  for (const { command_id: commandId, inspector, code, severity, message } of inspected) {
    if (severity !== 'deny') continue
    const words = `inspector ${inspector} denies: ${message}`
    found.own('INSPECTOR_DENIED', words, { commandId, value: code, rule: 'inspectors' })
  }
}

/** Returns until when a decision may be used, if the time is known. */
function expiryOf(policy: Policy, { now }: EvaluationContext): { expires_at?: string } {
  if (now === undefined) return {}
  const end = new Date(Math.min(now.getTime() + LIFETIME_MS, policy.rules.expiresAt ?? Infinity))
  return Number.isNaN(end.getTime()) ? {} : { expires_at: end.toISOString() }
}

/**
 * Decides as {@link evaluate} does, and says which rules the reasons come from.
 *
 * @param contract as `parseContract` returned it
 * @param policy as `parsePolicy` returned it
 * @param context mode and time
 */
export function assess(
  contract: LoadedContract,
  policy: Policy,
  context: EvaluationContext,
): Assessment {
  const found = new Findings(policy)
  const { document, rules } = policy
  const { mode } = context
  checkPolicy(policy, context, found)
  checkRisk(contract, policy, found)
  const shared = { policy: document, rules, mode, risk: contract.risk_class, findings: found }
  const effects = contract.commands.flatMap((command) =>
    checkCommand({ command, ...shared }).map((effect) => ({
      command_id: command.id,
      effect_type: effect,
    })),
  )
  const { findings: inspected = [] } = context
  checkFindings(inspected, found)
  checkApprovalMode(contract, found)
  const verdict = found.verdict()
  if (verdict === 'allow') found.csc('ALLOW', 'contract satisfies v0.1 policy checks')
  const obligations = obligationsOf(contract, policy)
  const decision: PolicyDecision = {
    decision_version: DECISION_VERSION,
    contract_id: contract.contract_id,
    contract_sha256: contract.hash,
    policy_profile: document.name,
    policy_sha256: policy.hash,
    mode,
    decision: verdict,
    reason_codes: found.codes(),
    reasons: found.reasons(),
    reasons_total: found.total(),
    classified_effects: effects,
    ...(inspected.length > 0 && { findings: inspected.slice(0, MAX_REASONS) }),
    ...(obligations.length > 0 && { obligations }),
    ...expiryOf(policy, context),
  }
  return { decision, rules: found.rules() }
}

/**
 * Decides whether a contract may run under a policy. Every rule is checked, whatever is found on
 * the way; deny wins over needs_approval, which wins over allow. Pure: the same contract, policy,
 * mode and time give the same decision. Never throws for values that {@link parseContract} and
 * {@link parsePolicy} returned.
 *
 * @param contract as `parseContract` returned it
 * @param policy as `parsePolicy` returned it
 * @param context the mode in which the contract is to be run, and the time
 */
export function evaluate(
  contract: LoadedContract,
  policy: Policy,
  context: EvaluationContext,
): PolicyDecision {
  return assess(contract, policy, context).decision
}
