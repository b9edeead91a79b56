// SPDX-License-Identifier: Apache-2.0
import { Flags } from '@oclif/core'
import type { Secret } from '../index.js'

/** Flags of every command that uses a private key. A passphrase itself is never a flag. */
export const PASSPHRASE_FLAGS = {
  'passphrase-file': Flags.string({
    description: 'file with the passphrase of the private key; only its owner may read it',
    helpValue: 'FILE',
    exclusive: ['passphrase-env'],
  }),
  'passphrase-env': Flags.string({
    description: 'environment variable with the passphrase of the private key',
    helpValue: 'NAME',
    exclusive: ['passphrase-file'],
  }),
}

interface PassphraseFlags {
  readonly json?: boolean
  readonly 'passphrase-file'?: string | undefined
  readonly 'passphrase-env'?: string | undefined
}

/** Returns where the passphrase is: where the flags say, else on the terminal, if there is one. */
export function secretOf(flags: PassphraseFlags): Secret {
  return namedSecret(flags) ?? { ask: process.stdin.isTTY && flags.json !== true }
}

/** Returns where the flags say that the passphrase is. */
export function namedSecret(flags: PassphraseFlags): Secret | undefined {
  const [file, variable] = [flags['passphrase-file'], flags['passphrase-env']]
  if (file !== undefined) return { file }
  return variable === undefined ? undefined : { variable }
}
