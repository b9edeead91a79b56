// SPDX-License-Identifier: Apache-2.0
// The public API. Commands, and whatever else is built on Ambit, use only what stands here.
export {
  type Approval,
  type ApprovalScope,
  type ApprovalTerms,
  approvalPath,
  describeContract,
  loadApproval,
  parseApproval,
  writeApproval,
} from './approval/index.js'
export type { Contract, LoadedContract } from './contract/index.js'
export { contractHash, loadContract, parseContract, printContract } from './contract/index.js'
export {
  AmbitError,
  ApprovalError,
  ConfigError,
  ContractError,
  type DocumentIssue,
  ERROR_CODES,
  type ErrorCode,
  InspectError,
  InternalError,
  JsonError,
  KeyError,
  LedgerError,
  PolicyError,
  ReceiptError,
  SandboxError,
} from './errors.js'
export {
  type AdversaryOptions,
  type AdversaryVerdict,
  type BuiltinInspector,
  type BuiltinName,
  type ChainOptions,
  type CustomFinding,
  type CustomFindings,
  type CustomInspector,
  type EgressOptions,
  type FindingSpan,
  type Inspection,
  type InspectionSession,
  type InspectionVerdict,
  InspectorChain,
  type InspectorFinding,
  type InspectorMemory,
  type InspectorRule,
  type InspectorRules,
  type InspectorSource,
  type OnFailure,
  type PathsOptions,
  type RepetitionOptions,
  type SecretsOptions,
  type SequenceRule,
  type ToolCall,
  type WaitingInspector,
  adversary,
  defaultChain,
  egress,
  fingerprint,
  loadAdversaryRules,
  loadInspectorRules,
  parseInspectorRules,
  paths,
  repetition,
  rules,
  secrets,
  sequence,
} from './inspect/index.js'
export {
  type KeyFolders,
  type OwnKey,
  type OwnKeys,
  type RevokeOptions,
  type RotateOptions,
  type TrustOptions,
  type TrustedSet,
  generateOwnKey,
  ownKeyLog,
  ownKeys,
  revokeOwnKey,
  rotateOwnKey,
  trustKeys,
  trustedKeys,
} from './keys/own-keys.js'
export {
  type KeyDescription,
  type OwnFolder,
  type Secret,
  Signer,
  type TrustedKey,
  describePublicKey,
  generateKey,
} from './keys/signer.js'
export {
  type Cosigned,
  type EntryProof,
  type LedgerComparison,
  type VerifiedTiles,
  type WitnessOptions,
  compareLedger,
  cosignCheckpoint,
  exportTiles,
  latestCheckpoint,
  proveEntry,
  verifyTiles,
  witnessRequest,
} from './ledger/checkpoint.js'
export type { CheckpointSchedule, StoredCheckpoint } from './ledger/checkpointer.js'
export {
  Ledger,
  type LedgerExportOptions,
  type LedgerOptions,
  type TransferOptions,
} from './ledger/ledger.js'
export type {
  CollectedGarbage,
  LedgerEntry,
  LedgerFilter,
  LedgerStatus,
  Moved,
  NamedApproval,
  OpenRun,
  Phase,
  ProgressListener,
  QueryOptions,
  Recorded,
  Submission,
} from './ledger/types.js'
export type {
  CommandFinding,
  Mode,
  Policy,
  PolicyDecision,
  PolicyReason,
  PolicyChange,
  PolicyStatement,
  PolicyTest,
  StarterFile,
  ChangeEffect,
  ExplainedReason,
  LintCode,
  LintFinding,
  PolicyFile,
  ReasonCode,
  SchemaName,
} from './policy/index.js'
export {
  REASON_CODES,
  SCHEMA_NAMES,
  checkPolicyBundle,
  compiledPolicyDigest,
  diffPolicies,
  evaluate,
  explain,
  explainPolicy,
  explainReasons,
  formatPolicy,
  jsonSchema,
  lintPolicy,
  loadPolicy,
  parsePolicy,
  policyBundle,
  policyDigest,
  starterFiles,
} from './policy/index.js'
export { type KeyStatus, type Verdict, verifyReceipt } from './receipt/verify.js'
export type { Commitment, ReceiptSource, SetOptions, Trust } from './receipt/request.js'
export {
  type ChainReport,
  type Completeness,
  type ReceiptResult,
  type SetFinding,
  type SetResult,
  type SetVerdict,
  verify,
  verifyAll,
} from './receipt/set.js'
export {
  type ExportOptions,
  type ImportedReceipt,
  type ImportOptions,
  exportReceipt,
  importReceipt,
} from './receipt/dsse.js'
export { readReceipt, writeReceipt } from './receipt/file.js'
export { type SignReceiptOptions, signReceipt } from './receipt/sign.js'
export {
  type ApprovalStanding,
  type ApprovalState,
  approvalStandings,
  listApprovals,
} from './run/approvals.js'
export { type ApproveOptions, type ApproveResult, approve } from './run/approve.js'
export { type CheckOptions, check } from './run/documents.js'
export { testPolicies } from './run/inspection.js'
export { type DryRun, type PlannedLaunch, dryRun } from './run/dry-run.js'
export type { CommandListener, OutputListener } from './run/execute.js'
export { type Garbage, collectGarbage } from './run/garbage.js'
export {
  GATE_POINTS,
  type GateName,
  type GateOptions,
  type GatePoint,
  type GateReport,
  gate,
} from './run/gate.js'
export { type Home, findHome } from './run/home.js'
export {
  type Enforcement,
  type LimitReached,
  type LimitTermination,
  type Mechanism,
  type ProbeReport,
  type StreamOutcome,
  type Termination,
  probe,
} from './run/launch.js'
export type { CommandResult, LedgerReceipt, RunResult, RunStatus } from './run/result.js'
export { type RunOptions, run } from './run/run.js'
export {
  type OwnLaunch,
  type OwnLaunchOptions,
  type OwnPlan,
  launch,
} from './run/sandbox/launch.js'
export { SandboxedProcess } from './run/sandbox/process.js'
export {
  type ExecFileOptions,
  type ExecFileResult,
  Sandbox,
  type SandboxOptions,
  type SpawnOptions,
} from './run/sandbox/sandbox.js'
export type { StdioChoice, StdioEnd } from './run/sandbox/stdio.js'
export type { PieceListener } from './run/streams.js'
export type { TerminalView } from './run/terminal.js'
export { canonicalize, sha256 } from './native.js'
export { VERSION } from './version.js'
