// SPDX-License-Identifier: Apache-2.0
// The public API. Commands, and whatever else is built on Ambit, use only what stands here.
export type { Contract, LoadedContract } from './contract/index.js'
export { contractHash, loadContract, parseContract, printContract } from './contract/index.js'
export {
  AmbitError,
  ConfigError,
  ContractError,
  type DocumentIssue,
  ERROR_CODES,
  type ErrorCode,
  InternalError,
  KeyError,
  LedgerError,
  PolicyError,
  ReceiptError,
  SandboxError,
} from './errors.js'
export {
  type KeyDescription,
  type TrustedKey,
  describePublicKey,
  generateKey,
} from './keys/signer.js'
export type {
  Mode,
  Policy,
  PolicyDecision,
  PolicyReason,
  ReasonCode,
  SchemaName,
} from './policy/index.js'
export {
  REASON_CODES,
  SCHEMA_NAMES,
  evaluate,
  explain,
  jsonSchema,
  loadPolicy,
  parsePolicy,
} from './policy/index.js'
export { type KeyStatus, type Verdict, type VerifyOptions, verify } from './receipt/verify.js'
export { type CheckOptions, check } from './run/documents.js'
export type { OutputListener } from './run/execute.js'
export { type Home, findHome } from './run/home.js'
export {
  type Enforcement,
  type Mechanism,
  type ProbeReport,
  type StreamOutcome,
  type Termination,
  probe,
} from './run/launch.js'
export type { CommandResult, LedgerReceipt, RunResult, RunStatus } from './run/result.js'
export { type RunOptions, run } from './run/run.js'
export { VERSION } from './version.js'
