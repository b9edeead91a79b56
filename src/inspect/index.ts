// SPDX-License-Identifier: Apache-2.0
export {
  type AdversaryOptions,
  type AdversaryVerdict,
  adversary,
  loadAdversaryRules,
} from './adversary.js'
export {
  type BuiltinName,
  type EgressOptions,
  type PathsOptions,
  type RepetitionOptions,
  type SecretsOptions,
  egress,
  fingerprint,
  paths,
  repetition,
  rules,
  secrets,
  sequence,
} from './builtin.js'
export {
  type ChainOptions,
  type InspectionSession,
  InspectorChain,
  type InspectorSource,
  defaultChain,
} from './chain.js'
export {
  type InspectorRule,
  type InspectorRules,
  type SequenceRule,
  loadInspectorRules,
  parseInspectorRules,
} from './rules-file.js'
export type {
  BuiltinInspector,
  CustomFinding,
  CustomFindings,
  CustomInspector,
  FindingSpan,
  Inspection,
  InspectionVerdict,
  InspectorFinding,
  InspectorMemory,
  OnFailure,
  ToolCall,
  WaitingInspector,
} from './types.js'
