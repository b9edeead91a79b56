// SPDX-License-Identifier: Apache-2.0
import { type Signer, handleOf } from '../keys/signer.js'
import { addon, unwrap, unwrapJson } from '../native.js'

/** What an entry means for its run. */
export type Phase = 'intent' | 'outcome' | 'refusal'

/** An entry that is durable in the ledger. */
export interface Recorded {
  /** Number of the entry, decimal digits. */
  readonly seq: string
  /** SHA-256 of the bytes, 64 hex digits. */
  readonly digest: string
  /** The exact bytes that were signed. */
  readonly bytes: Uint8Array
}

/** A run that was begun and whose process has ended. */
export interface OpenRun {
  readonly run_id: string
  readonly intent_seq: string
  /** The exact text of the intent. */
  readonly intent: string
}

/** An open ledger. */
export class Ledger {
  readonly #handle = new addon.LedgerHandle()
  /** The ledger's id, 32 hex digits. */
  readonly id: string

  /**
   * Opens the ledger in a folder, making it if there is none.
   *
   * @throws {@link LedgerError}
   */
  constructor(folder: string) {
    this.id = unwrap(this.#handle.open(folder)).value
  }

  /**
   * Signs a payload and appends it; it is durable when the promise resolves.
   *
   * @throws {@link LedgerError}, or {@link ReceiptError} for a payload that breaks its rules
   */
  async append(
    signer: Signer,
    entry: { phase: Phase; runId: string; createdAtMs: number; payload: string },
  ): Promise<Recorded> {
    const { phase, runId, createdAtMs, payload } = entry
    const answer = await this.#handle.append(phase, runId, createdAtMs, payload, handleOf(signer))
    const { seq, digest, bytes } = unwrap(answer)
    return { seq, digest, bytes }
  }

  /** Lists the runs that were begun and whose process has ended, oldest first. */
  orphans(): readonly OpenRun[] {
    return unwrapJson<OpenRun[]>(this.#handle.orphans())
  }

  /** Closes the ledger. */
  close(): void {
    this.#handle.close()
  }
}
