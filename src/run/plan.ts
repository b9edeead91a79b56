// SPDX-License-Identifier: Apache-2.0
import { normalize } from 'node:path/posix'
import { argvVectors, type Command, unsupportedFields } from '../contract/index.js'
import { InternalError, SandboxError } from '../errors.js'
import type { Mode } from '../policy/index.js'
import { literalPrefix } from '../policy/paths.js'
import { findExecutable } from './executable.js'
import { inputsOf, sandboxOnly } from './inputs.js'
import { isWithin } from './paths.js'
import type { Pins } from './pins.js'
import type { SecretPlace } from './secrets.js'

/** What a launch takes from the caller's machine. */
export interface PlanContext {
  /** In local mode nothing holds a command, so its plan gives it what it has anyway. */
  readonly mode: Mode
  /** How long before its timeout ends a command in local mode is asked to end, milliseconds. */
  readonly graceMs: number | undefined
  /** Environment of the caller; only what the contract names is passed on. */
  readonly env: NodeJS.ProcessEnv
  /** Names of variables that no command may see: passphrase and PIN. */
  readonly hiddenNames: readonly string[]
  /** Paths that no command may see: keys and ledger. */
  readonly hiddenPaths: readonly string[]
  /** Default protections that the policy lifts. */
  readonly lifted: readonly string[]
  /** Trees that some command of the contract may write. */
  readonly writable: readonly string[]
  /** What the policy lets contracts write, as it says it. */
  readonly writablePrefixes: readonly string[]
  /** The least tier that will do for a command in hardened mode. */
  readonly floor: Floor
  /** The files that the policy names for executables of this command. */
  readonly pins?: Pins
  /** Size of terminals. */
  readonly windowSize?: WindowSize | undefined
}

/** Size of a terminal, characters. */
export interface WindowSize {
  readonly columns: number
  readonly rows: number
}

/** The least tier that a command in hardened mode may run with. */
export type Floor = 'full' | 'lite'

/** A launch plan as the sandbox reads it; see `LaunchPlan` in crates/sandbox. */
export interface LaunchPlan extends Program {
  /** Further programs of a pipeline, each reading what the one before it writes. */
  readonly piped_into: readonly Program[]
  readonly stdin:
    | { readonly kind: 'bytes' | 'empty' | 'stream' }
    | { readonly kind: 'file'; readonly path: string }
  /** A terminal of the sandbox's own in place of the streams. */
  readonly terminal?: WindowSize
  /** Where the command finds secrets; their values are never part of a plan. */
  readonly secrets?: readonly SecretPlace[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly read_paths: readonly string[]
  readonly write_paths: readonly string[]
  readonly hidden_paths: readonly string[]
  readonly hidden_globs: readonly string[]
  readonly lifted_protections: readonly string[]
  readonly on_missing_path: 'error' | 'create' | 'skip'
  readonly profile: 'strict' | 'compat'
  readonly proc: 'masked' | 'full'
  readonly allow_exec_from_memory: boolean
  readonly network: 'deny' | 'full'
  readonly timeout_ms: number
  readonly grace_ms?: number
  readonly limits: Limits
  /** The least tier that will do; in local mode it means nothing. */
  readonly floor: Floor
}

/** What is executed, an absolute path, and its arguments, `argv[0]` included. */
export interface Program {
  readonly executable: string
  readonly argv: readonly string[]
}

type Limits = { readonly [Name in LimitName]?: number }
type LimitName = keyof NonNullable<Command['limits']>

/**
 * Limits of every command, since a csc contract names none: wide enough for builds and test suites,
 * narrow enough that a fork bomb or a runaway file ends. Memory has none unless a contract names it:
 * no number suits all, and what reserves address space must not be counted as what uses memory.
 */
export const DEFAULT_LIMITS = {
  max_processes: 1024,
  max_open_files: 16_384,
  max_file_size_bytes: 4 * 1024 ** 3,
} as const satisfies Limits

/** Where programs are looked for unless the contract lets the caller's PATH in. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Makes the launch plan of one command.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_UNSUPPORTED` for what this version cannot hold a command
 *   to, `ERR_SANDBOX_PLAN_INVALID` for paths of another system
 */
export function planOf(command: Command, context: PlanContext): LaunchPlan {
  const isLocal = context.mode === 'local'
  const { graceMs } = context
  const network = isLocal ? 'full' : command.network
  if (network === 'allowlisted') throw unsupported(command, 'network `allowlisted`')
  const [field] = [...unsupportedFields(command), ...(isLocal ? sandboxOnly(command) : [])]
  if (field !== undefined) throw unsupported(command, `\`${field}\``)
  const plain = (path: string) => plainPath(command, path)
  const cwd = plain(command.cwd)
  const read_paths = new Set([...treesOf(command, command.read_paths), cwd])
  const env = environmentOf(command, context)
  const [first, ...piped_into] = programsOf(command, { env, cwd }, context)
  if (first === undefined) throw new InternalError('a command has no argv')
  return {
    ...first,
    piped_into,
    ...inputsOf(command, { windowSize: context.windowSize, plain }),
    env,
    cwd,
    read_paths: [...read_paths].toSorted(),
    write_paths: treesOf(command, command.write_paths),
    ...hiddenOf(command, context),
    lifted_protections: context.lifted.toSorted(),
    on_missing_path: command.on_missing_path ?? 'error',
    ...surfaceOf(command),
    network,
    timeout_ms: command.timeout_sec * 1000,
    ...(graceMs !== undefined && { grace_ms: graceMs }),
    limits: isLocal ? outputLimitOf(command) : limitsOf(command),
    floor: context.floor,
  }
}

/** Returns the programs of a command, each by the file that its name stands for. */
function programsOf(
  command: Command,
  { env, cwd }: Pick<LaunchPlan, 'cwd' | 'env'>,
  context: PlanContext,
): readonly Program[] {
  const isTrusted = (folder: string) => isTrustedFolder(folder, context)
  const search = { path: env['PATH'] ?? '', cwd, isTrusted }
  return argvVectors(command).map((argv) => {
    const [name = ''] = argv
    const pinned = context.pins?.get(name)?.path
    return { executable: pinned ?? findExecutable(name, search), argv }
  })
}

const isGlob = (path: string): boolean => literalPrefix(path) !== path

/** Returns what is hidden of a command's trees: paths, and patterns in their one spelling. */
function hiddenOf(
  command: Command,
  { mode, hiddenPaths }: PlanContext,
): Pick<LaunchPlan, 'hidden_globs' | 'hidden_paths'> {
  if (mode === 'local') return { hidden_paths: [], hidden_globs: [] }
  const { deny_paths: holes = [] } = command
  return {
    hidden_paths: [
      ...hiddenPaths,
      ...treesOf(
        command,
        holes.filter((path) => !isGlob(path)),
      ),
    ],
    hidden_globs: holes.filter(isGlob).map((path) => plainPath(command, path)),
  }
}

/** What a command asks for beyond the strictest sandbox; its policy has granted it. */
function surfaceOf(command: Command) {
  const { profile = 'strict', proc = 'masked', allow_exec_from_memory = false } = command
  return { profile, proc, allow_exec_from_memory }
}

/** The lesser of what the contract says and what always holds. */
function limitsOf(command: Command): Limits {
  const { cpu_sec, memory_bytes, ...asked } = command.limits ?? {}
  const least = (name: keyof typeof DEFAULT_LIMITS) =>
    Math.min(asked[name] ?? DEFAULT_LIMITS[name], DEFAULT_LIMITS[name])
  return {
    ...outputLimitOf(command),
    ...(cpu_sec !== undefined && { cpu_sec }),
    ...(memory_bytes !== undefined && { memory_bytes }),
    max_processes: least('max_processes'),
    max_open_files: least('max_open_files'),
    max_file_size_bytes: least('max_file_size_bytes'),
  }
}

/** The limit that needs no kernel: in local mode too, whoever passes output on counts it. */
function outputLimitOf({ limits: { max_output_bytes } = {} }: Command): Limits {
  return max_output_bytes === undefined ? {} : { max_output_bytes }
}

/**
 * Returns whether programs in a folder are there by somebody else's will than a contract's: no
 * command of this contract may write it, nor any under the policy, but for the system's own folders,
 * which a prefix as wide as `/` does not make writable.
 */
export function isTrustedFolder(folder: string, context: PlanContext): boolean {
  const within = (tree: string) => isWithin(folder, normalize(tree).replace(/(?<=.)\/$/, ''))
  if (context.writable.some(within)) return false
  return DEFAULT_PATH.split(':').includes(folder) || !context.writablePrefixes.some(within)
}

function unsupported(command: Command, what: string): SandboxError {
  return new SandboxError(
    'ERR_SANDBOX_UNSUPPORTED',
    `command \`${command.id}\`: this version cannot hold a command to ${what}`,
  )
}

/** Returns the trees that scopes stand for: what comes before any glob, each once. */
export function treesOf(command: Command, scopes: readonly string[]): readonly string[] {
  return [...new Set(scopes.map((path) => plainPath(command, literalPrefix(path))))].toSorted()
}

/** Returns a path in the one spelling that names it; a final slash means nothing. */
function plainPath(command: Command, path: string): string {
  if (!path.startsWith('/') || path.startsWith('//')) {
    throw new SandboxError(
      'ERR_SANDBOX_PLAN_INVALID',
      `command \`${command.id}\`: the sandbox takes POSIX paths, not \`${path}\``,
    )
  }
  const plain = normalize(path)
  return plain === '/' ? plain : plain.replace(/\/$/, '')
}

/**
 * The environment is made new: PATH, a private HOME, and what the contract names. In local mode no
 * folder is private, so there is no HOME.
 */
function environmentOf(
  command: Command,
  { env, hiddenNames: hidden, mode }: PlanContext,
): Record<string, string> {
  const out = new Map([['PATH', DEFAULT_PATH]])
  if (mode === 'hardened') out.set('HOME', '/tmp')
  for (const name of command.env_allow) {
    if (hidden.includes(name)) {
      const message = `command \`${command.id}\` may not see \`${name}\`, which holds a secret of ours`
      throw new SandboxError('ERR_SANDBOX_PLAN_INVALID', message)
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value !== undefined) out.set(name, value)
  }
  return Object.fromEntries(out)
}
