// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os'
import { ConfigError } from '../../errors.js'

const NAMES: ReadonlyMap<number, string> = new Map(
  // where a number has two names the first one is the usual one
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
)

/** Returns the name of a signal; `SIG` and the number for one that has none. */
export function nameOf(signal: number): string {
  return NAMES.get(signal) ?? `SIG${signal}`
}

/**
 * Returns the number of a signal; 0 asks only whether there is a process.
 *
 * @throws {@link ConfigError} `ERR_CONFIG_INVALID` for a signal that there is not
 */
export function numberOf(signal: string | number = 'SIGTERM'): number {
  const known = [...NAMES].find(([number, name]) => number === signal || name === signal)
  if (known !== undefined) return known[0]
  if (signal === 0) return signal
  throw new ConfigError('ERR_CONFIG_INVALID', `there is no signal ${JSON.stringify(signal)}`)
}
