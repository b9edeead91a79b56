// SPDX-License-Identifier: Apache-2.0
import {
  byPlace,
  check,
  formatPath,
  headline,
  placed,
  type SchemaFault,
} from '../contract/issues.js'
import { type MemberOffset, type Position, positionAt } from '../contract/locate.js'
import { readBounded, unreadable } from '../contract/read.js'
import { visible } from '../contract/visible.js'
import { type DocumentIssue, PolicyError } from '../errors.js'
import { canonicalize, sha256Hex } from '../native.js'
import { exampleFaults } from './argv-rules.js'
import { excerpt } from './excerpt.js'
import { compileRules } from './rules.js'
import {
  type Difference,
  type Policy,
  POLICY_LIMITS,
  policySchemaOf,
  type PolicyPlaces,
} from './schema.js'
import { readYaml, type YamlDifference } from './yaml.js'

/** Where each rule stands, worked out when it is asked for. */
class Places implements PolicyPlaces {
  readonly #source: string
  readonly #offsets: ReadonlyMap<string, MemberOffset>
  readonly #known = new Map<string, Position>()

  readonly #differences: readonly YamlDifference[]

  constructor(
    source: string,
    offsets: ReadonlyMap<string, MemberOffset>,
    differences: readonly YamlDifference[],
  ) {
    this.#source = source
    this.#offsets = offsets
    this.#differences = differences
  }

  get differences(): readonly Difference[] {
    return this.#differences.map(({ offset, source, yaml11 }) => ({
      ...positionAt(this.#source, offset),
      source,
      yaml11,
    }))
  }

  at(path: string): Position | undefined {
    const offset = this.#offsets.get(path)
    if (offset === undefined) return undefined
    const known = this.#known.get(path) ?? positionAt(this.#source, offset.name)
    this.#known.set(path, known)
    return known
  }
}

function refuse(sourceName: string, source: string, issues: readonly DocumentIssue[]): never {
  const message = `${headline(sourceName, issues)}${excerpt(source, issues[0])}`
  throw new PolicyError('ERR_POLICY_INVALID', message, { issues })
}

function refuseAt(sourceName: string, source: string, at: number, code: string, message: string) {
  const { line, column } = positionAt(source, at)
  return refuse(sourceName, source, [{ path: '', message, line, column, code }])
}

function decode(bytes: Uint8Array, sourceName: string): string {
  if (bytes.length > POLICY_LIMITS.maxBytes) {
    const message = `must have at most ${POLICY_LIMITS.maxBytes} bytes`
    return refuseAt(sourceName, '', 0, 'TOO_LARGE', message)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const lossy = new TextDecoder('utf-8').decode(bytes)
    const message = 'invalid YAML: must be UTF-8'
    return refuseAt(sourceName, lossy, lossy.indexOf('\ufffd'), 'INVALID_UTF8', message)
  }
}

/** Finds the innermost part of a path that has a place. */
function offsetOf(offsets: ReadonlyMap<string, MemberOffset>, fault: SchemaFault): number {
  for (let length = fault.path.length; length > 0; length -= 1) {
    const found = offsets.get(formatPath(fault.path.slice(0, length)))
    if (found !== undefined) return fault.atName ? found.name : found.value
  }
  return 0
}

/**
 * Reads a policy, `csc.policy.v0.1` or `ambit.policy.v1`: YAML 1.2 core (JSON is YAML), as the schema
 * of its version says. The examples of argv rules are tried, and one that is wrong is a fault.
 * Refused: duplicate keys, merge keys, tags, directives, further documents, more than 64 aliases,
 * numbers that are no plain integers. Plain scalars that YAML 1.1 reads differently (`yes`, `010`,
 * `2024-01-01`) are read as YAML 1.2 does.
 *
 * @param bytes the document; UTF-8, at most 512 KiB
 * @param sourceName what errors and decisions call the document, usually its file
 * @throws {@link PolicyError} `ERR_POLICY_INVALID`; the message shows the line with a caret
 */
export function parsePolicy(bytes: Uint8Array, sourceName: string): Policy {
  const source = decode(bytes, sourceName)
  const read = readYaml(source)
  if (!read.ok) {
    const { offset, code, message } = read.fault
    return refuseAt(sourceName, source, offset, code, visible(message))
  }
  const { value, offsets } = read.value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = 'policy file must contain a YAML mapping'
    return refuseAt(sourceName, source, 0, 'NOT_A_MAPPING', message)
  }
  const result = check(policySchemaOf(value), value)
  if (!result.ok) {
    const issues = result.faults
      .map((fault) => placed(fault, positionAt(source, offsetOf(offsets, fault))))
      .toSorted(byPlace)
    return refuse(sourceName, source, issues)
  }
  const hash = sha256Hex(Buffer.from(canonicalize(JSON.stringify(value))))
  const document = result.value
  const rules = compileRules(document)
  const wrong = exampleFaults(rules.argvRules)
  if (wrong.length > 0) {
    const issues = wrong.map((fault) => placed(fault, positionAt(source, offsetOf(offsets, fault))))
    return refuse(sourceName, source, issues)
  }
  const places = new Places(source, offsets, read.value.differences)
  return { document, rules, hash, sourceName, places }
}

/**
 * Reads a policy from a file.
 *
 * @param path of the file; errors and decisions call it by this name
 * @throws {@link PolicyError} `ERR_POLICY_UNREADABLE`, or `ERR_POLICY_INVALID`
 */
export async function loadPolicy(path: string): Promise<Policy> {
  return parsePolicy(await readPolicy(path), path)
}

async function readPolicy(path: string): Promise<Uint8Array> {
  try {
    return await readBounded(path, POLICY_LIMITS.maxBytes)
  } catch (cause) {
    const options = unreadable('policy file', cause)
    throw new PolicyError('ERR_POLICY_UNREADABLE', headline(path, options.issues), options)
  }
}
