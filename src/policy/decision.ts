// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import type { ReasonCode } from './reason-codes.js'

/** The version that every decision carries. */
export const DECISION_VERSION = 'ambit.policy-decision.v1'

/** The greatest number of reasons that a decision lists; its codes are always complete. */
export const MAX_REASONS = 200

const digest = () => z.string().regex(/^[0-9a-f]{64}$/)

const code = () =>
  z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/)
    .describe('From the registry of reason codes, which grows: tolerate unknown ones.')

const Reason = z.strictObject({
  code: code(),
  message: z.string().min(1).describe('For people; hostile text is not escaped here.'),
  command_id: z.string().min(1).optional(),
  value: z
    .union([z.string(), z.int(), z.array(z.string())])
    .optional()
    .describe('What the reason is about: a path, a host, a number, an argv.'),
  source: z.string().min(1).optional().describe('The rule, as file:line:column.'),
})

const ClassifiedEffect = z.strictObject({
  command_id: z.string().min(1),
  effect_type: z.string().min(1),
})

const Finding = z.strictObject({
  command_id: z.string().min(1),
  inspector: z.string().min(1),
  code: code(),
  severity: z.enum(['deny', 'warn']),
  message: z.string().describe('For people; hostile text is not escaped here.'),
})

/** What the runner has to see to before a command starts; one it does not know stops it. */
const Obligation = z.union([
  z.strictObject({ require: z.literal('clean_work_tree'), path: z.string() }),
  z.strictObject({
    require: z.literal('enforcement_floor'),
    tier: z.enum(['full', 'lite', 'none']),
  }),
  z.strictObject({
    require: z.literal('executable'),
    command_id: z.string(),
    name: z.string().describe('As the argv names it.'),
    path: z.string(),
    sha256: digest().optional(),
  }),
])

/** The decision document; the source of its JSON Schema. */
export const PolicyDecisionSchema = z
  .strictObject({
    decision_version: z.literal(DECISION_VERSION),
    contract_id: z.string().min(1),
    contract_sha256: digest(),
    policy_profile: z.string().min(1),
    policy_sha256: digest(),
    mode: z.enum(['local', 'hardened']),
    decision: z.enum(['allow', 'deny', 'needs_approval']),
    reason_codes: z
      .array(code())
      .min(1)
      .meta({ uniqueItems: true })
      .describe('All that apply, sorted.'),
    reasons: z
      .array(Reason)
      .min(1)
      .max(MAX_REASONS)
      .describe("csc's reasons in csc's order, then ours in the order of the contract."),
    reasons_total: z.int().min(1).describe('How many there were before the list was cut.'),
    classified_effects: z.array(ClassifiedEffect),
    findings: z
      .array(Finding)
      .min(1)
      .max(MAX_REASONS)
      .optional()
      .describe('What inspectors found; a warning changes nothing.'),
    obligations: z.array(Obligation).min(1).optional(),
    expires_at: z
      .string()
      .meta({ format: 'date-time' })
      .optional()
      .describe('The decision is not to be used from then on; present where the time was known.'),
  })
  .meta({ title: 'Ambit PolicyDecision v1' })

/** How a contract is to be run. */
export type Mode = 'hardened' | 'local'

/** Whether a contract may run. */
export type Verdict = 'allow' | 'deny' | 'needs_approval'

/** What the runner has to see to before a command starts. */
export type Obligation =
  | { readonly require: 'clean_work_tree'; readonly path: string }
  | { readonly require: 'enforcement_floor'; readonly tier: 'full' | 'lite' | 'none' }
  | {
      readonly require: 'executable'
      readonly command_id: string
      readonly name: string
      readonly path: string
      readonly sha256?: string
    }

/** Why a decision is what it is. */
export interface PolicyReason {
  readonly code: ReasonCode
  /** For people; csc-runner's text where it has one. Hostile text is not escaped here. */
  readonly message: string
  /** The command it is about; absent for the contract as a whole. */
  readonly command_id?: string
  /** What it is about: a path, a host, a number, an argv. */
  readonly value?: string | number | readonly string[]
  /** The rule of the policy, as `file:line:column`. */
  readonly source?: string
}

/** What an inspector found in a command. */
export interface CommandFinding {
  readonly command_id: string
  readonly inspector: string
  /** Such as `EGRESS_UPLOAD`. */
  readonly code: string
  /** `deny` denies the contract, with `INSPECTOR_DENIED`; `warn` changes nothing. */
  readonly severity: 'deny' | 'warn'
  /** For people. Hostile text is not escaped here; secrets never stand in it. */
  readonly message: string
}

/** What a policy says about a contract. */
export interface PolicyDecision {
  readonly decision_version: typeof DECISION_VERSION
  readonly contract_id: string
  /** See `contractHash`. */
  readonly contract_sha256: string
  /** The name of the policy. */
  readonly policy_profile: string
  /** See `Policy.hash`. */
  readonly policy_sha256: string
  readonly mode: Mode
  readonly decision: Verdict
  /** Every code that applies, sorted and unique. */
  readonly reason_codes: readonly ReasonCode[]
  /** csc's reasons in csc's order, then ours; at most {@link MAX_REASONS}. */
  readonly reasons: readonly PolicyReason[]
  /** How many reasons there were before the list was cut. */
  readonly reasons_total: number
  /** What each command does, as far as its argv tells; every effect of a command once. */
  readonly classified_effects: readonly {
    readonly command_id: string
    readonly effect_type: string
  }[]
  /** What inspectors found, at most {@link MAX_REASONS}; absent where they found nothing. */
  readonly findings?: readonly CommandFinding[]
  /** What the runner has to see to; absent where the policy asks for nothing. */
  readonly obligations?: readonly Obligation[]
  /** RFC 3339 in UTC; absent where the time of the decision was not given. */
  readonly expires_at?: string
}
