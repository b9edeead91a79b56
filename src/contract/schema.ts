// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import {
  absolutePath,
  type DeepReadonly,
  EFFECT_TYPES,
  fault,
  NETWORK_MODES,
  RISK_CLASSES,
  text,
} from './fields.js'
import { quote } from './issues.js'

/** The bounds of a contract: the published schema's, and those csc-runner applies at run. */
export const CONTRACT_LIMITS = {
  /** Size of the file in bytes. */
  maxBytes: 1_048_576,
  /** Nesting of arrays and objects; a valid contract needs 7. */
  maxDepth: 64,
  /** Commands of one contract. */
  maxCommands: 20,
  /** Characters of the id of a command. */
  maxCommandId: 256,
  /** Segments of one pipeline. */
  maxSegments: 10,
  /** Elements of one argv. */
  maxArgv: 200,
  /** UTF-8 bytes of one argv element. */
  maxArgvElementBytes: 131_072,
}

const argvElement = text(1).check((context) => {
  if (Buffer.byteLength(context.value) > CONTRACT_LIMITS.maxArgvElementBytes) {
    const message = `must have at most ${CONTRACT_LIMITS.maxArgvElementBytes} bytes`
    context.issues.push(fault('TOO_LONG', message, undefined))
  }
})

const Exec = z.strictObject({
  argv: z.array(argvElement).min(1).max(CONTRACT_LIMITS.maxArgv),
})

const Pipeline = z.strictObject({
  segments: z.array(Exec).min(2).max(CONTRACT_LIMITS.maxSegments),
})

const CommandSchema = z
  .strictObject({
    id: text(1, CONTRACT_LIMITS.maxCommandId),
    exec: Exec.optional(),
    pipeline: Pipeline.optional(),
    cwd: absolutePath(),
    read_paths: z.array(absolutePath()),
    write_paths: z.array(absolutePath()),
    network: z.enum(NETWORK_MODES),
    env_allow: z.array(text(1)),
    secret_refs: z.array(text(1)),
    timeout_sec: z.int().min(1).max(86_400),
    proposed_effect_type: z.enum(EFFECT_TYPES),
  })
  .check((context) => {
    const { exec, pipeline } = context.value
    if ((exec === undefined) === (pipeline === undefined)) {
      const message = 'must have exactly one of `exec` and `pipeline`'
      context.issues.push(fault('EXEC_XOR_PIPELINE', message, undefined))
    }
  })
  .meta({ oneOf: [{ required: ['exec'] }, { required: ['pipeline'] }] })

const Actor = z.strictObject({
  agent_id: text(1),
  session_id: text(1),
  initiating_user: text(1),
  delegation_scope: text(1),
})

const Commands = z
  .array(CommandSchema)
  .min(1)
  .max(CONTRACT_LIMITS.maxCommands)
  .check((context) => {
    const seen = new Set<string>()
    for (const [index, { id }] of context.value.entries()) {
      if (seen.has(id)) {
        context.issues.push(
          fault('DUPLICATE_ID', `must be unique; ${quote(id)} is taken`, undefined, [index, 'id']),
        )
      }
      seen.add(id)
    }
  })
  .meta({ description: 'Run in order. The id of a command is unique within its contract.' })

/** The `csc.v0.1` contract as published, with the runner's bounds; the source of its JSON Schema. */
export const ContractSchema = z
  .strictObject({
    version: z.literal('csc.v0.1'),
    contract_id: text(8, 128),
    intent: text(1, 1000),
    actor: Actor,
    commands: Commands,
    risk_class: z.enum(RISK_CLASSES),
    approval_mode: z.enum(['policy_only', 'human_required', 'dual_control_required']),
    expected_outputs: z.array(absolutePath()).default([]),
    justification: text(1, 4000),
  })
  .meta({ title: 'CSC CommandContract v0.1' })

/** What an agent asks for: who asks, why, and every command with its scope. */
export type Contract = DeepReadonly<z.output<typeof ContractSchema>>

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
