// SPDX-License-Identifier: Apache-2.0
// Strict I-JSON (RFC 8259 as RFC 7493 narrows it), without recursion. The same texts are refused as
// by crates/canon, with the same code and place.
import { fromUtf8, loneSurrogate, utf8, validUtf8 } from '../bytes.js'
import { JsonFault, type JsonFaultCode } from './fault.js'
import { Scanner, Stop } from './scan.js'
import { type Json, NumberText, type SourceJson } from './value.js'

/** Bounds of a document. */
export interface Limits {
  /** Largest document, bytes. */
  readonly maxBytes: number
  /** Most arrays and objects open at once. */
  readonly maxDepth: number
}

/** Bounds of a receipt: 1 MiB, 64 levels. */
export const LIMITS: Limits = { maxBytes: 1 << 20, maxDepth: 64 }

/** What a number's spelling becomes. */
type ReadNumber<N> = (text: string, integer: boolean) => JsonFaultCode | { readonly value: N }
/** A value with numbers of one kind. */
type Tree<N> = N | ReadonlyMap<string, Tree<N>> | boolean | null | string | readonly Tree<N>[]

/**
 * Parses strict JSON.
 *
 * @throws {@link JsonFault} the first fault
 */
export function parse(document: Uint8Array, limits: Limits = LIMITS): Json {
  return read<number>(document, limits, readDouble)
}

/**
 * Parses strict JSON whose numbers are all plain integers: no fraction, no exponent, no `-0`.
 *
 * @throws {@link JsonFault}
 */
export function parsePlainIntegers(document: Uint8Array, limits: Limits = LIMITS): Json {
  return read<number>(document, limits, (text, integer) =>
    !integer || text === '-0' ? 'NOT_PLAIN_INTEGER' : readDouble(text, integer),
  )
}

/**
 * Parses strict JSON and keeps the spelling of its numbers.
 *
 * @throws {@link JsonFault}
 */
export function parseSource(document: Uint8Array, limits: Limits = LIMITS): SourceJson {
  return read<NumberText>(document, limits, (text, integer) => {
    const number = readDouble(text, integer)
    return typeof number === 'string' ? number : { value: new NumberText(text) }
  })
}

/**
 * Judges a number by its spelling. What RFC 8785 writes as a run of digits must be within
 * ±(2^53 − 1): reading rounds, but no integer beyond that is read as one within.
 */
function readDouble(text: string, integer: boolean): JsonFaultCode | { readonly value: number } {
  const value = Number(text)
  if (integer || isDigits(String(value))) {
    // `+ 0`: there is no `-0`
    return Number.isSafeInteger(value) ? { value: value + 0 } : 'INTEGER_OUT_OF_RANGE'
  }
  return Number.isFinite(value) ? { value } : 'NUMBER_OUT_OF_RANGE'
}

function isDigits(text: string): boolean {
  return !text.includes('.') && !text.includes('e') && !text.includes('I')
}

function read<N>(document: Uint8Array, limits: Limits, number: ReadNumber<N>): Tree<N> {
  if (document.length > limits.maxBytes) throw new JsonFault('TOO_LARGE', document, limits.maxBytes)
  if (document[0] === 0xef && document[1] === 0xbb && document[2] === 0xbf) {
    throw new JsonFault('BYTE_ORDER_MARK', document, 0)
  }
  const text = fromUtf8(document)
  if (text === undefined) throw new JsonFault('INVALID_UTF8', document, validUtf8(document))
  try {
    return new Parser(text, limits.maxDepth, number).document()
  } catch (fault) {
    if (!(fault instanceof Stop)) throw fault
    throw new JsonFault(fault.code, document, utf8(text.slice(0, fault.at)).length)
  }
}

/** An array or object that is not closed yet. */
type Open<N> =
  | { readonly kind: 'array'; readonly elements: Tree<N>[] }
  | {
      readonly kind: 'object'
      readonly members: Map<string, Tree<N>>
      name: string
      /** Where the first repeated name stands. */
      repeated: number | undefined
    }

class Parser<N> {
  readonly #scanner: Scanner
  readonly #maxDepth: number
  readonly #number: ReadNumber<N>
  readonly #open: Open<N>[] = []

  constructor(text: string, maxDepth: number, number: ReadNumber<N>) {
    this.#scanner = new Scanner(text)
    this.#maxDepth = maxDepth
    this.#number = number
  }

  document(): Tree<N> {
    for (;;) {
      const value = this.#value()
      if (value === undefined) continue
      const root = this.#complete(value)
      if (root === undefined) continue
      this.#scanner.skipWhiteSpace()
      if (this.#scanner.peek() >= 0) throw new Stop('TRAILING_BYTES', this.#scanner.at)
      return root
    }
  }

  /** Reads a scalar or an empty array or object; opens any other and returns nothing. */
  #value(): Tree<N> | undefined {
    this.#scanner.skipWhiteSpace()
    switch (String.fromCharCode(this.#scanner.peek())) {
      case '{':
        return this.#openObject()
      case '[':
        return this.#openArray()
      case '"':
        return this.#scanner.string()
      case 't':
        this.#scanner.word('true')
        return true
      case 'f':
        this.#scanner.word('false')
        return false
      case 'n':
        this.#scanner.word('null')
        return null
      default:
        return this.#scalarNumber()
    }
  }

  #scalarNumber(): Tree<N> {
    const start = this.#scanner.at
    const code = this.#scanner.peek()
    if (code !== 0x2d && (code < 0x30 || code > 0x39)) throw this.#scanner.unexpected()
    const { text, integer } = this.#scanner.number()
    const number = this.#number(text, integer)
    if (typeof number === 'string') throw new Stop(number, start)
    return number.value
  }

  #openArray(): Tree<N> | undefined {
    this.#descend()
    if (this.#scanner.peek() === 0x5d) {
      this.#scanner.at += 1
      return []
    }
    this.#open.push({ kind: 'array', elements: [] })
    return undefined
  }

  #openObject(): Tree<N> | undefined {
    this.#descend()
    if (this.#scanner.peek() === 0x7d) {
      this.#scanner.at += 1
      return new Map()
    }
    const { name } = this.#name()
    this.#open.push({ kind: 'object', members: new Map(), name, repeated: undefined })
    return undefined
  }

  /** Moves past an opening bracket. */
  #descend(): void {
    if (this.#open.length >= this.#maxDepth) throw new Stop('TOO_DEEP', this.#scanner.at)
    this.#scanner.at += 1
    this.#scanner.skipWhiteSpace()
  }

  /** Reads a member's name and its colon. */
  #name(): { readonly name: string; readonly at: number } {
    this.#scanner.skipWhiteSpace()
    const at = this.#scanner.at
    if (this.#scanner.peek() !== 0x22) throw this.#scanner.unexpected()
    const name = this.#scanner.string()
    this.#scanner.skipWhiteSpace()
    this.#scanner.word(':')
    return { name, at }
  }

  /**
   * Gives a complete value to what is open around it, closing all that ends with it. Returns the
   * root once that is complete.
   */
  #complete(complete: Tree<N>): Tree<N> | undefined {
    let value = complete
    for (;;) {
      const open = this.#open.at(-1)
      if (open === undefined) return value
      this.#scanner.skipWhiteSpace()
      const next = this.#scanner.peek()
      if (next !== 0x2c && next !== (open.kind === 'array' ? 0x5d : 0x7d)) {
        throw this.#scanner.unexpected()
      }
      this.#scanner.at += 1
      if (open.kind === 'array') open.elements.push(value)
      else open.members.set(open.name, value)
      if (next === 0x2c) {
        if (open.kind === 'object') this.#nextMember(open)
        return undefined
      }
      this.#open.pop()
      value = closed(open)
    }
  }

  #nextMember(open: Extract<Open<N>, { kind: 'object' }>): void {
    const { name, at } = this.#name()
    if (open.members.has(name)) open.repeated ??= at
    open.name = name
  }
}

/** Returns what is complete with its closing bracket. */
function closed<N>(open: Open<N>): Tree<N> {
  if (open.kind === 'array') return open.elements
  if (open.repeated !== undefined) throw new Stop('DUPLICATE_MEMBER', open.repeated)
  return open.members
}

/**
 * Returns the bytes of a document that was given as bytes or text.
 *
 * A text with a lone surrogate has no UTF-8: such a document is refused, not mended.
 *
 * @throws {@link JsonFault}
 */
export function documentBytes(document: Uint8Array | string): Uint8Array<ArrayBuffer> {
  if (typeof document !== 'string') return new Uint8Array(document)
  const lone = loneSurrogate(document)
  if (lone < 0) return utf8(document)
  const before = utf8(document.slice(0, lone))
  throw new JsonFault('INVALID_UTF8', before, before.length)
}
