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
  /** When an entry has waited for this many milliseconds; 60,000 unless given. */
  readonly intervalMs?: number | undefined
}

const MOST = 0xffff_ffff
/** What a timer can wait for. */
const LONGEST_MS = 0x7fff_ffff

/** Makes checkpoints as a process appends. An append never waits for one, nor fails with it. */
export class Checkpointer {
  readonly #handle: InstanceType<typeof addon.LedgerHandle>
  readonly #entries: number
  readonly #intervalMs: number
  /** Entries since it was last asked whether a checkpoint is due. */
  #since = 0
  /** Entries since the last checkpoint that was made here. */
  #uncovered = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = false
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
    this.#uncovered += 1
    if (this.#since >= this.#entries) this.#ask(signer)
    this.#wait(signer)
  }

  /** Makes a checkpoint if there are entries since the last one; its failure is kept as `fault`. */
  async finish(signer: Signer): Promise<void> {
    await this.#making
    if (this.#uncovered > 0) await this.#make(signer, { entries: 1, intervalMs: 0 })
  }

  /** Makes a checkpoint of what is there. */
  async make(signer: Signer): Promise<StoredCheckpoint> {
    await this.#making
    const before = this.#uncovered
    const answer = await addon.checkpointLedger(this.#handle, handleOf(signer), Date.now())
    const made = unwrapJson<StoredCheckpoint>(answer)
    this.#covered(before)
    return made
  }

  /** Makes none by itself any more. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#stopped = true
  }

  /** Asks again when the time has come, unless the process has ended by then. */
  #wait(signer: Signer): void {
    if (this.#stopped || this.#timer !== undefined || this.#uncovered === 0) return
    const ask = () => {
      this.#timer = undefined
      this.#ask(signer)
    }
    this.#timer = setTimeout(ask, Math.min(this.#intervalMs, LONGEST_MS)).unref()
  }

  #ask(signer: Signer): void {
    if (this.#making !== undefined) return
    const due = { entries: this.#entries, intervalMs: this.#intervalMs }
    const making = async () => {
      await this.#make(signer, due)
      this.#making = undefined
      this.#wait(signer)
    }
    this.#making = making()
  }

  async #make(signer: Signer, due: { entries: number; intervalMs: number }): Promise<void> {
    const { entries, intervalMs } = due
    const before = this.#uncovered
    this.#since = 0
    try {
      const handle = handleOf(signer)
      const asked = addon.checkpointIfDue(this.#handle, handle, Date.now(), entries, intervalMs)
      if (unwrapJson<StoredCheckpoint | null>(await asked) !== null) this.#covered(before)
      this.#fault = undefined
    } catch (error) {
      this.#fault = error instanceof AmbitError ? error : new InternalError(String(error))
    }
  }

  #covered(entries: number): void {
    this.#uncovered = Math.max(0, this.#uncovered - entries)
    this.#fault = undefined
  }
}
