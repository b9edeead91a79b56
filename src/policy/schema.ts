// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import {
  absolutePath,
  type DeepReadonly,
  EFFECT_TYPES,
  NETWORK_MODES,
  RISK_CLASSES,
  text,
  uniqueBy,
} from '../contract/fields.js'
import type { Position } from '../contract/locate.js'
import type { Rules } from './rules.js'
import { RELAXED_SHAPE, SUPERSET_SHAPE } from './ambit-schema.js'

/** The bounds of a policy file. */
export const POLICY_LIMITS = {
  /** Size of the file in bytes. */
  maxBytes: 524_288,
  /** Nesting of lists and mappings; a valid policy needs 3. */
  maxDepth: 16,
  /** Uses of aliases in one file. */
  maxAliases: 64,
  /** Values of one file, with aliases written out. */
  maxValues: 200_000,
}

/** A list of names without repeated items. */
const unique = <Item extends z.ZodType<string>>(item: Item) =>
  uniqueBy(z.array(item), (value) => value)

// A policy may hold any character that YAML can write, as the published schema says: no U+0000
// rule here. A name with U+0000 matches nothing, since no contract can hold one.
const name = () => z.string().min(1)

/** The fields of a csc policy besides its version. */
const CSC_SHAPE = {
  name: text(1).describe('Names the policy in decisions and receipts, as `policy_profile`.'),
  allow_commands: unique(name()).min(1).describe('Executables that may run, exactly as written.'),
  deny_argv_prefixes: z
    .array(z.array(name()).min(1))
    .default([])
    .describe('An argv that starts with one of these is denied.'),
  allowed_effect_types: unique(z.enum(EFFECT_TYPES))
    .min(1)
    .describe('Effects that a command may propose.'),
  manual_approval_for_classified_effect_types: unique(name())
    .default([])
    .describe('Effects, as classified, that need an approval.'),
  allowed_risk_classes: unique(z.enum(RISK_CLASSES)).min(1),
  max_timeout_sec: z.int().min(1).describe('Longest timeout of one command, in seconds.'),
  network: z.enum(NETWORK_MODES).describe('Most network access that a command may ask for.'),
  allow_secret_refs: z.boolean(),
  require_write_paths_empty: z
    .boolean()
    .default(false)
    .describe('Denies every command with write paths; allowed_write_prefixes then has no use.'),
  allowed_cwd_prefixes: z.array(absolutePath()).min(1),
  allowed_read_prefixes: z.array(absolutePath()).min(1),
  allowed_write_prefixes: z.array(absolutePath()).default([]),
  allowed_egress_hosts: unique(name())
    .default([])
    .describe('Hosts that may be named when the network is allowlisted.'),
}

/** The `csc.policy.v0.1` policy as published; the source of its JSON Schema. */
export const CscPolicySchema = z
  .strictObject({ policy_schema_version: z.literal('csc.policy.v0.1'), ...CSC_SHAPE })
  .meta({ title: 'CSC Policy Profile v0.1' })

/** The `ambit.policy.v1` policy: csc's fields, and more. */
export const AmbitPolicySchema = z
  .strictObject({
    policy_schema_version: z.literal('ambit.policy.v1'),
    ...CSC_SHAPE,
    ...RELAXED_SHAPE,
    ...SUPERSET_SHAPE,
  })
  .meta({ title: 'Ambit Policy v1' })

const VERSIONS = ['csc.policy.v0.1', 'ambit.policy.v1'] as const

/** For a document of no version that is known: says which are. */
const UnknownPolicySchema = z.strictObject({
  policy_schema_version: z.enum(VERSIONS),
  ...CSC_SHAPE,
  ...RELAXED_SHAPE,
  ...SUPERSET_SHAPE,
})

/** The rules of a policy, with the schema's defaults filled in. */
export type PolicyDocument = DeepReadonly<
  Omit<z.output<typeof AmbitPolicySchema>, 'policy_schema_version'> & {
    policy_schema_version: (typeof VERSIONS)[number]
  }
>

/**
 * Returns the schema of the version that a document names.
 *
 * @param document plain data
 */
export function policySchemaOf(document: unknown): z.ZodType<PolicyDocument> {
  const named = z.object({ policy_schema_version: z.unknown() }).safeParse(document)
  const version = named.data?.policy_schema_version
  if (version === 'csc.policy.v0.1') return CscPolicySchema
  return version === 'ambit.policy.v1' ? AmbitPolicySchema : UnknownPolicySchema
}

/** Where the rules of a policy stand in its file. */
export interface PolicyPlaces {
  /**
   * Returns where a rule stands.
   *
   * @param path such as `network` or `deny_argv_prefixes[2]`
   * @returns undefined for a rule that the file leaves out
   */
  at(path: string): Position | undefined
  /** Plain scalars that YAML 1.1 reads otherwise than YAML 1.2, and so csc-runner. */
  readonly differences: readonly Difference[]
}

/** A plain scalar that YAML 1.1 reads otherwise. */
export interface Difference extends Position {
  /** As written. */
  readonly source: string
  /** What YAML 1.1 reads, in words. */
  readonly yaml11: string
}

/** A policy that was read. */
export interface Policy {
  /** What the rules say. */
  readonly document: PolicyDocument
  /** The same, ready to be applied. */
  readonly rules: Rules
  /** SHA-256 of the canonical JSON of the file as loaded: 64 lower-case hex digits. */
  readonly hash: string
  /** What errors and decisions call the file. */
  readonly sourceName: string
  /** Where each rule stands. */
  readonly places: PolicyPlaces
}
