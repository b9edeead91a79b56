// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { CommandSchema, CONTRACT_LIMITS, CscCommandSchema } from './command.js'
import { absolutePath, type DeepReadonly, fault, RISK_CLASSES, text } from './fields.js'
import { quote } from './issues.js'

const Actor = z.strictObject({
  agent_id: text(1),
  session_id: text(1),
  initiating_user: text(1),
  delegation_scope: text(1),
})

/** Commands of one contract, whose ids differ. */
function commandsOf<Item extends z.ZodType<{ readonly id: string }>>(command: Item) {
  return z
    .array(command)
    .min(1)
    .max(CONTRACT_LIMITS.maxCommands)
    .check((context) => {
      const seen = new Set<string>()
      for (const [index, { id }] of context.value.entries()) {
        if (seen.has(id)) {
          const message = `must be unique; ${quote(id)} is taken`
          context.issues.push(fault('DUPLICATE_ID', message, undefined, [index, 'id']))
        }
        seen.add(id)
      }
    })
    .meta({ description: 'Run in order. The id of a command is unique within its contract.' })
}

/** Returns the members of a contract of some version. */
function members<Version extends z.ZodType, Item extends z.ZodType<{ readonly id: string }>>(
  version: Version,
  command: Item,
) {
  return {
    version,
    contract_id: text(8, 128),
    intent: text(1, 1000),
    actor: Actor,
    commands: commandsOf(command),
    risk_class: z.enum(RISK_CLASSES),
    approval_mode: z.enum(['policy_only', 'human_required', 'dual_control_required']),
    expected_outputs: z.array(absolutePath()).default([]),
    justification: text(1, 4000),
  }
}

/** The `csc.v0.1` contract as published, with the runner's bounds; the source of its JSON Schema. */
export const CscContractSchema = z
  .strictObject(members(z.literal('csc.v0.1'), CscCommandSchema))
  .meta({ title: 'CSC CommandContract v0.1' })

/** The `ambit.contract.v1` contract: csc's, with more fields in a command. */
export const AmbitContractSchema = z
  .strictObject(members(z.literal('ambit.contract.v1'), CommandSchema))
  .meta({ title: 'Ambit CommandContract v1' })

const VERSIONS = ['csc.v0.1', 'ambit.contract.v1'] as const

/** For a document of no version that is known: says which are. */
const UnknownContractSchema = z.strictObject(members(z.enum(VERSIONS), CommandSchema))

/**
 * Returns the schema of the version that a document names.
 *
 * @param document plain data
 */
export function contractSchemaOf(document: unknown): z.ZodType<Contract> {
  const named = z.object({ version: z.unknown() }).safeParse(document)
  const version = named.data?.version
  if (version === 'csc.v0.1') return CscContractSchema
  return version === 'ambit.contract.v1' ? AmbitContractSchema : UnknownContractSchema
}

/** What an agent asks for: who asks, why, and every command with its scope. */
export type Contract = DeepReadonly<
  Omit<z.output<typeof AmbitContractSchema>, 'version'> & {
    version: (typeof VERSIONS)[number]
  }
>

/** One command of a contract, with the scope it asks for. */
export type Command = Contract['commands'][number]

/** A contract that was read, with its digest. */
export type LoadedContract = Contract & {
  /** SHA-256 of the contract's canonical text: 64 lower-case hex digits. See {@link Contract}. */
  readonly hash: string
}

/**
 * Returns the argument vectors that a command would start: one, or one for each pipeline segment.
 *
 * @param command a command that was parsed
 */
export function argvVectors(command: Command): readonly (readonly string[])[] {
  if (command.exec !== undefined) return [command.exec.argv]
  return command.pipeline?.segments.map((segment) => segment.argv) ?? []
}
