// SPDX-License-Identifier: Apache-2.0
// The only file that loads the addon. Each area wraps its own part of it; `unwrap` turns the addon's
// answers into values and typed errors.
import addon from '../index.js'
import {
  AmbitError,
  type ErrorCode,
  type ErrorDetails,
  InternalError,
  KeyError,
  LedgerError,
  ReceiptError,
  SandboxError,
  isErrorCode,
} from './errors.js'

export { addon }

interface Failure {
  readonly kind: 'err'
  readonly code: string
  readonly message: string
  readonly details?: string
}

/** Bounds of a strict JSON document. */
export interface JsonLimits {
  /** Largest document, bytes. */
  readonly maxBytes: number
  /** Deepest nesting. */
  readonly maxDepth: number
}

/** Strict JSON in canonical form, or what is wrong with the text and where. */
export type StrictJson =
  | { readonly ok: true; readonly canonical: string }
  | {
      readonly ok: false
      /** The kind of fault, such as `DUPLICATE_MEMBER`. */
      readonly code: string
      readonly message: string
      /** Bytes from the start. */
      readonly offset: number
      /** From 1. */
      readonly line: number
      /** From 1. */
      readonly column: number
    }

/**
 * Reads strict I-JSON: duplicate members, unsafe integers, lone surrogates and the like are refused.
 *
 * @param bytes the document
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): StrictJson {
  const answer = addon.parseJson(bytes, limits.maxBytes, limits.maxDepth)
  if (answer.kind === 'ok') return { ok: true, canonical: answer.value }
  const fault = detailsOf(answer) as { reason: string } & Record<string, number>
  return {
    ok: false,
    code: fault.reason,
    message: answer.message,
    offset: fault['offset'] ?? 0,
    line: fault['line'] ?? 1,
    column: fault['column'] ?? 1,
  }
}

/** Bounds of documents that we wrote ourselves. */
const OWN_LIMITS: JsonLimits = { maxBytes: 16 * 1024 * 1024, maxDepth: 64 }

/**
 * Returns the RFC 8785 text of a JSON text.
 *
 * @throws {@link InternalError} when the text is not strict JSON
 */
export function canonicalize(json: string): string {
  const result = parseJson(Buffer.from(json), OWN_LIMITS)
  if (!result.ok) throw new InternalError(`not strict JSON: ${result.message}`)
  return result.canonical
}

/** Returns SHA-256 as 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return addon.sha256Hex(bytes)
}

function detailsOf(failure: Failure): ErrorDetails {
  return failure.details === undefined ? {} : (JSON.parse(failure.details) as ErrorDetails)
}

/** Returns the value of an answer, or throws its failure as an error of its area. */
export function unwrap<A extends { kind: 'ok' } | Failure>(answer: A): Exclude<A, Failure> {
  if (answer.kind === 'ok') return answer as Exclude<A, Failure>
  throw errorOf(answer)
}

/** Returns the value of an answer whose text is JSON that the addon wrote, of the type it documents. */
export function unwrapJson<T>(answer: { kind: 'ok'; value: string } | Failure): T {
  return parseOwn<T>(unwrap(answer).value)
}

/** Reads JSON that the addon wrote. */
export function parseOwn<T>(json: string): T {
  return JSON.parse(json) as T
}

function errorOf(failure: Failure): AmbitError {
  const { code, message } = failure
  const options = { details: detailsOf(failure) }
  if (!isErrorCode(code)) return new InternalError(`unknown code ${code}: ${message}`, options)
  if (code.startsWith('ERR_SANDBOX_')) return new SandboxError(code as never, message, options)
  if (code.startsWith('ERR_LEDGER_')) return new LedgerError(code as never, message, options)
  if (code.startsWith('ERR_KEY_')) return new KeyError(code as never, message, options)
  if (code.startsWith('ERR_RECEIPT_')) return new ReceiptError(code as never, message, options)
  return new AmbitError(code satisfies ErrorCode, message, options)
}
