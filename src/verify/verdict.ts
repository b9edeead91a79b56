// SPDX-License-Identifier: Apache-2.0
// What verification found. Codes are those of crates/receipt.

import type { KeyStatus } from './keys/window.js'

/** A receipt format. */
export type Format =
  'acta' | 'agt-bilateral' | 'agt-skill' | 'csc' | 'flat-v1' | 'sb-runtime' | 'v2'

/** The outcome. Only `valid` may be relied on; `undecidable` is no proof of tampering. */
export type Status = 'invalid' | 'undecidable' | 'valid'

/**
 * What each code means for a receipt. `csc` differs in one thing: csc-runner takes a receipt without
 * a usable signature for invalid, the Acta draft (section 5.3) for undecidable.
 */
const STATUS = {
  AMBIGUOUS_FORMAT: 'undecidable',
  HASH_MISMATCH: 'invalid',
  INVALID_SIGNATURE: 'invalid',
  ISSUER_MISMATCH: 'invalid',
  KEY_OUTSIDE_WINDOW: 'invalid',
  KEY_REVOKED: 'invalid',
  KEY_WINDOW_UNDECIDABLE: 'undecidable',
  MALFORMED_JSON: 'undecidable',
  MALFORMED_SIGNATURE: 'by format',
  MISSING_SIGNATURE: 'by format',
  NON_CANONICAL: 'invalid',
  NOT_REPRODUCIBLE: 'undecidable',
  NO_KEY: 'undecidable',
  OK: 'valid',
  SCHEMA_INVALID: 'invalid',
  SIGNATURE_ENCODING: 'invalid',
  SIGNATURE_IN_PAYLOAD: 'invalid',
  UNKNOWN_FORMAT: 'undecidable',
  UNKNOWN_KEY: 'undecidable',
  UNSUPPORTED_ALGORITHM: 'by format',
} as const

/** The reason for a verdict. */
export type VerdictCode = keyof typeof STATUS

/** Returns the status that a code means in a format. */
export function statusOf(code: VerdictCode, format: Format | null): Status {
  const status = STATUS[code]
  if (status !== 'by format') return status
  return format === 'csc' ? 'invalid' : 'undecidable'
}

/** What verifying one receipt found. */
export interface Verdict {
  readonly status: Status
  /** Why, for example `INVALID_SIGNATURE`. */
  readonly code: VerdictCode
  /** For people; hostile text in it is escaped and cut. */
  readonly detail: string
  /** The format, where the document has the shape of one. */
  readonly format: Format | null
  /** The key the receipt names: its own claim unless the receipt is valid. */
  readonly key_id: string | null
  /** The payload's type: its own claim unless the receipt is valid. */
  readonly payload_type: string | null
  /**
   * Where the receipt's own time stands in what was given of the key's validity; null unless a
   * trusted key's signature holds.
   */
  readonly key_status: KeyStatus | null
  /**
   * Whether the receipt is valid and byte for byte the canonical text of its format. A valid receipt
   * that is not differs from that text only in white space, the order of members, and equal
   * spellings of strings and numbers.
   */
  readonly canonical: boolean
  /** SHA-256 of the document's canonical text, 64 hex digits. */
  readonly digest: string | null
}

/** A reason that is not `OK`. */
export class Fault extends Error {
  readonly code: VerdictCode
  constructor(code: VerdictCode, detail: string) {
    super(detail)
    this.code = code
  }
}

/** Quotes hostile text for a message: escaped, and cut to 64 characters. */
export function quoted(text: string): string {
  const characters = Array.from(text.slice(0, 130))
  const cut = characters.length > 64
  const shown = characters.slice(0, 64).map(escaped).join('')
  return `\`${shown}${cut ? '…' : ''}\``
}

function escaped(character: string): string {
  const known = SHORT_ESCAPES.get(character)
  if (known !== undefined) return known
  const shows = character >= ' ' && character <= '~'
  if (shows || LETTERS.test(character)) return character
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\0', '\\0'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['"', '\\"'],
  ["'", "\\'"],
  ['\\', '\\\\'],
])

/** Letters, digits and signs; whatever has no shape of its own, or turns the text, is escaped. */
const LETTERS = /^[\p{L}\p{N}\p{P}\p{S}]$/u
