// SPDX-License-Identifier: Apache-2.0
// What the fields of one command of `ambit.contract.v1` say about each other.
import { climbs, isUnder, literalPrefix } from '../policy/paths.js'
import { fault } from './fields.js'
import { quote } from './issues.js'

/** The members of a command that are compared. */
interface Scoped {
  readonly cwd: string
  readonly read_paths: readonly string[]
  readonly write_paths: readonly string[]
  readonly deny_paths?: readonly string[] | undefined
  readonly network: string
  readonly env_allow: readonly string[]
  readonly network_hosts?: readonly string[] | undefined
  readonly stdin?: { readonly file?: string | undefined } | undefined
  readonly artifacts?: readonly string[] | undefined
  readonly secrets?: readonly { readonly env?: string | undefined }[] | undefined
}

type Fault = ReturnType<typeof fault>

/** Variables that the runner itself sets for every command. */
const OWN_VARIABLES = ['PATH', 'HOME']

/** Says whether a path lies in a tree that the command may read. */
function inScope(path: string, { cwd, read_paths, write_paths }: Scoped): boolean {
  if (climbs(path)) return false
  const trees = [cwd, ...[...read_paths, ...write_paths].map(literalPrefix)]
  return trees.some((tree) => tree !== '' && isUnder(literalPrefix(path), tree))
}

/** Says whether a path lies in a hole; what a glob matches is known when a run starts. */
function isDenied(path: string, { deny_paths: holes = [] }: Scoped): boolean {
  return holes.some((tree) => literalPrefix(tree) === tree && isUnder(path, tree))
}

function outside(path: string, at: PropertyKey[]): Fault {
  const message = `must lie in cwd, read_paths or write_paths, not ${quote(path)}`
  return fault('OUT_OF_SCOPE', message, path, at)
}

function stdinFaults(command: Scoped): readonly Fault[] {
  const { file } = command.stdin ?? {}
  if (file === undefined) return []
  if (!inScope(file, command)) return [outside(file, ['stdin', 'file'])]
  if (!isDenied(file, command)) return []
  const message = `must not lie in deny_paths: ${quote(file)}`
  return [fault('OUT_OF_SCOPE', message, file, ['stdin', 'file'])]
}

function secretFaults({ secrets = [], env_allow }: Scoped): readonly Fault[] {
  const taken = new Set([...OWN_VARIABLES, ...env_allow])
  const faults: Fault[] = []
  for (const [index, { env }] of secrets.entries()) {
    if (env === undefined) continue
    if (taken.has(env)) {
      const message = `must be a variable of its own; ${quote(env)} is taken`
      faults.push(fault('DUPLICATE_VARIABLE', message, env, ['secrets', index, 'env']))
    }
    taken.add(env)
  }
  return faults
}

/**
 * Returns what is wrong between the fields of a command: hosts without an allowlist, a file for
 * stdin or an artifact out of scope, a file for stdin in a hole, two values for one variable.
 *
 * @param command whose fields are valid each by itself
 */
export function scopeFaults(command: Scoped): readonly Fault[] {
  const { network, network_hosts: hosts, artifacts = [] } = command
  const faults = [...secretFaults(command), ...stdinFaults(command)]
  if (hosts !== undefined && network !== 'allowlisted') {
    const message = `needs network \`allowlisted\`, not \`${network}\``
    faults.push(fault('NEEDS_ALLOWLISTED', message, undefined, ['network_hosts']))
  }
  for (const [index, path] of artifacts.entries()) {
    if (!inScope(path, command)) faults.push(outside(path, ['artifacts', index]))
  }
  return faults
}
