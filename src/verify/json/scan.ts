// SPDX-License-Identifier: Apache-2.0
// Reads strings and numbers out of hostile text.
import type { JsonFaultCode } from './fault.js'

/** A fault at an index of the text, before its byte is known. */
export class Stop extends Error {
  readonly code: JsonFaultCode
  readonly at: number
  constructor(code: JsonFaultCode, at: number) {
    super(code)
    this.code = code
    this.at = at
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const POINT = 0x2e

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/** A place in a text. It only moves forward. */
export class Scanner {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  /** The character's code at the place, or -1 where the text ends. */
  peek(): number {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1
  }

  skipWhiteSpace(): void {
    for (;;) {
      const code = this.peek()
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.at += 1
    }
  }

  /** The fault of a place where something else was expected. */
  unexpected(): Stop {
    return new Stop(this.peek() < 0 ? 'UNEXPECTED_END' : 'SYNTAX', this.at)
  }

  /** Moves past `word`, which is expected at the place. */
  word(word: string): void {
    for (let index = 0; index < word.length; index += 1) {
      if (this.peek() !== word.charCodeAt(index)) throw this.unexpected()
      this.at += 1
    }
  }

  /** Reads a string whose opening quote is at the place. */
  string(): string {
    this.at += 1
    const parts: string[] = []
    for (;;) {
      const start = this.at
      let code = this.peek()
      while (code >= 0x20 && code !== QUOTE && code !== BACKSLASH) {
        this.at += 1
        code = this.peek()
      }
      parts.push(this.text.slice(start, this.at))
      if (code === QUOTE) {
        this.at += 1
        return parts.join('')
      }
      if (code < 0) throw this.unexpected()
      if (code !== BACKSLASH) throw new Stop('CONTROL_CHARACTER', this.at)
      parts.push(this.#escape())
    }
  }

  /** Reads an escape whose backslash is at the place. */
  #escape(): string {
    const start = this.at
    this.at += 1
    if (this.peek() < 0) throw this.unexpected()
    const letter = this.text.charAt(this.at)
    this.at += 1
    if (letter === 'u') return this.#unicodeEscape(start)
    const character = ESCAPES.get(letter)
    if (character === undefined) throw new Stop('INVALID_ESCAPE', start)
    return character
  }

  /** Reads the digits of `\uXXXX`, and the low half that a high surrogate needs. */
  #unicodeEscape(start: number): string {
    const unit = this.#hex4(start)
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit)
    if (unit > 0xdbff || !this.text.startsWith('\\u', this.at)) {
      throw new Stop('LONE_SURROGATE', start)
    }
    const second = this.at
    this.at += 2
    const low = this.#hex4(second)
    if (low < 0xdc00 || low > 0xdfff) throw new Stop('LONE_SURROGATE', start)
    return String.fromCharCode(unit, low)
  }

  #hex4(start: number): number {
    let unit = 0
    for (let count = 0; count < 4; count += 1) {
      const code = this.peek()
      if (code < 0) throw this.unexpected()
      const digit = hexDigit(code)
      if (digit < 0) throw new Stop('INVALID_ESCAPE', start)
      unit = unit * 16 + digit
      this.at += 1
    }
    return unit
  }

  /** Moves past a number whose first character is at the place, and returns its spelling. */
  number(): { readonly text: string; readonly integer: boolean } {
    const start = this.at
    if (this.peek() === MINUS) this.at += 1
    if (this.peek() === ZERO) {
      this.at += 1
      if (isDigit(this.peek())) throw new Stop('INVALID_NUMBER', this.at)
    } else {
      this.#digits()
    }
    let integer = true
    if (this.peek() === POINT) {
      integer = false
      this.at += 1
      this.#digits()
    }
    if ((this.peek() | 0x20) === 0x65) {
      integer = false
      this.at += 1
      if (this.peek() === MINUS || this.peek() === 0x2b) this.at += 1
      this.#digits()
    }
    return { text: this.text.slice(start, this.at), integer }
  }

  /** Moves past digits, at least one. */
  #digits(): void {
    const start = this.at
    while (isDigit(this.peek())) this.at += 1
    if (this.at === start) throw new Stop('INVALID_NUMBER', start)
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE
}

function hexDigit(code: number): number {
  if (isDigit(code)) return code - ZERO
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1
}
