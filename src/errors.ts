// SPDX-License-Identifier: Apache-2.0

/**
 * Every error code with its meaning. Append-only: a code is never renamed, removed or reused.
 * Errors are documented and tested by code, never by text.
 */
export const ERROR_CODES = {
  ERR_ADDON_MISSING: 'The native addon for this platform is not installed or cannot be loaded.',
  ERR_APPROVAL_APPROVER: 'The key is not that of an approver whom the policy names.',
  ERR_APPROVAL_CONSUMED: 'The approval is good for one run and was used before; nothing ran.',
  ERR_APPROVAL_INVALID: 'The approval is not a valid document; details.issues says where and why.',
  ERR_APPROVAL_UNREADABLE: 'The approval file could not be read.',
  ERR_APPROVAL_UNWRITABLE: 'The approval file could not be written, or there is one already.',
  ERR_APPROVAL_WORTHLESS: 'The policy would never take such an approval; none was made.',
  ERR_CONFIG_INVALID: 'An option, a flag or a setting has a value that cannot be used.',
  ERR_CONFIG_USAGE: 'The command line is not one that the command understands.',
  ERR_CONTRACT_INVALID: 'The contract is not a valid document; details.issues says where and why.',
  ERR_CONTRACT_UNREADABLE: 'The contract file could not be read.',
  ERR_INSPECT_OPTIONS: 'An inspector cannot be made of the options that it was given.',
  ERR_INSPECT_RULES_EMPTY: 'The rules that were asked for are blank.',
  ERR_INSPECT_RULES_INVALID:
    'The rules are not a valid document; details.issues says where and why.',
  ERR_INSPECT_RULES_MISSING: 'There is no file of rules at the path.',
  ERR_INSPECT_RULES_UNREADABLE: 'The file of rules could not be read.',
  ERR_INTERNAL: 'A fault of Ambit itself.',
  ERR_JSON: 'A document is not strict JSON; details.reason and its place say why.',
  ERR_KEY_COST: 'The encrypted private key asks for more work than a key may.',
  ERR_KEY_DUPLICATE: 'A key set gives one id to two keys, or one key two windows under one id.',
  ERR_KEY_ENCRYPTED: 'The private key is encrypted and no passphrase was given.',
  ERR_KEY_FILE_EXISTS: 'A file stands where a new key was to be written; none is replaced.',
  ERR_KEY_FILE_PERMISSIONS: 'Others than its owner may read the key file.',
  ERR_KEY_FILE_UNREADABLE: 'The key file could not be opened or read.',
  ERR_KEY_FILE_UNUSABLE: 'The key file is no plain file, or too large for a key.',
  ERR_KEY_FILE_UNWRITABLE: 'The key file could not be written.',
  ERR_KEY_FOREIGN: 'The key is not the one that its log, or the public key beside it, says.',
  ERR_KEY_FORM: 'The key is written in a form that this kind of key does not have.',
  ERR_KEY_LOG_BACKDATED: 'An event of the key log is dated before the one that it follows.',
  ERR_KEY_LOG_CHAIN: 'An event of the key log does not follow the one before it.',
  ERR_KEY_LOG_CLOSED: 'The last key of the key log was revoked; a new one must begin.',
  ERR_KEY_LOG_DUPLICATE: 'An event stands twice in the key log.',
  ERR_KEY_LOG_EVENT: 'An event cannot happen at its place in the key log.',
  ERR_KEY_LOG_FOREIGN: 'An event belongs to another key log.',
  ERR_KEY_LOG_FORK: 'The key log was forked: two events stand at one place.',
  ERR_KEY_LOG_GAP: 'Events are missing in the key log.',
  ERR_KEY_LOG_MALFORMED: 'The key log holds something that is not an event.',
  ERR_KEY_LOG_PROOF: 'A new key in the key log did not prove that it was at hand.',
  ERR_KEY_LOG_ROLLED_BACK: 'The key log has fewer events than it had before.',
  ERR_KEY_LOG_ROOT: 'The key log begins with a key that is not trusted.',
  ERR_KEY_LOG_SIGNATURE: 'An event of the key log has a wrong signature.',
  ERR_KEY_LOG_SIGNER: 'An event of the key log is not signed by the key that was current.',
  ERR_KEY_LOG_TRUNCATED: 'The key log is empty or ends within a line.',
  ERR_KEY_MALFORMED: 'The key is not a well-formed Ed25519 key.',
  ERR_KEY_MISSING: 'No signing key is loaded where one is needed.',
  ERR_KEY_MODULE: 'The PKCS#11 module cannot be loaded, or others could have written it.',
  ERR_KEY_NAME: 'The name cannot be that of a trusted key.',
  ERR_KEY_PASSPHRASE: 'The passphrase is wrong or empty, or the encrypted key is damaged.',
  ERR_KEY_PIN: 'The PIN of the token is missing, or the token refuses it.',
  ERR_KEY_PUBLIC_HALF_MISMATCH: 'The public half of the key does not belong to its seed.',
  ERR_KEY_RANDOM_UNAVAILABLE: 'The system gave no random bytes for a new key.',
  ERR_KEY_REVOKED: 'The signing key was revoked, or another took its place.',
  ERR_KEY_SMALL_ORDER: 'The public key is of small order: anyone could sign for it.',
  ERR_KEY_TOKEN_FAILED: 'The token did not sign, or signed wrongly.',
  ERR_KEY_TOKEN_NOT_FOUND: 'No token or key fits the PKCS#11 URI, or more than one does.',
  ERR_KEY_UNKNOWN: 'No own key has this id.',
  ERR_KEY_URI: 'The PKCS#11 URI does not name a key; it must not hold the PIN.',
  ERR_LEDGER_BUSY: 'The ledger gave no turn to write in time.',
  ERR_LEDGER_CORRUPT: 'The ledger is damaged.',
  ERR_LEDGER_EMPTY: 'The ledger has no entries, or no checkpoint where one is needed.',
  ERR_LEDGER_ENTRY_SIZE: 'The entry is larger than the ledger takes.',
  ERR_LEDGER_ENTRY_UNKNOWN: 'The ledger holds no entry of this number or run.',
  ERR_LEDGER_EXISTS: 'Something stands where a ledger or an export was to be written; it is kept.',
  ERR_LEDGER_FOREIGN: 'The file is not a ledger.',
  ERR_LEDGER_FORKED: 'The log does not continue from the entries that were seen of it.',
  ERR_LEDGER_IMPORT: 'What was to be imported is not a whole ledger in order; nothing was made.',
  ERR_LEDGER_NOTE: 'The text is no signed note, checkpoint, proof or note key.',
  ERR_LEDGER_NOTE_SIGNATURE: 'No trusted key signed the note, or a signature is not its key’s.',
  ERR_LEDGER_PROOF: 'A proof does not hold, or none can be made of these entries.',
  ERR_LEDGER_ROLLED_BACK: 'The log is smaller than what was seen of it.',
  ERR_LEDGER_RUN_CLOSED: 'The run already has its outcome.',
  ERR_LEDGER_RUN_EXISTS: 'A run with this id is in the ledger already.',
  ERR_LEDGER_RUN_ID: 'The id of a run is malformed.',
  ERR_LEDGER_RUN_OWNED: 'The run belongs to a process that is still alive.',
  ERR_LEDGER_RUN_UNKNOWN: 'The ledger holds no run with this id.',
  ERR_LEDGER_UNAVAILABLE: 'The ledger could not be opened or read; nothing ran.',
  ERR_LEDGER_VERSION: 'The ledger is of a version that is not known here.',
  ERR_LEDGER_WITNESS_KEY: 'The key of the witness is that of the log itself.',
  ERR_LEDGER_WITNESS_STATE:
    'The state of the witness could not be read or kept; nothing was signed.',
  ERR_LEDGER_WRITE: 'The ledger could not record; nothing ran unrecorded.',
  ERR_POLICY_BUNDLE_INVALID: 'The files or the published bundle of a policy are malformed.',
  ERR_POLICY_BUNDLE_MISMATCH: 'The published bundle of a policy has a digest that does not fit.',
  ERR_POLICY_INVALID: 'The policy is not a valid document; details.issues says where and why.',
  ERR_POLICY_UNREADABLE: 'The policy file could not be read.',
  ERR_RECEIPT_ALREADY_SIGNED: 'The document to be signed has a signature already.',
  ERR_RECEIPT_ARTIFACT: 'A file that was to be named by its digest could not be read.',
  ERR_RECEIPT_ENVELOPE:
    'The DSSE envelope or its statement is malformed, or not about its receipt.',
  ERR_RECEIPT_ENVELOPE_KEY:
    'The DSSE envelope is signed by no given key that was good at the time.',
  ERR_RECEIPT_ENVELOPE_SIGNATURE:
    "No signature of the DSSE envelope is a given key's over its payload.",
  ERR_RECEIPT_ISSUER_MISMATCH: 'The issuer in the payload is not the key that signs.',
  ERR_RECEIPT_KEY_ID: 'The key id cannot stand in a receipt.',
  ERR_RECEIPT_MALFORMED: 'The receipt is not strict JSON.',
  ERR_RECEIPT_NOT_VALID:
    'The receipt does not verify, so it was not exported; details.code says why.',
  ERR_RECEIPT_SCHEMA: 'The content does not fit the format of the receipt; nothing was signed.',
  ERR_RECEIPT_TIME: 'The time of signing cannot stand in a receipt.',
  ERR_RECEIPT_TOO_LARGE: 'The receipt is larger than its format allows.',
  ERR_RECEIPT_TYPE: 'The type of the receipt is missing or malformed.',
  ERR_RECEIPT_UNREADABLE: 'The receipt file could not be read.',
  ERR_RECEIPT_UNSANDBOXED:
    'The payload says that there was no sandbox; signing that needs an explicit choice.',
  ERR_RECEIPT_UNWRITABLE: 'The receipt file could not be written.',
  ERR_SANDBOX_EXECUTABLE_CHANGED:
    'An executable is not the file that the policy names; the command did not start.',
  ERR_SANDBOX_INTERNAL: 'A fault of Ambit itself while launching; nothing ran unconfined.',
  ERR_SANDBOX_NOT_AS_PLANNED:
    'The sandbox that was built is not the planned one; the command did not start.',
  ERR_SANDBOX_PATH_MISSING: 'A path of the plan does not exist; the command did not start.',
  ERR_SANDBOX_PATH_REFUSED: 'A path of the plan cannot be granted; the command did not start.',
  ERR_SANDBOX_PATH_SYMLINK:
    'A path of the plan leads through a symbolic link; the command did not start.',
  ERR_SANDBOX_PATH_UNREADABLE: 'A path of the plan could not be opened; the command did not start.',
  ERR_SANDBOX_PATHS_EXCEEDED:
    'The granted trees hold more that is to be hidden or protected than can be; the command did not start.',
  ERR_SANDBOX_PLAN_INVALID: 'The launch plan is not valid; the command did not start.',
  ERR_SANDBOX_SECRET: 'A secret could not be had from where the policy says it is; nothing ran.',
  ERR_SANDBOX_SETUP: 'A step of building the sandbox failed; the command did not start.',
  ERR_SANDBOX_UNSUPPORTED:
    'This kernel or container lacks what the plan needs; the command did not start.',
  ERR_SANDBOX_WORK_TREE_UNCLEAN:
    'The policy requires a clean work tree, and it is not, or git cannot tell; nothing ran.',
}

/** A stable name of a failure: `ERR_<AREA>_<WHAT>`. */
export type ErrorCode = keyof typeof ERROR_CODES

/** Returns whether a text is an error code. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text)
}

/** The error codes of one area, for example `ErrorCodeOf<'CONTRACT'>`. */
export type ErrorCodeOf<Area extends string> = Extract<ErrorCode, `ERR_${Area}_${string}`>

/** What an error carries besides its message; plain data that prints as JSON. */
export type ErrorDetails = Readonly<Record<string, unknown>>

/** Options of every error: plain data, and what caused it. */
export interface ErrorOptions {
  readonly details?: ErrorDetails
  readonly cause?: unknown
}

/** The base of every error that Ambit throws. A decision that says no is never an error. */
export class AmbitError extends Error {
  /** The stable code; see {@link ERROR_CODES}. */
  readonly code: ErrorCode
  /** Plain data about the failure. */
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.details = options.details ?? {}
  }
}

/** One fault in a document, and where it stands. */
export interface DocumentIssue {
  /** The member at fault, such as `commands[0].cwd`; empty for the document itself. */
  readonly path: string
  /** What is wrong and what would be accepted; control characters are escaped. */
  readonly message: string
  /** Line from 1; 0 where there is no place, as in a file that cannot be read. */
  readonly line: number
  /** Column in characters (Unicode scalar values) from 1; 0 where there is no place. */
  readonly column: number
  /** The kind of fault, such as `UNKNOWN_FIELD`. */
  readonly code: string
}

/** Options of an error about a document. */
export interface DocumentErrorOptions {
  readonly issues: readonly DocumentIssue[]
  readonly cause?: unknown
}

/** An error about a document, with every fault that was found (at most 20). */
class DocumentError extends AmbitError {
  /** The faults, in the order of the document; the same list as `details.issues`. */
  readonly issues: readonly DocumentIssue[]

  constructor(code: ErrorCode, message: string, options: DocumentErrorOptions) {
    super(code, message, { details: { issues: options.issues }, cause: options.cause })
    this.issues = options.issues
  }
}

/* oxlint-disable no-useless-constructor -- each of these narrows the code to its area */

/** A contract that is not valid or cannot be read. */
export class ContractError extends DocumentError {
  constructor(code: ErrorCodeOf<'CONTRACT'>, message: string, options: DocumentErrorOptions) {
    super(code, message, options)
  }
}

/** A policy that is not valid or cannot be read. */
export class PolicyError extends DocumentError {
  constructor(code: ErrorCodeOf<'POLICY'>, message: string, options: DocumentErrorOptions) {
    super(code, message, options)
  }
}

/** An approval that is not valid, cannot be read or written, or was used before. */
export class ApprovalError extends AmbitError {
  constructor(code: ErrorCodeOf<'APPROVAL'>, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/** A text that is not strict JSON: what is wrong, and where. */
export class JsonError extends AmbitError {
  /** The kind of fault, such as `DUPLICATE_MEMBER`. */
  readonly reason: string
  /** Bytes from the start, in UTF-8. */
  readonly offset: number
  /** Line from 1. */
  readonly line: number
  /** Column in characters (Unicode scalar values) from 1. */
  readonly column: number

  constructor(message: string, fault: JsonFault) {
    super('ERR_JSON', message, { details: { ...fault } })
    this.reason = fault.reason
    this.offset = fault.offset
    this.line = fault.line
    this.column = fault.column
  }
}

/** Where a text stops being strict JSON. */
export interface JsonFault {
  readonly reason: string
  readonly offset: number
  readonly line: number
  readonly column: number
}

/** Inspectors or their rules that cannot be used. */
export class InspectError extends AmbitError {
  constructor(code: ErrorCodeOf<'INSPECT'>, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/** A receipt that could not be made, read or written. */
export class ReceiptError extends AmbitError {
  constructor(code: ErrorCodeOf<'RECEIPT'>, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/** A key that cannot be used. */
export class KeyError extends AmbitError {
  constructor(code: ErrorCodeOf<'KEY'>, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/** A ledger that could not be opened or could not record. */
export class LedgerError extends AmbitError {
  constructor(code: ErrorCodeOf<'LEDGER'>, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/** A sandbox that could not be built or that failed. */
export class SandboxError extends AmbitError {
  declare readonly code: ErrorCodeOf<'SANDBOX'>

  constructor(code: ErrorCodeOf<'SANDBOX'>, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/** An option, flag or setting that cannot be used. */
export class ConfigError extends AmbitError {
  constructor(code: ErrorCodeOf<'CONFIG'>, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/** A fault of Ambit itself. */
export class InternalError extends AmbitError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_INTERNAL', message, options)
  }
}
