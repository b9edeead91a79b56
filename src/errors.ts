// SPDX-License-Identifier: Apache-2.0

/**
 * Every error code with its meaning. Append-only: a code is never renamed, removed or reused.
 * Errors are documented and tested by code, never by text.
 */
export const ERROR_CODES = {
  ERR_ADDON_MISSING: 'The native addon for this platform is not installed or cannot be loaded.',
  ERR_CONFIG_INVALID: 'An option, a flag or a setting has a value that cannot be used.',
  ERR_CONTRACT_INVALID: 'The contract is not a valid document; details.issues says where and why.',
  ERR_CONTRACT_UNREADABLE: 'The contract file could not be read.',
  ERR_INTERNAL: 'A fault of Ambit itself; nothing was decided and nothing ran.',
  ERR_KEY_INVALID: 'The key is malformed, of another kind, or too weak to be used.',
  ERR_KEY_UNREADABLE: 'The key file could not be read, or others may read it.',
  ERR_LEDGER_UNAVAILABLE: 'The ledger could not be opened or could not record; nothing ran.',
  ERR_POLICY_INVALID: 'The policy is not a valid document; details.issues says where and why.',
  ERR_POLICY_UNREADABLE: 'The policy file could not be read.',
  ERR_RECEIPT_INVALID: 'The receipt could not be made because its content is not valid.',
  ERR_RECEIPT_UNREADABLE: 'The receipt file could not be read.',
  ERR_RECEIPT_UNWRITABLE: 'The receipt file could not be written.',
  ERR_SANDBOX_FAILED: 'The sandbox failed while the command ran; its outcome is not known.',
  ERR_SANDBOX_UNAVAILABLE: 'The sandbox could not be built as the plan says; nothing ran.',
}

/** A stable name of a failure: `ERR_<AREA>_<WHAT>`. */
export type ErrorCode = keyof typeof ERROR_CODES

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
export class DocumentError extends AmbitError {
  /** The faults, in the order of the document; the same list as `details.issues`. */
  readonly issues: readonly DocumentIssue[]

  constructor(code: ErrorCode, message: string, options: DocumentErrorOptions) {
    super(code, message, { details: { issues: options.issues }, cause: options.cause })
    this.issues = options.issues
  }
}

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
