// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../native.js'
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
