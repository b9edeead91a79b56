// SPDX-License-Identifier: Apache-2.0
// What a run asked for, what it was given, and what was seen of it.
import { realpathSync } from 'node:fs'
import type { Command } from '../contract/index.js'
import { digestOf } from './file-digest.js'
import type { LaunchPlan } from './plan.js'
import type { CommandResult } from './result.js'

/** What a command may reach. Values of the environment and arguments never stand here. */
interface Reach {
  readonly command_id: string
  readonly read_paths: readonly string[]
  readonly write_paths: readonly string[]
  readonly network: string
  readonly env_names: readonly string[]
  /** Secrets by name; absent when there are none. */
  readonly secret_names?: readonly string[]
}

/** What was seen of a command that was started. */
interface Observed {
  readonly command_id: string
  readonly executable: string
  /** `sha256:` and the digest of the file right before the start; absent when it could not be read. */
  readonly executable_hash?: string
}

/** The three views of a run's scope. */
export interface Scope {
  /** What the contract asks, command by command. */
  readonly declared: readonly Reach[]
  /** What the launch plans gave; none when they could not be made. */
  readonly granted: readonly Reach[]
  /** What was seen of the commands that were started. */
  readonly observed: readonly Observed[]
  /** True when the lists were left out because they are too long for a receipt. */
  readonly truncated?: true
}

/** Room for the scope in a receipt, characters of JSON. */
const MAX_SCOPE = 256 * 1024

/** Returns the scope of a run. */
export function scopeOf(
  commands: readonly Command[],
  plans: readonly LaunchPlan[],
  results: readonly CommandResult[],
): Scope {
  const scope = {
    declared: commands.map(declared),
    granted: plans.map((plan, index) => granted(commands[index]?.id ?? '', plan)),
    observed: results.flatMap(observed),
  }
  if (JSON.stringify(scope).length <= MAX_SCOPE) return scope
  return { declared: [], granted: [], observed: [], truncated: true }
}

function declared(command: Command): Reach {
  return {
    command_id: command.id,
    read_paths: command.read_paths,
    write_paths: command.write_paths,
    network: command.network,
    env_names: command.env_allow,
    ...namesOf(command.secrets),
  }
}

function granted(id: string, plan: LaunchPlan): Reach {
  return {
    command_id: id,
    read_paths: plan.read_paths,
    write_paths: plan.write_paths,
    network: plan.network,
    env_names: Object.keys(plan.env).toSorted(),
    ...namesOf(plan.secrets),
  }
}

function namesOf(secrets: readonly { readonly name: string }[] = []): Pick<Reach, 'secret_names'> {
  return secrets.length === 0 ? {} : { secret_names: secrets.map(({ name }) => name).toSorted() }
}

function observed(result: CommandResult): readonly Observed[] {
  const programs = [result, ...(result.piped_into ?? [])]
  return programs.map(({ executable, executable_hash: hash }) => {
    const seen = { command_id: result.id, executable }
    return hash === undefined ? seen : Object.assign(seen, { executable_hash: hash })
  })
}

/** Largest executable whose digest is taken, bytes: what it costs is paid before every start. */
const MAX_EXECUTABLE = 16 * 1024 * 1024
/** Largest executable that a policy names by its digest, bytes. */
const MAX_PINNED = 1024 ** 3

/**
 * Returns `sha256:` and the digest of the file that is at the end of a path; nothing when unread.
 *
 * @param pinned whether the policy names the file, which then may be large
 */
export async function executableHash(path: string, pinned: boolean): Promise<string | undefined> {
  try {
    return `sha256:${(await digestOf(realpathSync(path), pinned ? MAX_PINNED : MAX_EXECUTABLE)).sha256}`
  } catch {
    return undefined // not there, not ours to read, too large: no claim
  }
}
