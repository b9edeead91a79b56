// SPDX-License-Identifier: Apache-2.0
// What `ambit.policy.v1` adds. Every field may be left out; what is left out is denied, or is the
// strictest choice.
import * as z from 'zod'
import {
  absolutePath,
  EFFECT_TYPES,
  fault,
  NETWORK_MODES,
  RISK_CLASSES,
  text,
  uniqueBy,
} from '../contract/fields.js'
import { hostPort } from '../contract/hosts.js'
import { quote } from '../contract/issues.js'

/** The greatest number of items in one list that `ambit.policy.v1` adds. */
const MAX_ITEMS = 512

const list = <Item extends z.ZodType>(item: Item) => z.array(item).max(MAX_ITEMS)

const names = (max = 256) => uniqueBy(list(text(1, max)), (name) => name)

const argv = z.array(text(1)).min(1).max(64)

const oneOf = (one: string, other: string) => ({
  oneOf: [{ required: [one] }, { required: [other] }],
})

/** One rule on argvs; see `argv-rules.ts` for what its conditions mean. */
const ArgvRule = z
  .strictObject({
    id: text(1, 64),
    program: text(1, 256).describe('Its name without folder, a whole path, or `*`.'),
    subcommands: names().min(1).optional().describe('Any of these as first operand.'),
    subcommands_except: names().min(1).optional().describe('Any first operand but these, or none.'),
    global_options: names().min(1).optional().describe('Any of these before the first operand.'),
    options: names().min(1).optional().describe('Any of these before `--`.'),
    arguments: names().min(1).optional().describe('Any argument like this; `*` is any text.'),
    value_options: names().optional().describe('Options that take the next argument.'),
    flag_options: names().optional().describe('Options that take none.'),
    effect: z.enum(['deny', 'needs_approval']),
    reason: text(1, 200).optional().describe('Why, for people.'),
    match: list(argv).min(1).describe('Examples to which the rule applies; tested when loaded.'),
    not_match: list(argv).optional().describe('Examples to which it does not.'),
  })
  .describe('Applies where every kind of condition that is given is met.')

/** 32 bytes: a digest or a public key. */
const hex32 = () =>
  z
    .string()
    .check((context) => {
      if (/^[0-9a-f]{64}$/.test(context.value)) return
      context.issues.push(fault('NOT_HEX', 'must be 64 lower-case hex digits', context.value))
    })
    .meta({ pattern: '^[0-9a-f]{64}$' })

const Executable = z.strictObject({
  name: text(1, 256).describe('The executable as argvs name it, without folder.'),
  path: absolutePath().describe('The only file that may run under this name.'),
  sha256: hex32().optional(),
})

const variables = () =>
  uniqueBy(
    list(
      z
        .string()
        .check((context) => {
          if (/^[A-Za-z_*][A-Za-z0-9_*]{0,255}$/.test(context.value)) return
          const message = `must be a variable's name, \`*\` for any text, not ${quote(context.value)}`
          context.issues.push(fault('NOT_A_VARIABLE', message, context.value))
        })
        .meta({ pattern: '^[A-Za-z_*][A-Za-z0-9_*]{0,255}$' }),
    ),
    (name) => name,
  )

const Secret = z
  .strictObject({
    name: text(1, 256),
    from_env: text(1, 256).optional().describe("A variable of the runner's environment."),
    from_file: absolutePath().optional().describe('A file that only its owner can read.'),
  })
  .check((context) => {
    const { from_env: env, from_file: file } = context.value
    if ((env === undefined) !== (file === undefined)) return
    const message = 'must have exactly one of `from_env` and `from_file`'
    context.issues.push(fault('ENV_XOR_FILE', message, {}))
  })
  .meta(oneOf('from_env', 'from_file'))

const Approvals = z.union([
  z.literal('unsigned'),
  z
    .strictObject({
      approvers: uniqueBy(
        list(
          z.strictObject({
            name: text(1, 256),
            public_key: hex32().describe('Ed25519, 64 lower-case hex digits.'),
          }),
        ),
        ({ public_key: key }) => key,
      ).min(1),
      required: z.int().min(1).default(1).describe('How many different approvers it takes.'),
      bind: z.enum(['contract', 'action']).default('contract'),
      scopes: z
        .array(z.enum(['single_execution', 'time_window']))
        .min(1)
        .default(['single_execution'])
        .describe('What approvals may be good for; for one run unless said.'),
      max_age_sec: z.int().min(1).max(31_536_000).optional(),
    })
    .check((context) => {
      const { approvers, required } = context.value
      if (required <= approvers.length) return
      const message = `must be at most ${approvers.length}, the number of approvers`
      context.issues.push(fault('OUT_OF_RANGE', message, required, ['required']))
    }),
])

const ApprovalRule = z
  .strictObject({
    id: text(1, 64),
    effect_types: uniqueBy(list(text(1)), (effect) => effect)
      .min(1)
      .optional(),
    risk_classes: z.array(z.enum(RISK_CLASSES)).min(1).optional(),
    network: z.array(z.enum(NETWORK_MODES)).min(1).optional(),
    write_prefixes: list(absolutePath()).min(1).optional(),
    reason: text(1, 200).optional(),
  })
  .describe('Asks for an approval where every condition that is given is met.')
  .check((context) => {
    const { effect_types, risk_classes, network, write_prefixes } = context.value
    if ([effect_types, risk_classes, network, write_prefixes].some((found) => found)) return
    context.issues.push(fault('NO_CONDITION', 'must have a condition', {}))
  })

/** What widens a sandbox and needs a grant. */
export const FEATURES = [
  'exec_from_memory',
  'proc_full',
  'profile_compat',
  'pty',
  'stdin_inherit',
] as const

/** Default protections of files in granted trees, which a policy can lift by name. */
const PROTECTIONS = ['auto_run', 'credentials', 'dotenv', 'git_config', 'git_hooks'] as const

/** The inspectors that a policy can name: they answer at once, and need no more than the command. */
const INSPECTORS = ['egress', 'repetition', 'secrets', 'paths'] as const

const RFC3339_UTC = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T\d{2}:\d{2}:\d{2}Z$/

/** A moment such as `2027-01-31T00:00:00Z`. */
const moment = () =>
  z
    .string()
    .check((context) => {
      const { value } = context
      const time = RFC3339_UTC.test(value) ? Date.parse(value) : Number.NaN
      // a day that its month does not have would move to the next one
      if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(value.slice(0, 19))) return
      const message = `must be a moment such as \`2027-01-31T00:00:00Z\`, not ${quote(value)}`
      context.issues.push(fault('NOT_A_MOMENT', message, value))
    })
    .meta({ format: 'date-time', pattern: 'Z$' })

/** The fields that `ambit.policy.v1` adds. */
export const SUPERSET_SHAPE = {
  expires_at: moment().optional().describe('From then on the policy denies everything.'),
  allow_inline_code: names()
    .optional()
    .describe('Executables, as written, that may be given code as text; in hardened mode only.'),
  argv_rules: uniqueBy(list(ArgvRule), ({ id }) => id).optional(),
  executables: uniqueBy(list(Executable), ({ name }) => name).optional(),
  allow_env: variables().optional().describe('Variables of the caller that may be let in.'),
  deny_env: variables().optional().describe('Variables that may not, whatever allow_env says.'),
  secrets: uniqueBy(list(Secret), ({ name }) => name).optional(),
  egress: uniqueBy(list(hostPort('below')), (rule) => rule)
    .optional()
    .describe('Hosts and ports that a command may contact when its network is allowlisted.'),
  allow_features: z.array(z.enum(FEATURES)).optional(),
  lift_protections: uniqueBy(z.array(z.enum(PROTECTIONS)), (name) => name)
    .optional()
    .describe('Default protections that do not hold: see docs/protections.md.'),
  approvals: Approvals.optional().describe('Who may approve; `unsigned` takes csc approvals.'),
  approval_rules: uniqueBy(list(ApprovalRule), ({ id }) => id).optional(),
  obligations: list(z.strictObject({ require: z.literal('clean_work_tree'), path: absolutePath() }))
    .optional()
    .describe('What must hold before a command starts.'),
  inspectors: uniqueBy(z.array(z.enum(INSPECTORS)), (name) => name)
    .optional()
    .describe('Who looks at each command; egress and repetition unless said, none for [].'),
  enforcement_floor: z.enum(['full', 'lite', 'none']).optional(),
  timeout_grace_ms: z
    .int()
    .min(0)
    .max(60_000)
    .optional()
    .describe(
      'How long before the end of its timeout a command in local mode gets SIGTERM; at most half ' +
        'the timeout counts. SIGKILL comes at the end.',
    ),
}

/** The effects and lists that csc wants to be non-empty; here an empty list allows nothing. */
export const RELAXED_SHAPE = {
  allow_commands: uniqueBy(z.array(z.string().min(1)), (name) => name),
  allowed_effect_types: uniqueBy(z.array(z.enum(EFFECT_TYPES)), (effect) => effect),
  allowed_risk_classes: uniqueBy(z.array(z.enum(RISK_CLASSES)), (risk) => risk),
  allowed_cwd_prefixes: z.array(absolutePath()),
  allowed_read_prefixes: z.array(absolutePath()),
}
