// SPDX-License-Identifier: Apache-2.0
export {
  DECISION_VERSION,
  type Mode,
  type PolicyDecision,
  PolicyDecisionSchema,
  type PolicyReason,
  type Verdict,
} from './decision.js'
export { evaluate, type EvaluationContext } from './evaluate.js'
export { explain } from './explain.js'
export { loadPolicy, parsePolicy } from './parse.js'
export {
  REASON_CODES,
  type ReasonCode,
  type ReasonCodeEntry,
  type ReasonEffect,
} from './reason-codes.js'
export {
  type Policy,
  type PolicyDocument,
  POLICY_LIMITS,
  type PolicyPlaces,
  PolicySchema,
} from './schema.js'
