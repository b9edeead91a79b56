// SPDX-License-Identifier: Apache-2.0
// JSON values. Objects are maps: a member named `__proto__` is a member like any other.

/** A JSON value. A number is a finite double; `-0` does not occur. */
export type Json = JsonObject | boolean | null | number | string | readonly Json[]
/** An object, its members in the order of the text. */
export type JsonObject = ReadonlyMap<string, Json>

/** A number as it was spelled, for formats whose signed text keeps the spelling. */
export class NumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A value whose numbers are texts. */
export type SourceJson =
  NumberText | ReadonlyMap<string, SourceJson> | boolean | null | string | readonly SourceJson[]

/** Whether a value is an object. */
export function isObject<T>(
  value: ReadonlyMap<string, T> | T | undefined,
): value is ReadonlyMap<string, T> {
  return value instanceof Map
}

/** Whether a value is an array. */
export function isArray<T>(value: T | readonly T[] | undefined): value is readonly T[] {
  return Array.isArray(value)
}

/** Returns the object, or nothing where the value is another. */
export function asObject(value: Json | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

/** Returns the array, or nothing where the value is another. */
export function asArray(value: Json | undefined): readonly Json[] | undefined {
  return isArray(value) ? value : undefined
}

/** Returns the string, or nothing where the value is another. */
export function asText(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Returns the integer within ±(2^53 − 1), or nothing where the value is another. */
export function asInteger(value: Json | undefined): number | undefined {
  return Number.isSafeInteger(value) ? Number(value) : undefined
}

/** Returns the member of an object, or nothing where there is none. */
export function member(value: Json | undefined, name: string): Json | undefined {
  return asObject(value)?.get(name)
}

/** Returns a copy of an object without one of its members. */
export function without(object: JsonObject, name: string): JsonObject {
  const copy = new Map(object)
  copy.delete(name)
  return copy
}

/** Whether every member's name, at any depth, is of U+0020 to U+007E. */
export function hasAsciiNames(value: Json): boolean {
  return every(value, (name) => isPrintableAscii(name))
}

/** Whether no string value, at any depth, starts with the character. Names do not count. */
export function hasNoStringFrom(value: Json, first: string): boolean {
  return every(
    value,
    () => true,
    (text) => !text.startsWith(first),
  )
}

function every(
  value: Json,
  name: (text: string) => boolean,
  text: (text: string) => boolean = () => true,
): boolean {
  const rest: Json[] = [value]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next === 'string') {
      if (!text(next)) return false
    } else if (isObject(next)) {
      for (const [key, inner] of next) {
        if (!name(key)) return false
        rest.push(inner)
      }
    } else if (isArray(next)) {
      for (const inner of next) rest.push(inner)
    }
  }
  return true
}

function isPrintableAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit < 0x20 || unit > 0x7e) return false
  }
  return true
}
