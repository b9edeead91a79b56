// SPDX-License-Identifier: Apache-2.0
import type { AmbitError } from '../errors.js'
import { type Signer, handleOf } from '../keys/signer.js'
import { addon, unwrap, unwrapJson } from '../native.js'
import { type CheckpointSchedule, Checkpointer, type StoredCheckpoint } from './checkpointer.js'

type LedgerHandle = InstanceType<typeof addon.LedgerHandle>

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

/** How a ledger is opened. */
export interface LedgerOptions {
  /** When checkpoints are made by themselves; see {@link CheckpointSchedule}. */
  readonly checkpoints?: CheckpointSchedule | undefined
}

/** Returns the addon's handle of a ledger, for the modules that share it. The package keeps it. */
export let ledgerHandleOf: (ledger: Ledger) => LedgerHandle

/** An open ledger. */
export class Ledger {
  static {
    ledgerHandleOf = (ledger) => ledger.#handle
  }

  readonly #handle = new addon.LedgerHandle()
  readonly #checkpointer: Checkpointer
  /** The ledger's id, 32 hex digits. */
  readonly id: string

  /**
   * Opens the ledger in a folder, making it if there is none.
   *
   * @throws {@link LedgerError}
   */
  constructor(folder: string, options: LedgerOptions = {}) {
    this.#checkpointer = new Checkpointer(this.#handle, options.checkpoints)
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
    this.#checkpointer.appended(signer)
    return { seq, digest, bytes }
  }

  /** Lists the runs that were begun and whose process has ended, oldest first. */
  orphans(): readonly OpenRun[] {
    return unwrapJson<OpenRun[]>(this.#handle.orphans())
  }

  /**
   * Makes a checkpoint of all entries and stores it; with nothing new since the last one, returns
   * that.
   *
   * @throws {@link LedgerError} `ERR_LEDGER_EMPTY` when there are no entries
   */
  async checkpoint(signer: Signer): Promise<StoredCheckpoint> {
    return await this.#checkpointer.make(signer)
  }

  /**
   * Makes the checkpoint of what this ledger appended since the last one, to be called before it is
   * closed. It never fails: what went wrong is {@link Ledger.checkpointFault}.
   */
  async finish(signer: Signer): Promise<void> {
    await this.#checkpointer.finish(signer)
  }

  /** Why the last checkpoint that was made by itself failed, if it did. */
  get checkpointFault(): AmbitError | undefined {
    return this.#checkpointer.fault
  }

  /** Closes the ledger. */
  close(): void {
    this.#handle.close()
  }
}
