// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'

/** A type whose members, at every depth, cannot be assigned. */
export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T

/** A path that is absolute in POSIX, Windows drive or UNC form (the published csc pattern). */
const ABSOLUTE_PATH = /^(?:\/|[A-Za-z]:[\\/]|(?:\\\\|\/\/)[^\\/]+[\\/][^\\/]+)/

/** Network access, from least to most. */
export const NETWORK_MODES = ['deny', 'allowlisted', 'full'] as const

/** The effects that a command may propose. */
export const EFFECT_TYPES = [
  'observe',
  'transform_local',
  'fetch_external',
  'mutate_repo',
  'deploy',
  'touch_secrets',
] as const

/** The risk classes of a contract. */
export const RISK_CLASSES = ['low', 'medium', 'high', 'critical'] as const

/** Adds a fault of ours, with its code, to what zod collects. */
export function fault(code: string, message: string, input: unknown, path: PropertyKey[] = []) {
  return { code: 'custom' as const, message, input, path, params: { code } }
}

/** Counts characters (Unicode scalar values), as JSON Schema does. */
function lengthOf(value: string): number {
  let length = 0
  for (const _ of value) length += 1
  return length
}

const NO_NUL = { not: { pattern: '\\u0000' } }

/**
 * A string without U+0000 whose length is counted in characters.
 *
 * @param min least number of characters
 * @param max greatest number of characters; no limit when left out
 */
export function text(min: number, max = Number.POSITIVE_INFINITY) {
  const bounds = Number.isFinite(max) ? { minLength: min, maxLength: max } : { minLength: min }
  return z
    .string()
    .check((context) => {
      const length = lengthOf(context.value)
      if (length < min) {
        const message = min === 1 ? 'must not be empty' : `must have at least ${min} characters`
        context.issues.push(fault('TOO_SHORT', message, context.value))
      }
      if (length > max) {
        context.issues.push(fault('TOO_LONG', `must have at most ${max} characters`, context.value))
      }
      pushNul(context)
    })
    .meta({ ...bounds, ...NO_NUL })
}

function pushNul(context: { value: string; issues: unknown[] }): void {
  if (context.value.includes('\0')) {
    context.issues.push(fault('NUL_CHARACTER', 'must not contain U+0000', context.value))
  }
}

/** An absolute path without U+0000. */
export function absolutePath() {
  return z.string().regex(ABSOLUTE_PATH, 'must be an absolute path').check(pushNul).meta(NO_NUL)
}

/**
 * A list in which no two items are the same by a key.
 *
 * @param items the list
 * @param keyOf what must not repeat
 */
export function uniqueBy<Item extends z.ZodType>(
  items: z.ZodArray<Item>,
  keyOf: (item: z.output<Item>) => string,
) {
  return items
    .check((context) => {
      const seen = new Set<string>()
      for (const [index, item] of context.value.entries()) {
        const key = keyOf(item)
        if (seen.has(key)) {
          const message = `must be unique; \`${key}\` is listed already`
          context.issues.push(fault('DUPLICATE_ITEM', message, undefined, [index]))
        }
        seen.add(key)
      }
    })
    .meta({ uniqueItems: true })
}
