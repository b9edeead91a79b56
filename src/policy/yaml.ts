// SPDX-License-Identifier: Apache-2.0
import {
  type Alias,
  Composer,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
} from 'yaml'
import type { MemberOffset } from '../contract/locate.js'
import { quote } from '../contract/issues.js'
import { POLICY_LIMITS } from './schema.js'
import { yaml11Differs } from './yaml11.js'
import { readTokens, refuse, type YamlFault, type YamlResult } from './yaml-tokens.js'

/** What YAML text says, and where each member stands. */
export interface YamlDocument {
  /** Plain data: strings, integers, booleans, null, lists, mappings. */
  readonly value: unknown
  /** Offsets by path, such as `network` or `deny_argv_prefixes[2]`. */
  readonly offsets: ReadonlyMap<string, MemberOffset>
  /** Plain scalars that YAML 1.1 reads otherwise. */
  readonly differences: readonly YamlDifference[]
}

/** A plain scalar that YAML 1.1 reads otherwise. */
export interface YamlDifference {
  /** UTF-16 units from the start of the text. */
  readonly offset: number
  /** As written. */
  readonly source: string
  /** What YAML 1.1 reads, in words. */
  readonly yaml11: string
}

const PLAIN_INTEGER = /^[-+]?[0-9]+$|^0[ox][0-9a-fA-F]+$/

class FaultFound extends Error {
  readonly fault: YamlFault

  constructor(offset: number, code: string, message: string) {
    super(message)
    this.fault = { offset, code, message }
  }
}

/** Turns composed nodes into plain data; throws the first fault it meets. */
class Reader {
  readonly offsets = new Map<string, MemberOffset>()
  readonly differences: YamlDifference[] = []
  readonly #document: Document.Parsed
  #values = 0

  constructor(document: Document.Parsed) {
    this.#document = document
  }

  read(node: Node | null, path: string, name: number, depth: number): unknown {
    const offset = node?.range?.[0] ?? name
    if (path !== '') this.offsets.set(path, { name: name === -1 ? offset : name, value: offset })
    this.#count(offset, depth)
    if (isAlias(node)) return this.#alias(node, path, offset, depth)
    if (isScalar(node)) return this.#scalar(node, offset)
    if (isMap(node)) return this.#mapping(node.items, path, depth)
    if (!isSeq(node)) return null
    return node.items.map((item, index) => this.#item(item, `${path}[${index}]`, depth))
  }

  #count(offset: number, depth: number): void {
    this.#values += 1
    if (this.#values > POLICY_LIMITS.maxValues || depth > POLICY_LIMITS.maxDepth) {
      const message = 'invalid YAML: aliases make this document too large'
      throw new FaultFound(offset, 'TOO_LARGE', message)
    }
  }

  #item(item: unknown, path: string, depth: number): unknown {
    return this.read(asNode(item), path, -1, depth + 1)
  }

  #scalar(node: Scalar, offset: number): unknown {
    const value = scalar(node, offset)
    if (node.type === 'PLAIN') {
      const source = node.source ?? ''
      const yaml11 = yaml11Differs(source, value)
      if (yaml11 !== undefined) this.differences.push({ offset, source, yaml11 })
    }
    return value
  }

  #alias(node: Alias, path: string, offset: number, depth: number): unknown {
    const target = node.resolve(this.#document)
    if (target === undefined) {
      const message = `invalid YAML: ${quote(node.source)} names no anchor`
      throw new FaultFound(offset, 'UNKNOWN_ALIAS', message)
    }
    return this.read(asNode(target), path, offset, depth + 1)
  }

  #mapping(pairs: readonly Pair[], path: string, depth: number): unknown {
    const members = new Map<string, unknown>()
    for (const pair of pairs) {
      const { name, offset } = keyOf(pair)
      if (members.has(name)) {
        const message = `invalid YAML: duplicate key ${quote(name)}`
        throw new FaultFound(offset, 'DUPLICATE_KEY', message)
      }
      const memberPath = path === '' ? name : `${path}.${name}`
      members.set(name, this.read(asNode(pair.value), memberPath, offset, depth + 1))
    }
    return Object.fromEntries(members)
  }
}

const asNode = (value: unknown): Node | null => (isNode(value) ? value : null)

function keyOf(pair: Pair): { name: string; offset: number } {
  const { key } = pair
  const offset = isScalar(key) || isAlias(key) ? (key.range?.[0] ?? 0) : 0
  if (!isScalar(key) || typeof key.value !== 'string') {
    throw new FaultFound(offset, 'KEY', 'invalid YAML: a key must be a string')
  }
  if (key.value === '<<') {
    throw new FaultFound(offset, 'MERGE_KEY', 'invalid YAML: merge keys are refused')
  }
  return { name: key.value, offset }
}

function scalar(node: Scalar, offset: number): unknown {
  const { value, source } = node
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) {
    throw new FaultFound(offset, 'LONE_SURROGATE', 'invalid YAML: lone surrogate in a string')
  }
  if (typeof value !== 'number') return value
  if (!PLAIN_INTEGER.test(source ?? '') || !Number.isSafeInteger(value)) {
    const message = `must be a plain integer within ±(2^53 − 1), not ${quote(source ?? '')}`
    throw new FaultFound(offset, 'NOT_AN_INTEGER', message)
  }
  return value
}

function compose(source: string): YamlResult<Document.Parsed | undefined> {
  const tokens = readTokens(source)
  if (!tokens.ok) return tokens
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    strict: true,
    stringKeys: true,
    uniqueKeys: false, // compared by `Reader`, in linear time
  })
  stopAtFirstFault(composer)
  try {
    const [document] = composer.compose(tokens.value, true, source.length)
    // what it adds without asking `onError`
    const [error] = document?.errors ?? []
    if (error === undefined) return { ok: true, value: document }
    return refuse(error.pos[0], 'SYNTAX', `invalid YAML: ${error.message}`)
  } catch (error) {
    if (error instanceof FaultFound) return { ok: false, fault: error.fault }
    throw error
  }
}

/**
 * Makes a composer throw its first fault. It would collect them all, each an error with its stack:
 * for a text of faults alone that takes seconds.
 */
function stopAtFirstFault(composer: Composer): void {
  let first: FaultFound | undefined
  const value = (at: Place, _code: string, message: string, isWarning?: boolean) => {
    if (isWarning === true) return
    // the library catches what is thrown in a collection and reports it again, from further out
    first ??= new FaultFound(offsetAt(at), 'SYNTAX', `invalid YAML: ${message}`)
    throw first
  }
  Object.defineProperty(composer, 'onError', { value })
}

/** Where the library says that a fault is. */
type Place = number | readonly [number, number] | { readonly offset: number }

function offsetAt(at: Place): number {
  if (typeof at === 'number') return at
  return 'offset' in at ? at.offset : at[0]
}

/**
 * Reads YAML 1.2 core text into plain data. Refused besides what {@link readTokens} refuses:
 * duplicate keys, merge keys, keys that are no strings, numbers that are no plain integers.
 *
 * @param source the text, without a byte order mark
 */
export function readYaml(source: string): YamlResult<YamlDocument> {
  const composed = compose(source)
  if (!composed.ok) return composed
  if (composed.value === undefined) {
    return { ok: true, value: { value: null, offsets: new Map(), differences: [] } }
  }
  const reader = new Reader(composed.value)
  try {
    const value = reader.read(asNode(composed.value.contents), '', 0, 1)
    const { offsets, differences } = reader
    return { ok: true, value: { value, offsets, differences } }
  } catch (error) {
    if (error instanceof FaultFound) return { ok: false, fault: error.fault }
    throw error
  }
}
