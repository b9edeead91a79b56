// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a text. Codes and words are those of crates/canon.

/** The kinds of fault, and their words. */
const WORDS = {
  BYTE_ORDER_MARK: 'byte order mark; expected UTF-8 without one',
  CONTROL_CHARACTER: 'unescaped control character in a string',
  DUPLICATE_MEMBER: 'duplicate member name',
  INTEGER_OUT_OF_RANGE: 'integer out of range; expected at most 9007199254740991 in magnitude',
  INVALID_ESCAPE: 'invalid escape in a string',
  INVALID_NUMBER: 'invalid number',
  INVALID_UTF8: 'invalid UTF-8',
  LONE_SURROGATE: 'lone surrogate in a string',
  NOT_PLAIN_INTEGER: 'number is not a plain integer; expected no fraction, no exponent and no `-0`',
  NUMBER_OUT_OF_RANGE: 'number out of range; expected an IEEE 754 double',
  SYNTAX: 'unexpected character',
  TOO_DEEP: 'nested too deeply',
  TOO_LARGE: 'document too large',
  TRAILING_BYTES: 'unexpected bytes after the end of the document',
  UNEXPECTED_END: 'unexpected end of the document',
} as const

/** The code of a fault. */
export type JsonFaultCode = keyof typeof WORDS

/** A document that is not strict JSON: the first fault, and its place. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault'
  readonly code: JsonFaultCode
  /** Bytes from the start of the document. */
  readonly offset: number
  /** From 1. */
  readonly line: number
  /** In characters, from 1. */
  readonly column: number

  /** Locates a fault at a byte of the document. */
  constructor(code: JsonFaultCode, document: Uint8Array, offset: number) {
    let line = 1
    let column = 1
    for (const byte of document.subarray(0, offset)) {
      if (byte === 0x0a) {
        line += 1
        column = 1
      } else if ((byte & 0xc0) !== 0x80) {
        column += 1
      }
    }
    super(`${WORDS[code]} at line ${line}, column ${column}`)
    this.code = code
    this.offset = offset
    this.line = line
    this.column = column
  }

  /** The code and the words. */
  get detail(): string {
    return `${this.code}: ${this.message}`
  }
}
