// SPDX-License-Identifier: Apache-2.0
// `ambit/verify`: verifies receipts and logs offline, in a browser as in Node. It uses nothing but
// ECMAScript, TextEncoder, TextDecoder and WebCrypto.
export type { SetCode, SetStatus } from './chain/codes.js'
export type { Completeness } from './chain/completeness.js'
export type { Sequence } from './chain/node.js'
export type { ChainReport, SetFinding, SetVerdict } from './chain/report.js'
export { type ChainOptions, verifyChain } from './chain/verify-chain.js'
export { type Disclosed, type DisclosureCode, verifyDisclosed } from './disclosure.js'
export { type KeyErrorCode, VerifyKeyError } from './keys/error.js'
export { KeySet, type TrustOptions } from './keys/key-set.js'
export type { KeyStatus, KeyWindow } from './keys/window.js'
export { verifyReceipt } from './receipt.js'
export type { Format, Status, Verdict, VerdictCode } from './verdict.js'
export {
  type Checkpoint,
  type Cosignature,
  type OpenedCheckpoint,
  openCheckpoint,
  openCheckpointBy,
  parseCheckpoint,
  verifyCosignatures,
} from './tlog/checkpoint.js'
export { LogError, type LogErrorCode } from './tlog/error.js'
export {
  type Consistency,
  type Inclusion,
  type LeafCount,
  type Subtree,
  leafHash,
  verifyConsistency,
  verifyInclusion,
  verifySubtreeConsistency,
  verifySubtreeInclusion,
} from './tlog/merkle.js'
export { NoteKey, type SignatureKind } from './tlog/note-key.js'
export { type Note, type NoteSignature, openNote } from './tlog/note.js'
export { type TlogProof, parseProof, verifyProof } from './tlog/proof-file.js'
