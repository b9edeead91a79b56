// SPDX-License-Identifier: Apache-2.0
import type { AmbitError, OwnKey } from '../index.js'
import { oneLine } from './command.js'

const EXIT_USAGE = 64
const EXIT_KEY = 5
const EXIT_FAILURE = 1

/** What the descriptions of the commands about keys say. */
export const KEY_EXITS =
  'exit codes: 0 done, 5 unknown key or a log that is not to be believed, 1 else'

/** Returns the exit code of the commands about keys. */
export function keysExitCode({ code }: AmbitError): number {
  if (code === 'ERR_CONFIG_USAGE') return EXIT_USAGE
  const isTrust = code.startsWith('ERR_KEY_LOG_') || code === 'ERR_KEY_UNKNOWN'
  return isTrust ? EXIT_KEY : EXIT_FAILURE
}

/** Returns lines for a person about a key. */
export function keyWords(own: OwnKey): string {
  const times = [
    own.valid_from === null ? '' : `from ${own.valid_from}`,
    own.valid_until === null ? '' : `until ${own.valid_until}`,
    own.revoked_at === null ? '' : `revoked at ${own.revoked_at}`,
    own.reason === null ? '' : `(${oneLine(own.reason)})`,
  ].filter((text) => text !== '')
  const head = `${own.standing.padEnd(8)} ${own.key.thumbprint}  ${own.key.issuer_id}`
  return times.length === 0 ? head : `${head}\n    ${times.join(' ')}`
}
