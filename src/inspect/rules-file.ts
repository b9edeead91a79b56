// SPDX-License-Identifier: Apache-2.0
import type { DeepReadonly } from '../contract/fields.js'
import { byPlace, check, formatPath, headline, placed } from '../contract/issues.js'
import { positionAt } from '../contract/locate.js'
import { readBounded } from '../contract/read.js'
import { visible } from '../contract/visible.js'
import { type DocumentIssue, InspectError } from '../errors.js'
import { excerpt } from '../policy/excerpt.js'
import { readYaml, type YamlDocument } from '../policy/yaml.js'
import { InspectorRulesSchema } from './rules-schema.js'
import type { z } from 'zod'

/** The rules of a file, for {@link rules} and {@link sequence}. */
export type InspectorRules = DeepReadonly<z.output<typeof InspectorRulesSchema>>

/** A rule on single calls. */
export type InspectorRule = NonNullable<InspectorRules['rules']>[number]

/** A rule on the order of a session's calls. A call that was denied was not made. */
export type SequenceRule = NonNullable<InspectorRules['sequence']>[number]

/** The largest file of rules, bytes. */
const MAX_BYTES = 524_288

function refuse(name: string, source: string, issues: readonly DocumentIssue[]): never {
  const message = `${headline(name, issues)}${excerpt(source, issues[0])}`
  throw new InspectError('ERR_INSPECT_RULES_INVALID', message, { details: { issues } })
}

function refuseAt(name: string, source: string, at: number, code: string, message: string): never {
  return refuse(name, source, [{ path: '', message, ...positionAt(source, at), code }])
}

function decode(bytes: Uint8Array, name: string): string {
  if (bytes.length > MAX_BYTES) {
    return refuseAt(name, '', 0, 'TOO_LARGE', `must have at most ${MAX_BYTES} bytes`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const lossy = new TextDecoder('utf-8').decode(bytes)
    return refuseAt(name, lossy, lossy.indexOf('\ufffd'), 'INVALID_UTF8', 'must be UTF-8')
  }
}

/** Finds the innermost part of a path that has a place. */
function offsetOf({ offsets }: YamlDocument, path: readonly PropertyKey[], atName: boolean) {
  for (let length = path.length; length > 0; length -= 1) {
    const found = offsets.get(formatPath(path.slice(0, length)))
    if (found !== undefined) return atName ? found.name : found.value
  }
  return 0
}

/**
 * Reads a file of rules, `ambit.inspector-rules.v1`: YAML 1.2 core, as policies are. Unknown fields
 * and patterns that are none are faults, with their places.
 *
 * @param bytes the document; UTF-8, at most 512 KiB
 * @param sourceName what errors call the document, usually its file
 * @throws {@link InspectError} `ERR_INSPECT_RULES_INVALID`; the message shows the line with a caret
 */
export function parseInspectorRules(bytes: Uint8Array, sourceName: string): InspectorRules {
  const source = decode(bytes, sourceName)
  const read = readYaml(source)
  if (!read.ok) {
    const { offset, code, message } = read.fault
    return refuseAt(sourceName, source, offset, code, visible(message))
  }
  const result = check(InspectorRulesSchema, read.value.value)
  if (result.ok) return result.value
  const issues = result.faults.map((fault) =>
    placed(fault, positionAt(source, offsetOf(read.value, fault.path, fault.atName))),
  )
  return refuse(sourceName, source, issues.toSorted(byPlace))
}

/**
 * Reads a file of rules.
 *
 * @param path of the file; errors call it by this name
 * @throws {@link InspectError} `ERR_INSPECT_RULES_MISSING`, `ERR_INSPECT_RULES_UNREADABLE`, or
 *   `ERR_INSPECT_RULES_INVALID`
 */
export async function loadInspectorRules(path: string): Promise<InspectorRules> {
  return parseInspectorRules(await readRules(path), path)
}

async function readRules(path: string): Promise<Uint8Array> {
  try {
    return await readBounded(path, MAX_BYTES)
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    const code = isMissing ? 'ERR_INSPECT_RULES_MISSING' : 'ERR_INSPECT_RULES_UNREADABLE'
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new InspectError(code, `failed to read rules: ${visible(reason)}`, { cause })
  }
}
