// SPDX-License-Identifier: Apache-2.0
import { AmbitError, ConfigError, InternalError } from '../errors.js'
import { type Signer, handleOf } from '../keys/signer.js'
import { addon, unwrapJson } from '../native.js'

/** A checkpoint that is durable in the ledger. */
export interface StoredCheckpoint {
  /** How many entries it covers, decimal digits. */
  readonly size: string
  /** The root of the tree over their digests, 64 hex digits. */
  readonly root: string
  /** The signed note (C2SP `tlog-checkpoint`). */
  readonly note: string
  /** When it was made, milliseconds since 1970-01-01T00:00:00Z. */
  readonly created_at_ms: number
}

/** When a ledger makes a checkpoint by itself. */
export interface CheckpointSchedule {
  /** After this many entries since the last one; 256 unless given. */
  readonly entries?: number | undefined
  /** With an entry since the last one, after this many milliseconds; 60,000 unless given. */
  readonly intervalMs?: number | undefined
}

const MOST = 0xffff_ffff

/** Makes checkpoints as a process appends. An append never waits for one, nor fails with it. */
export class Checkpointer {
  readonly #handle: InstanceType<typeof addon.LedgerHandle>
  readonly #entries: number
  readonly #intervalMs: number
  #since = 0
  #askedAtMs = Date.now()
  #making: Promise<void> | undefined
  #fault: AmbitError | undefined

  /** @throws {@link ConfigError} for a schedule of other than whole numbers from 1 */
  constructor(
    handle: InstanceType<typeof addon.LedgerHandle>,
    { entries = 256, intervalMs = 60_000 }: CheckpointSchedule = {},
  ) {
    for (const number of [entries, intervalMs]) {
      if (Number.isSafeInteger(number) && number >= 1 && number <= MOST) continue
      throw new ConfigError('ERR_CONFIG_INVALID', 'a checkpoint schedule has whole numbers from 1')
    }
    this.#handle = handle
    this.#entries = entries
    this.#intervalMs = intervalMs
  }

  /** Why the last checkpoint could not be made, if it could not. */
  get fault(): AmbitError | undefined {
    return this.#fault
  }

  /** Hears of an entry that is durable, and makes a checkpoint when it is time. */
  appended(signer: Signer): void {
    this.#since += 1
    const nowMs = Date.now()
    const waited = nowMs - this.#askedAtMs >= this.#intervalMs
    if (this.#making !== undefined || (this.#since < this.#entries && !waited)) return
    this.#making = this.#make(signer, { entries: this.#entries, intervalMs: this.#intervalMs })
  }

  /** Makes a checkpoint if there are entries since the last one; its failure is kept as `fault`. */
  async finish(signer: Signer): Promise<void> {
    await this.#making
    if (this.#since === 0) return
    await this.#make(signer, { entries: 1, intervalMs: 0 })
  }

  /** Makes a checkpoint of what is there. */
  async make(signer: Signer): Promise<StoredCheckpoint> {
    await this.#making
    const answer = await addon.checkpointLedger(this.#handle, handleOf(signer), Date.now())
    const made = unwrapJson<StoredCheckpoint>(answer)
    this.#since = 0
    this.#fault = undefined
    return made
  }

  async #make(signer: Signer, due: { entries: number; intervalMs: number }): Promise<void> {
    const nowMs = Date.now()
    const { entries, intervalMs } = due
    const before = this.#since
    this.#askedAtMs = nowMs
    try {
      const handle = handleOf(signer)
      unwrapJson(await addon.checkpointIfDue(this.#handle, handle, nowMs, entries, intervalMs))
      this.#since -= before
      this.#fault = undefined
    } catch (error) {
      this.#fault = error instanceof AmbitError ? error : new InternalError(String(error))
    } finally {
      this.#making = undefined
    }
  }
}
