// SPDX-License-Identifier: Apache-2.0
import { addon, canonicalize, requireText, unwrap } from '../native.js'
import type { InspectorRule, SequenceRule } from './rules-file.js'
import type { BuiltinInspector } from './types.js'

/** The inspectors that need no options. */
export const BUILTIN_INSPECTORS = ['egress', 'repetition', 'secrets', 'paths'] as const

/** The name of an inspector that needs no options. */
export type BuiltinName = (typeof BUILTIN_INSPECTORS)[number]

/** Options of {@link egress}. */
export interface EgressOptions {
  /**
   * The hosts that may be contacted, and no others: `host`, `*.host`, `host:port`. Nine hosts of code
   * and packages unless given.
   */
  readonly allowedHosts?: readonly string[]
  /** Further hosts. */
  readonly extraHosts?: readonly string[]
  /** Whether a host that is not listed is denied where it would be a warning. */
  readonly strict?: boolean
}

/** Finds what a call would send out of this machine, and what it would fetch and run. */
export function egress(options: EgressOptions = {}): BuiltinInspector {
  const { allowedHosts, extraHosts, strict } = options
  const hosts = { allowed_hosts: allowedHosts, extra_hosts: extraHosts }
  return builtin('egress', { kind: 'egress', ...hosts, strict })
}

/** Options of {@link repetition}. */
export interface RepetitionOptions {
  /** How often one call may be made in a row; 5 unless given. Any number works; 0 denies all. */
  readonly maxRepeats?: number
  /** Other numbers for single tools. */
  readonly tools?: Readonly<Record<string, number>>
  /** From which call of a run on there is a warning. */
  readonly warnAt?: number
  /** Names of further members that change with every call, besides `nonce`, `timestamp`, …. */
  readonly masks?: readonly string[]
}

/**
 * Finds calls that are made again and again: runs, cycles of up to four calls, and calls that
 * differ in white space or in volatile fields only.
 */
export function repetition(options: RepetitionOptions = {}): BuiltinInspector {
  const { maxRepeats, tools, warnAt, masks } = options
  const spec = { kind: 'repetition', max_repeats: maxRepeats, tools, warn_at: warnAt, masks }
  return builtin('repetition', spec)
}

/** Options of {@link secrets}. */
export interface SecretsOptions {
  /** Secrets that are known, as {@link fingerprint} returned them. */
  readonly fingerprints?: readonly string[]
  /** What a value is that looks random; `warn` unless given. */
  readonly random?: 'deny' | 'off' | 'warn'
  /** Names of parameters that hold credentials by design; `*` is any text. */
  readonly allowParams?: readonly string[]
}

/**
 * Finds credentials anywhere in a call: in well-known formats, known by fingerprint, or looking
 * random; as they are, or in base64, hexadecimal digits or percent-encoding. A finding never holds
 * what was found.
 */
export function secrets(options: SecretsOptions = {}): BuiltinInspector {
  const { fingerprints, random, allowParams } = options
  return builtin('secrets', { kind: 'secrets', fingerprints, random, allow_params: allowParams })
}

/**
 * Returns the fingerprint of a secret of 8 to 65,536 bytes, by which {@link secrets} finds it. Keep it
 * as the secret itself: who has it can try guesses.
 *
 * @throws {@link InspectError} `ERR_INSPECT_OPTIONS` for a secret of another length
 */
export function fingerprint(secret: string | Uint8Array): string {
  if (typeof secret === 'string') requireText(secret)
  return unwrap(addon.fingerprintSecret(secret)).value
}

/** Options of {@link paths}. */
export interface PathsOptions {
  /** Paths that may be read and written whatever they are, such as `~/.npmrc`; `*` is any text. */
  readonly allow?: readonly string[]
  /** Folders from the root; with any, a path from the root that lies in none is denied. */
  readonly roots?: readonly string[]
}

/**
 * Finds reads of files that hold credentials, writes to files that make others run code, and paths
 * that climb out of where they start.
 */
export function paths(options: PathsOptions = {}): BuiltinInspector {
  const { allow, roots } = options
  return builtin('paths', { kind: 'paths', allow, roots })
}

/** Holds a session to rules on the order of its calls. */
export function sequence(list: readonly SequenceRule[]): BuiltinInspector {
  return builtin('sequence', { kind: 'sequence', rules: list })
}

/** Holds calls to the rules of a file; see `loadInspectorRules`. */
export function rules(list: readonly InspectorRule[]): BuiltinInspector {
  return builtin('rules', { kind: 'rules', rules: list })
}

/** Returns an inspector whose options are fixed from now on. */
function builtin(name: string, spec: BuiltinInspector['spec']): BuiltinInspector {
  return Object.freeze({ name, spec: Object.freeze(spec) })
}

/** Writes the options of some inspectors as the addon reads them. */
export function specText(inspectors: readonly BuiltinInspector[]): string {
  return canonicalize(JSON.stringify(inspectors.map(({ spec }) => spec)))
}
