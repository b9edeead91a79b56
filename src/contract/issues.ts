// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod'
import type { DocumentIssue } from '../errors.js'
import type { Position } from './locate.js'
import { shorten, visible } from './visible.js'

/** The greatest number of faults that one error lists. */
const MAX_ISSUES = 20

const MAX_VALUE = 60

/** A fault that a schema found, before its place in the text is known. */
export interface SchemaFault {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly code: string
  /** Whether the fault is the member's name rather than its value. */
  readonly atName: boolean
}

type Issue = z.core.$ZodIssue

/** Writes a path as people do: `commands[0].exec.argv[1]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let written = ''
  for (const part of path) {
    if (typeof part === 'number') written += `[${part}]`
    else written += written === '' ? String(part) : `.${String(part)}`
  }
  return visible(shorten(written, MAX_VALUE * 4))
}

/** Quotes an untrusted value for a message. */
export function quote(value: unknown): string {
  const written = typeof value === 'string' ? value : JSON.stringify(value)
  return `\`${visible(shorten(written, MAX_VALUE))}\``
}

const TYPE_NAMES = new Map([
  ['array', 'an array'],
  ['boolean', '`true` or `false`'],
  ['int', 'an integer'],
  ['number', 'an integer'],
  ['object', 'an object'],
  ['string', 'a string'],
])

function wrongType(issue: Extract<Issue, { code: 'invalid_type' }>): [string, string] {
  if (issue.input === undefined) return ['MISSING_FIELD', 'is required']
  return ['WRONG_TYPE', `must be ${TYPE_NAMES.get(issue.expected) ?? issue.expected}`]
}

function outOfBounds(issue: Extract<Issue, { code: 'too_big' | 'too_small' }>): [string, string] {
  const [word, bound] =
    issue.code === 'too_big' ? ['most', issue.maximum] : ['least', issue.minimum]
  if (issue.origin !== 'array') return ['OUT_OF_RANGE', `must be at ${word} ${bound}`]
  const code = issue.code === 'too_big' ? 'TOO_LONG' : 'TOO_SHORT'
  return [code, `must have at ${word} ${bound} ${bound === 1 ? 'item' : 'items'}`]
}

function notOneOf(issue: Extract<Issue, { code: 'invalid_value' }>): [string, string] {
  if (issue.input === undefined) return ['MISSING_FIELD', 'is required']
  const accepted = issue.values.map((value) => `\`${String(value)}\``).join(', ')
  const verb = issue.values.length === 1 ? 'must be' : 'must be one of'
  return ['NOT_ALLOWED_VALUE', `${verb} ${accepted}, not ${quote(issue.input)}`]
}

/** What is wrong with a value that may take several forms: of the last form, where it is a mapping. */
function inBranches(issue: Extract<Issue, { code: 'invalid_union' }>): readonly Issue[] {
  const isMapping = typeof issue.input === 'object' && issue.input !== null
  const last = isMapping ? issue.errors.at(-1) : undefined
  return (last ?? []).map((inner) =>
    Object.assign({}, inner, { path: [...issue.path, ...inner.path] }),
  )
}

function describe(issue: Issue): [string, string] {
  if (issue.code === 'invalid_type') return wrongType(issue)
  if (issue.code === 'too_big' || issue.code === 'too_small') return outOfBounds(issue)
  if (issue.code === 'invalid_value') return notOneOf(issue)
  if (issue.code === 'invalid_format') {
    return ['NOT_ABSOLUTE_PATH', `${issue.message}, not ${quote(issue.input)}`]
  }
  if (issue.code === 'invalid_union')
    return ['WRONG_TYPE', 'has none of the forms that it can have']
  const code: unknown = issue.code === 'custom' ? issue.params?.['code'] : undefined
  return [typeof code === 'string' ? code : 'INVALID', visible(issue.message)]
}

/** Turns what zod found into faults with stable codes, the first {@link MAX_ISSUES} of them. */
function faultsOf(issues: readonly Issue[]): readonly SchemaFault[] {
  const faults: SchemaFault[] = []
  for (const issue of issues) {
    if (faults.length >= MAX_ISSUES) break
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys.slice(0, MAX_ISSUES - faults.length)) {
        const message = 'is not a field here'
        faults.push({ path: [...issue.path, key], message, code: 'UNKNOWN_FIELD', atName: true })
      }
      continue
    }
    const inner = issue.code === 'invalid_union' ? inBranches(issue) : []
    if (inner.length > 0) {
      faults.push(...faultsOf(inner).slice(0, MAX_ISSUES - faults.length))
      continue
    }
    const [code, message] = describe(issue)
    faults.push({ path: issue.path, message, code, atName: false })
  }
  return faults
}

/** What checking a document against its schema gave. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly SchemaFault[] }

/**
 * Checks plain data against a schema. A document with so many faults that zod cannot collect them
 * (it passes them as arguments of one call) is refused with one fault that says so.
 *
 * @param schema of a document
 * @param value plain data
 */
export function check<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  try {
    const result = schema.safeParse(value, { reportInput: true })
    if (result.success) return { ok: true, value: result.data }
    return { ok: false, faults: faultsOf(result.error.issues) }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const message = 'has too many faults to list'
    return { ok: false, faults: [{ path: [], message, code: 'TOO_MANY_FAULTS', atName: false }] }
  }
}

/** Gives a fault its place. */
export function placed(fault: SchemaFault, position: Position): DocumentIssue {
  const { line, column } = position
  const { message, code } = fault
  return { path: formatPath(fault.path), message, line, column, code }
}

/**
 * Writes the first of some faults as `file:line:column: path: message`, with how many follow.
 *
 * @param sourceName what the document is called, usually its file
 * @param issues at least one
 */
export function headline(sourceName: string, issues: readonly DocumentIssue[]): string {
  const [first] = issues
  if (first === undefined) return `${visible(sourceName)}: not valid`
  const place = first.line === 0 ? '' : `:${first.line}:${first.column}`
  const path = first.path === '' ? '' : `${first.path}: `
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  return `${visible(sourceName)}${place}: ${path}${first.message}${more}`
}

/** Sorts faults by place, so that the first one listed is the first one read. */
export function byPlace(a: DocumentIssue, b: DocumentIssue): number {
  return a.line - b.line || a.column - b.column
}
