// SPDX-License-Identifier: Apache-2.0
// RFC 8785 text of a value. Numbers are ECMAScript's own; names sort by UTF-16 code units, as
// ECMAScript compares strings.
import { type Json, type JsonObject, isArray, isObject } from './value.js'

/** An array or object whose opening bracket is written. */
type Open =
  | { readonly kind: 'array'; readonly elements: readonly Json[]; at: number }
  | {
      readonly kind: 'object'
      readonly object: JsonObject
      readonly names: readonly string[]
      at: number
    }

/** Returns the RFC 8785 text of a value, without recursion. */
export function write(value: Json): string {
  const out: string[] = []
  const open: Open[] = []
  start(value, out, open)
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    const next = step(level, out)
    if (next === undefined) open.pop()
    else start(next, out, open)
  }
  return out.join('')
}

/** Writes what stands before the next value and returns it, or writes the closing bracket. */
function step(level: Open, out: string[]): Json | undefined {
  const at = level.at
  level.at += 1
  if (level.kind === 'array') {
    const next = level.elements[at]
    out.push(next === undefined ? ']' : at > 0 ? ',' : '')
    return next
  }
  const name = level.names[at]
  const next = name === undefined ? undefined : level.object.get(name)
  if (name === undefined || next === undefined) {
    out.push('}')
    return undefined
  }
  out.push(at > 0 ? ',' : '', writeString(name), ':')
  return next
}

/** Writes a scalar, or the opening bracket of anything else. */
function start(value: Json, out: string[], open: Open[]): void {
  if (typeof value === 'string') {
    out.push(writeString(value))
  } else if (isObject(value)) {
    out.push('{')
    // without a comparison, strings sort by their UTF-16 code units
    open.push({ kind: 'object', object: value, names: [...value.keys()].toSorted(), at: 0 })
  } else if (isArray(value)) {
    out.push('[')
    open.push({ kind: 'array', elements: value, at: 0 })
  } else {
    out.push(String(value))
  }
}

/** ECMAScript's own text is RFC 8785's, as no string here has a lone surrogate. */
function writeString(text: string): string {
  return JSON.stringify(text)
}
