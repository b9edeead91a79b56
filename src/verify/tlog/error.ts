// SPDX-License-Identifier: Apache-2.0

/** What is wrong with a note, a checkpoint or a proof; codes are those of crates/receipt. */
export type LogErrorCode =
  /** Not of the form of a note, a checkpoint, a proof file or a note key. */
  | 'ERR_LEDGER_NOTE'
  /** Not signed by a trusted key, or by too few witnesses. */
  | 'ERR_LEDGER_NOTE_SIGNATURE'
  /** A proof that does not hold. */
  | 'ERR_LEDGER_PROOF'

/** A note, checkpoint or proof that proves nothing. */
export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogErrorCode
  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
