// SPDX-License-Identifier: Apache-2.0
// The only file that loads the addon. Each area wraps its own part of it; `unwrap` turns the addon's
// answers into values and typed errors.
import addon from '../index.js'
import {
  AmbitError,
  ApprovalError,
  type ErrorCode,
  type ErrorDetails,
  InspectError,
  InternalError,
  JsonError,
  type JsonFault,
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
  const { reason: code, ...place } = faultIn(detailsOf(answer))
  return { ok: false, code, message: answer.message, ...place }
}

function faultIn(details: ErrorDetails): JsonFault {
  const { reason, offset, line, column } = details as unknown as JsonFault
  return { reason, offset, line, column }
}

/**
 * Returns the RFC 8785 text of a strict JSON text of at most 16 MiB and 64 levels.
 *
 * @param json a text, or its bytes in UTF-8; what comes back is of the same kind
 * @throws {@link JsonError} `ERR_JSON`, with the kind of fault and its place
 * @example
 * ```ts
 * console.log(canonicalize('{ "b": 1.0, "a": 2 }')) // {"a":2,"b":1}
 * ```
 */
export function canonicalize(json: string): string
export function canonicalize(json: Uint8Array): Uint8Array
export function canonicalize(json: string | Uint8Array): string | Uint8Array {
  const isText = typeof json === 'string'
  if (isText) requireText(json)
  const answer = addon.canonicalize(json)
  if (typeof answer === 'string') return isText ? answer : Buffer.from(answer)
  throw errorOf(answer)
}

/**
 * Returns SHA-256 as 64 lower-case hex digits.
 *
 * @param data bytes, or a text that stands for its UTF-8
 * @throws {@link JsonError} `ERR_JSON` for a text that has no UTF-8: with half a surrogate pair
 * @example
 * ```ts
 * console.log(sha256('abc').slice(0, 8)) // ba7816bf
 * ```
 */
export function sha256(data: string | Uint8Array): string {
  if (typeof data === 'string') requireText(data)
  return addon.sha256Hex(data)
}

/** The same for bytes. */
export function sha256Hex(bytes: Uint8Array): string {
  return addon.sha256Hex(bytes)
}

/** Refuses a text with half a surrogate pair: on its way to UTF-8 it would become another text. */
export function requireText(text: string): void {
  if (text.isWellFormed()) return
  const at = text.search(/\p{Surrogate}/u)
  const before = text.slice(0, at)
  const start = before.lastIndexOf('\n') + 1
  throw new JsonError('the text has half a surrogate pair', {
    reason: 'LONE_SURROGATE',
    offset: Buffer.byteLength(before),
    line: before.split('\n').length,
    column: Array.from(before.slice(start)).length + 1,
  })
}

function detailsOf(failure: Failure): ErrorDetails {
  return failure.details === undefined ? {} : (JSON.parse(failure.details) as ErrorDetails)
}

/** Returns the value of an answer, or throws its failure as an error of its area. */
export function unwrap<A extends { kind: 'ok' } | Failure>(answer: A): Exclude<A, Failure> {
  if (answer.kind === 'ok') return answer as Exclude<A, Failure>
  throw errorOf(answer)
}

/** Returns an answer that is a text alone, or throws its failure. */
export function unwrapText(answer: string | Failure): string {
  if (typeof answer === 'string') return answer
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

/**
 * Makes a chain of inspectors, with a session in which nothing was seen yet.
 *
 * @param inspectors a JSON array
 * @param failOpen whether a failing inspector warns and does not deny
 * @throws {@link InspectError} `ERR_INSPECT_OPTIONS`
 */
export function loadChain(
  inspectors: string,
  failOpen: boolean,
): InstanceType<typeof addon.InspectorSession> {
  const session = new addon.InspectorSession()
  const failure = session.load(inspectors, failOpen)
  if (failure !== null) throw errorOf(failure)
  return session
}

function errorOf(failure: Failure): AmbitError {
  const { code, message } = failure
  const options = { details: detailsOf(failure) }
  if (!isErrorCode(code)) return new InternalError(`unknown code ${code}: ${message}`, options)
  if (code === 'ERR_JSON') return new JsonError(message, faultIn(options.details))
  if (code.startsWith('ERR_APPROVAL_')) return new ApprovalError(code as never, message, options)
  if (code.startsWith('ERR_INSPECT_')) return new InspectError(code as never, message, options)
  if (code.startsWith('ERR_SANDBOX_')) return new SandboxError(code as never, message, options)
  if (code.startsWith('ERR_LEDGER_')) return new LedgerError(code as never, message, options)
  if (code.startsWith('ERR_KEY_')) return new KeyError(code as never, message, options)
  if (code.startsWith('ERR_RECEIPT_')) return new ReceiptError(code as never, message, options)
  return new AmbitError(code satisfies ErrorCode, message, options)
}
