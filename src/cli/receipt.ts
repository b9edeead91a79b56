// SPDX-License-Identifier: Apache-2.0
// What the commands about receipts share.
import { existsSync } from 'node:fs'
import { Flags } from '@oclif/core'
import { type AmbitError, type Verdict, findHome, readReceipt, trustedKeys } from '../index.js'
import { AmbitCommand } from './command.js'

const EXIT_INVALID = 1
const EXIT_MALFORMED = 2
const EXIT_KEY = 5
const EXIT_USAGE = 64
const EXIT_UNREADABLE = 7

/** The exit code of each error that is not told by its area. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  ERR_CONFIG_USAGE: EXIT_USAGE,
  ERR_RECEIPT_ENVELOPE_KEY: EXIT_KEY,
  ERR_RECEIPT_ENVELOPE_SIGNATURE: EXIT_INVALID,
  ERR_RECEIPT_UNREADABLE: EXIT_UNREADABLE,
  ERR_RECEIPT_UNWRITABLE: EXIT_UNREADABLE,
}

/** A command that reads one receipt or envelope. */
export abstract class ReceiptCommand extends AmbitCommand {
  protected exitCodeFor(error: AmbitError): number {
    return EXIT_CODES[error.code] ?? (error.code.startsWith('ERR_KEY_') ? EXIT_KEY : EXIT_MALFORMED)
  }
}

/** Returns the exit code of one receipt's verdict. */
export function exitOfVerdict({ status, code }: Verdict): number {
  if (status === 'valid') return 0
  if (code === 'UNKNOWN_KEY') return EXIT_KEY
  return status === 'invalid' ? EXIT_INVALID : EXIT_MALFORMED
}

/** The flags of the keys that are trusted. */
export const keyFlags = {
  key: Flags.string({
    description: 'public key file to trust; else the key in $AMBIT_HOME',
    helpValue: 'FILE',
    multiple: true,
  }),
  jwks: Flags.string({
    description: 'key set (JWKS) to trust, with its windows and revocations',
    helpValue: 'FILE',
    multiple: true,
  }),
}

/** Returns the keys that the flags name, or those that our home trusts when they name none. */
export async function trustedBy(flags: {
  readonly key?: readonly string[] | undefined
  readonly jwks?: readonly string[] | undefined
}): Promise<{ keys: { path: string }[]; jwks: Uint8Array[] }> {
  const { key = [], jwks = [] } = flags
  if (key.length === 0 && jwks.length === 0) {
    return trustedByDefault()
  }
  return {
    keys: key.map((path) => ({ path })),
    jwks: await Promise.all(jwks.map(async (path) => await readReceipt(path))),
  }
}

/**
 * Returns what is trusted when no key is named: the own key, under whatever id, the windows of all own
 * keys, and the keys of others that were trusted.
 */
export function trustedByDefault(): { keys: { path: string }[]; jwks: Uint8Array[] } {
  const home = findHome(process.env)
  const jwks = trustedKeys(home).map((set) => set.jwks)
  const own = existsSync(home.publicKey) || jwks.length === 0
  return { keys: own ? [{ path: home.publicKey }] : [], jwks }
}
