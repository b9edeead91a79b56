// SPDX-License-Identifier: Apache-2.0
// Checks a JSON value against a shape that is written as data.
import { type Json, type JsonObject, asArray, asInteger, asObject, asText } from './json/value.js'
import { isDateTime } from './time.js'
import { quoted } from './verdict.js'

/** An object's members. */
export interface Shape {
  readonly members: readonly Member[]
  /** Whether members that the shape does not name may stand. */
  readonly others: boolean
}

interface Member {
  readonly name: string
  readonly required: boolean
  readonly check: Check
}

/** Returns what would be accepted at the path, where the value is not; else nothing. */
export type Check = (value: Json, path: string) => string | undefined

/** Names a required member. */
export function must(name: string, check: Check): Member {
  return { name, required: true, check }
}

/** Names an optional member. */
export function may(name: string, check: Check): Member {
  return { name, required: false, check }
}

/** A string that passes, and the words for it. */
export function string(passes: (text: string) => boolean, words: string): Check {
  return (value, path) => {
    const text = asText(value)
    return text !== undefined && passes(text) ? undefined : expected(path, words)
  }
}

/** An integer of at least this much. */
export function integer(min?: number): Check {
  const words = `an integer of at least ${min ?? LEAST}`
  return (value, path) => {
    const number = asInteger(value)
    return number !== undefined && number >= (min ?? number) ? undefined : expected(path, words)
  }
}

/** One of some strings. */
export function oneOf(...words: readonly string[]): Check {
  return string((text) => words.includes(text), `one of \`${words.join('`, `')}\``)
}

/** A list whose elements pass. */
export function list(check: Check): Check {
  return (value, path) => {
    const elements = asArray(value)
    if (elements === undefined) return expected(path, 'an array')
    return first(elements, (element, index) => check(element, `${path}[${index}]`))
  }
}

/** What passes, or `null`. */
export function nullable(check: Check): Check {
  return (value, path) => (value === null ? undefined : check(value, path))
}

/** An object of a shape. */
export function object(shape: Shape): Check {
  return (value, path) => {
    const members = asObject(value)
    return members === undefined ? expected(path, 'an object') : checkObject(members, shape, path)
  }
}

/** True or false. */
export const BOOLEAN: Check = (value, path) =>
  typeof value === 'boolean' ? undefined : expected(path, 'true or false')
/** Any string. */
export const STRING = string(() => true, 'a string')
/** A string of at least one character. */
export const TEXT = string((text) => text !== '', 'a string that is not empty')
/** An RFC 3339 time with its zone. */
export const TIME = string(isDateTime, 'an RFC 3339 time with its zone')
/** An object of any members. */
export const OPEN = object({ members: [], others: true })

/**
 * Checks an object; returns the words of the first fault. The shapes decide how deep the recursion
 * goes, not the document.
 */
export function checkObject(members: JsonObject, shape: Shape, path = ''): string | undefined {
  const fault = first(shape.members, ({ name, required, check }) => {
    const value = members.get(name)
    if (value !== undefined) return check(value, join(path, name))
    return required ? expected(join(path, name), 'a required member') : undefined
  })
  if (fault !== undefined || shape.others) return fault
  const known = new Set(shape.members.map(({ name }) => name))
  const unknown = [...members.keys()].toSorted().find((name) => !known.has(name))
  return unknown === undefined
    ? undefined
    : expected(join(path, quoted(unknown)), 'no member of that name')
}

/** Says what would be accepted at a path. */
export function expected(path: string, words: string): string {
  return `${path}: expected ${words}`
}

function first<T>(
  items: readonly T[],
  check: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const fault = check(item, index)
    if (fault !== undefined) return fault
  }
  return undefined
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** The least 64-bit integer: any will do. */
const LEAST = '-9223372036854775808'
