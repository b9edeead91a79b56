// SPDX-License-Identifier: Apache-2.0
export {
  type CommandFinding,
  type Mode,
  type PolicyDecision,
  PolicyDecisionSchema,
  type PolicyReason,
} from './decision.js'
export { evaluate } from './evaluate.js'
export { explain, type ExplainedReason, explainReasons } from './explain.js'
export { jsonSchema, SCHEMA_NAMES, type SchemaName } from './json-schemas.js'
export { unmetObligations } from './obligations.js'
export { loadPolicy, parsePolicy } from './parse.js'
export { REASON_CODES, type ReasonCode } from './reason-codes.js'
export type { Policy } from './schema.js'
export {
  type PolicyFile,
  checkPolicyBundle,
  compiledPolicyDigest,
  policyBundle,
  policyDigest,
} from './digest.js'
export { type PolicyTest, testPolicies } from './pack.js'
export { type LintCode, type LintFinding, lintPolicy } from './lint.js'
export { type ChangeEffect, diffPolicies, type PolicyChange } from './diff.js'
export { formatPolicy } from './format.js'
export { type StarterFile, starterFiles } from './starter.js'
export { explainPolicy, type PolicyStatement } from './summary.js'
