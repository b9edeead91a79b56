// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { absolutePath, EFFECT_TYPES, fault, NETWORK_MODES, text } from './fields.js'
import { scopeFaults } from './scope.js'
import { SUPERSET_SHAPE } from './superset.js'

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

/** The fields of a command of `csc.v0.1`. */
const CSC_SHAPE = {
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
}

const ONE_OF = { oneOf: [{ required: ['exec'] }, { required: ['pipeline'] }] }

interface Argvs {
  readonly exec?: unknown
  readonly pipeline?: unknown
}

function checkArgvs(context: { readonly value: Argvs; readonly issues: unknown[] }): void {
  const { exec, pipeline } = context.value
  if ((exec === undefined) === (pipeline === undefined)) {
    const message = 'must have exactly one of `exec` and `pipeline`'
    context.issues.push(fault('EXEC_XOR_PIPELINE', message, undefined))
  }
}

/** A command of `csc.v0.1`. */
export const CscCommandSchema = z.strictObject(CSC_SHAPE).check(checkArgvs).meta(ONE_OF)

/** A command of `ambit.contract.v1`. */
export const CommandSchema = z
  .strictObject({ ...CSC_SHAPE, ...SUPERSET_SHAPE })
  .check((context) => {
    checkArgvs(context)
    context.issues.push(...scopeFaults(context.value))
  })
  .meta(ONE_OF)
