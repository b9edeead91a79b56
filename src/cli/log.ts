// SPDX-License-Identifier: Apache-2.0
// What the commands about checkpoints share.
import { Flags } from '@oclif/core'
import { type AmbitError, Ledger, Signer, findHome, writeReceipt } from '../index.js'
import { AmbitCommand, oneLine } from './command.js'

const EXIT_FAILED = 1
const EXIT_MALFORMED = 2
const EXIT_KEY = 5
const EXIT_INCOMPLETE = 6
const EXIT_UNREADABLE = 7
const EXIT_USAGE = 64

const EXIT_CODES: Readonly<Record<string, number>> = {
  ERR_CONFIG_INVALID: EXIT_USAGE,
  ERR_CONFIG_USAGE: EXIT_USAGE,
  ERR_LEDGER_ENTRY_UNKNOWN: EXIT_UNREADABLE,
  ERR_LEDGER_FOREIGN: EXIT_UNREADABLE,
  ERR_LEDGER_FORKED: EXIT_INCOMPLETE,
  ERR_LEDGER_NOTE: EXIT_MALFORMED,
  ERR_LEDGER_NOTE_SIGNATURE: EXIT_KEY,
  ERR_LEDGER_PROOF: EXIT_INCOMPLETE,
  ERR_LEDGER_ROLLED_BACK: EXIT_INCOMPLETE,
  ERR_LEDGER_RUN_ID: EXIT_USAGE,
  ERR_LEDGER_UNAVAILABLE: EXIT_UNREADABLE,
  ERR_LEDGER_VERSION: EXIT_UNREADABLE,
  ERR_LEDGER_WITNESS_KEY: EXIT_KEY,
  ERR_RECEIPT_UNREADABLE: EXIT_UNREADABLE,
  ERR_RECEIPT_UNWRITABLE: EXIT_UNREADABLE,
}

/** What the exit codes of these commands mean, for their descriptions. */
export const LOG_EXITS =
  'exit codes: 0 done, 1 failed or damaged, 2 malformed, 5 wrong or unusable key, ' +
  '6 rolled back, forked or not proven, 7 missing or unreadable, 64 wrong usage'

/** A command about checkpoints. */
export abstract class LogCommand extends AmbitCommand {
  static readonly out = {
    out: Flags.string({ description: 'new file for it; else stdout', helpValue: 'FILE' }),
  }
  static readonly log = {
    ledger: Flags.string({
      description: 'folder of the ledger; else that of $AMBIT_HOME',
      helpValue: 'FOLDER',
    }),
  }

  protected exitCodeFor(error: AmbitError): number {
    const other = error.code.startsWith('ERR_KEY_') ? EXIT_KEY : EXIT_FAILED
    return EXIT_CODES[error.code] ?? other
  }

  /** Does something with the ledger that the flags name, and closes it. */
  protected async withLedger<T>(
    flags: { ledger?: string | undefined },
    access: 'append' | 'read',
    work: (ledger: Ledger) => Promise<T>,
  ): Promise<T> {
    const folder = flags.ledger ?? findHome(process.env).ledger
    const ledger = new Ledger(folder, { readOnly: access === 'read', mustExist: true })
    try {
      return await work(ledger)
    } finally {
      ledger.close()
    }
  }

  /** Loads the key that the flags name, or that of the own home. */
  protected signerOf(flags: { 'signing-key'?: string | undefined }): Signer {
    return new Signer(flags['signing-key'] ?? findHome(process.env).signingKey)
  }

  /** Writes a document where the flags say, unless it stands in the JSON; says the line. */
  protected async deliver(out: string | undefined, document: string, line: string): Promise<void> {
    if (out !== undefined) await writeReceipt(out, document)
    else if (!this.json) process.stdout.write(document)
    this.say(out === undefined ? line : `${line}\n    ${oneLine(out)}`)
  }
}
