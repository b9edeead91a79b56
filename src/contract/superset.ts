// SPDX-License-Identifier: Apache-2.0
// What `ambit.contract.v1` adds to a command. Every field may be left out, and what is left out is
// denied or is the strictest choice.
import * as z from 'zod'
import { absolutePath, fault, text, uniqueBy } from './fields.js'
import { hostPort } from './hosts.js'
import { quote } from './issues.js'

/** The bounds of the fields that `ambit.contract.v1` adds. */
const SUPERSET_LIMITS = {
  /** Hosts, denied paths, secrets or artifact globs of one command. */
  maxItems: 256,
  /** Characters of a text for stdin. */
  maxStdinText: 262_144,
}

/** How a variable of the environment may be called. */
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,255}$/

const variableName = () =>
  z
    .string()
    .check((context) => {
      if (VARIABLE_NAME.test(context.value)) return
      const message = `must be the name of a variable, not ${quote(context.value)}`
      context.issues.push(fault('NOT_A_VARIABLE', message, context.value))
    })
    .meta({ pattern: VARIABLE_NAME.source })

const Stdin = z
  .strictObject({
    text: text(0, SUPERSET_LIMITS.maxStdinText)
      .optional()
      .describe('Given to the command as it is, in UTF-8.'),
    file: absolutePath().optional().describe('A file in the scope of the command.'),
    inherit: z
      .literal(true)
      .optional()
      .describe('What the runner itself reads, copied on as it comes.'),
  })
  .check((context) => {
    const { text: given, file, inherit } = context.value
    if ([given, file, inherit].filter((it) => it !== undefined).length === 1) return
    const message = 'must have exactly one of `text`, `file` and `inherit`'
    context.issues.push(fault('TEXT_XOR_FILE', message, {}))
  })
  .meta({ oneOf: [{ required: ['text'] }, { required: ['file'] }, { required: ['inherit'] }] })

const Secret = z
  .strictObject({
    name: text(1, 256).describe('As the policy names it; the policy says where it comes from.'),
    env: variableName().optional().describe('The variable in which the command finds it.'),
    file: absolutePath().optional().describe('The file in which the command finds it.'),
  })
  .check((context) => {
    const { env, file } = context.value
    if ((env === undefined) !== (file === undefined)) return
    context.issues.push(fault('ENV_XOR_FILE', 'must have exactly one of `env` and `file`', {}))
  })
  .meta({ oneOf: [{ required: ['env'] }, { required: ['file'] }] })

const Limits = z.strictObject({
  cpu_sec: z.int().min(1).optional().describe('Processor time of one process, in seconds.'),
  memory_bytes: z.int().min(1_048_576).optional().describe('Memory of all its processes.'),
  max_processes: z.int().min(1).optional(),
  max_file_size_bytes: z.int().min(0).optional().describe('Of each file that it writes.'),
  max_open_files: z.int().min(8).optional().describe('Of one process.'),
  max_output_bytes: z.int().min(0).optional().describe('Of stdout and stderr together.'),
})

const list = <Item extends z.ZodType>(item: Item) => z.array(item).max(SUPERSET_LIMITS.maxItems)

/** The fields that `ambit.contract.v1` adds to a command. */
export const SUPERSET_SHAPE = {
  network_hosts: uniqueBy(list(hostPort('exact')), (host) => host)
    .optional()
    .describe('What the command may contact; needs `network` `allowlisted`.'),
  deny_paths: list(absolutePath())
    .optional()
    .describe('Holes in the trees that the command may read or write.'),
  stdin: Stdin.optional().describe('What the command reads from its standard input; else nothing.'),
  secrets: uniqueBy(list(Secret), ({ name }) => name)
    .optional()
    .describe('Secrets by name, and where the command finds each.'),
  on_missing_path: z
    .enum(['error', 'create', 'skip'])
    .optional()
    .describe(
      'What a path that does not exist means: an error (default), a write path to make, or nothing.',
    ),
  allow_exec_from_memory: z.boolean().optional(),
  write_mode: z
    .enum(['direct', 'overlay'])
    .optional()
    .describe('Whether writes reach the files themselves (default) or a layer above them.'),
  profile: z.enum(['strict', 'compat']).optional().describe('Of system calls; strict unless said.'),
  proc: z.enum(['masked', 'full']).optional().describe('What /proc shows; masked unless said.'),
  pty: z
    .boolean()
    .optional()
    .describe(
      'Whether the command gets a terminal of its own; unless `stdin` has a text, what the runner ' +
        'reads is typed into it.',
    ),
  limits: Limits.optional().describe('They narrow: the lesser of these and the runner’s holds.'),
  artifacts: list(absolutePath())
    .optional()
    .describe('Globs of files whose digests go into the receipt; `**` spans folders.'),
}
