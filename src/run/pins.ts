// SPDX-License-Identifier: Apache-2.0
// The files that a policy lets run under a name, and their digests.
import { existsSync, realpathSync } from 'node:fs'
import { normalize } from 'node:path/posix'
import { SandboxError } from '../errors.js'
import type { PolicyDecision } from '../policy/index.js'
import { isWithin } from './paths.js'
import type { ProgramResult } from './result.js'

/** A file by its path and, where the policy names it, its digest. */
interface Pin {
  readonly path: string
  /** 64 hex digits. */
  readonly sha256?: string
}

/** What the policy says of the executables of one command, by the name that its argv writes. */
export type Pins = ReadonlyMap<string, Pin>

/** Returns the pins of one command. */
export function pinsOf({ obligations = [] }: PolicyDecision, commandId: string): Pins {
  const pins = new Map<string, Pin>()
  for (const obligation of obligations) {
    if (obligation.require !== 'executable' || obligation.command_id !== commandId) continue
    const { name, path, sha256 } = obligation
    pins.set(name, sha256 === undefined ? { path } : { path, sha256 })
  }
  return pins
}

/**
 * Refuses pinned files that a command of the contract may write: what was compared before the start
 * would not be what a later command starts.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_EXECUTABLE_CHANGED`
 */
export function refuseWritable(pins: Pins, writable: readonly string[]): void {
  for (const { path } of pins.values()) {
    const spellings = [normalize(path), ...(existsSync(path) ? [realpathSync(path)] : [])]
    if (!writable.some((tree) => spellings.some((file) => isWithin(file, tree)))) continue
    throw changed(`the policy names \`${path}\`, which the contract may write`)
  }
}

/**
 * Compares what is about to be started with what the policy names.
 *
 * @param programs of one command, with the digests of their files
 * @param pins of that command
 * @throws {@link SandboxError} `ERR_SANDBOX_EXECUTABLE_CHANGED`
 */
export function compareWithPins(programs: readonly ProgramResult[], pins: Pins): void {
  const known = new Map([...pins.values()].map(({ path, sha256 }) => [path, sha256]))
  for (const { executable, executable_hash: found } of programs) {
    const wanted = known.get(executable)
    if (wanted === undefined || found === `sha256:${wanted.toLowerCase()}`) continue
    const seen = found ?? 'one that cannot be read'
    throw changed(`the policy names \`${executable}\` with digest sha256:${wanted}, not ${seen}`)
  }
}

function changed(message: string): SandboxError {
  return new SandboxError('ERR_SANDBOX_EXECUTABLE_CHANGED', message)
}
