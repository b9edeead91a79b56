// SPDX-License-Identifier: Apache-2.0
import { isUnder, literalPrefix } from '../policy/paths.js'
import type { Command } from './schema.js'

/** Says of one field whether its value asks for more than what always holds. */
type Asks = (command: Command) => boolean

const holds = (items: readonly unknown[] | undefined): boolean => (items?.length ?? 0) > 0

/** Only what a command could write is an artifact. */
const isUnderAny = (path: string, trees: readonly string[]): boolean =>
  trees.some((tree) => isUnder(literalPrefix(path), literalPrefix(tree)))

/** Fields that the sandbox does not enforce yet, whole or in part, and the values that ask for it. */
const NOT_ENFORCED: readonly (readonly [field: keyof Command, asks: Asks])[] = [
  ['network_hosts', ({ network_hosts: hosts }) => holds(hosts)],
  ['write_mode', ({ write_mode: value = 'direct' }) => value !== 'direct'],
  [
    'pty',
    ({ pty, pipeline, stdin }) =>
      pty === true && (pipeline !== undefined || stdin?.file !== undefined),
  ],
  [
    'artifacts',
    ({ artifacts = [], write_paths }) => !artifacts.every((path) => isUnderAny(path, write_paths)),
  ],
]

/**
 * Returns the fields of a command that this version understands and cannot enforce. A runner refuses
 * a command for which the list is not empty: nothing that was asked for is left out in silence.
 *
 * @param command a command that was parsed
 */
export function unsupportedFields(command: Command): readonly string[] {
  return NOT_ENFORCED.filter(([, asks]) => asks(command)).map(([field]) => field)
}
