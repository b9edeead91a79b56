// SPDX-License-Identifier: Apache-2.0
import { type AmbitError, ConfigError, LedgerError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import { addon, unwrap, unwrapJson } from '../native.js'
import { Appender } from './appender.js'
import { type CheckpointSchedule, Checkpointer, type StoredCheckpoint } from './checkpointer.js'
import type {
  CollectedGarbage,
  LedgerEntry,
  LedgerFilter,
  LedgerStatus,
  Moved,
  NamedApproval,
  OpenRun,
  ProgressListener,
  QueryOptions,
  Recorded,
  Submission,
} from './types.js'

/** How a ledger is opened. */
export interface LedgerOptions {
  /** Changes nothing, and refuses to append; the ledger must exist. */
  readonly readOnly?: boolean | undefined
  /** Fails where there is no ledger, instead of making one. */
  readonly mustExist?: boolean | undefined
  /** When checkpoints are made by themselves; see {@link CheckpointSchedule}. */
  readonly checkpoints?: CheckpointSchedule | undefined
}

/** How a ledger is passed on. */
export interface TransferOptions {
  readonly onProgress?: ProgressListener | undefined
}

/** How a ledger is exported. */
export interface LedgerExportOptions extends TransferOptions {
  /** `lines` for one file of JSON Lines, `files` for a folder with a file for each receipt. */
  readonly form: 'files' | 'lines'
}

type LedgerHandle = InstanceType<typeof addon.LedgerHandle>

/** Returns the addon's handle of a ledger, for the modules that share it. The package keeps it. */
export let ledgerHandleOf: (ledger: Ledger) => LedgerHandle

const PAGE = 256
const PROGRESS_MS = 100

/**
 * An open ledger: entries in order, kept for good, each signed at its place.
 *
 * @example
 * using ledger = Ledger.open('/srv/shop/ledger', { readOnly: true })
 * for await (const entry of ledger.query({ decision: 'deny' })) console.log(entry.document)
 */
export class Ledger {
  static {
    ledgerHandleOf = (ledger) => ledger.#handle
  }

  readonly #handle = new addon.LedgerHandle()
  readonly #appender = new Appender(this.#handle)
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
    const { readOnly = false, mustExist = false } = options
    if (mustExist && !readOnly) this.#mustExist(folder)
    const opened = readOnly ? this.#handle.openReadOnly(folder) : this.#handle.open(folder)
    this.id = unwrap(opened).value
  }

  /**
   * Opens the ledger in a folder, making it if there is none; the same as the constructor.
   *
   * @throws {@link LedgerError}
   */
  static open(folder: string, options: LedgerOptions = {}): Ledger {
    return new Ledger(folder, options)
  }

  /**
   * Signs a payload and appends it; it is durable when the promise resolves. Appends that are asked
   * for at the same time share one write to the disk.
   *
   * @throws {@link LedgerError}, or {@link ReceiptError} for a payload that breaks its rules or
   *   names another run; {@link ConfigError} for a time that is no whole number
   */
  async append(signer: Signer, submission: Submission): Promise<Recorded> {
    if (!Number.isSafeInteger(submission.createdAtMs)) {
      // an export could not say it
      const message = '`createdAtMs` is a whole number of milliseconds'
      throw new ConfigError('ERR_CONFIG_INVALID', message)
    }
    const recorded = await this.#appender.append(signer, submission)
    this.#checkpointer.appended(signer)
    return recorded
  }

  /**
   * Reads the entries that a filter lets through, a page at a time. No writer waits for it; what is
   * appended meanwhile may be among them.
   *
   * @throws {@link LedgerError} `ERR_LEDGER_CORRUPT` at a damaged entry, after all before it
   */
  async *query(filter: LedgerFilter = {}, options: QueryOptions = {}): AsyncGenerator<LedgerEntry> {
    const newestFirst = options.newestFirst ?? false
    let rest = checkedLimit(options.limit)
    const bounds = given(filter)
    while (rest > 0) {
      const answer = await this.#handle.query(bounds, newestFirst, Math.min(rest, PAGE))
      const page = unwrapJson<{ entries: LedgerEntry[]; next: string | null }>(answer)
      yield* page.entries
      rest -= page.entries.length
      if (page.next === null) return
      bounds[newestFirst ? 'untilSeq' : 'fromSeq'] = page.next
    }
  }

  /**
   * Says what the ledger holds.
   *
   * @throws {@link LedgerError}
   */
  async status(): Promise<LedgerStatus> {
    const latest = unwrapJson<StoredCheckpoint | null>(addon.latestCheckpoint(this.#handle))
    const status = unwrapJson<Omit<LedgerStatus, 'checkpoint' | 'checkpoint_error'>>(
      await this.#handle.status(),
    )
    const fault = this.checkpointFault
    return {
      ...status,
      checkpoint: latest && { size: latest.size, created_at_ms: latest.created_at_ms },
      checkpoint_error: fault === undefined ? null : { code: fault.code, message: fault.message },
    }
  }

  /**
   * Writes all entries to a new file or folder, which appears whole or not at all. The chain is
   * checked on the way; signatures are not.
   *
   * @throws {@link LedgerError} `ERR_LEDGER_EXISTS` when something stands at `path`
   */
  async exportTo(path: string, options: LedgerExportOptions): Promise<Moved> {
    const progress = new addon.Progress()
    const work = this.#handle.exportTo(path, options.form, progress)
    return await watched(work, progress, options.onProgress)
  }

  /**
   * Makes a new ledger of an export in a folder that does not exist, with the id that it had: all of
   * it, in order and unbroken, or nothing. Signatures are not checked: `verify` does that.
   *
   * @throws {@link LedgerError} `ERR_LEDGER_IMPORT`, `ERR_LEDGER_EXISTS`
   */
  static async importFrom(
    source: string,
    folder: string,
    options: TransferOptions = {},
  ): Promise<Moved> {
    const progress = new addon.Progress()
    const work = addon.importLedger(source, folder, progress)
    return await watched(work, progress, options.onProgress)
  }

  /**
   * Removes what may be removed; entries never are.
   *
   * @throws {@link LedgerError}
   */
  async collectGarbage(): Promise<CollectedGarbage> {
    return unwrapJson<CollectedGarbage>(await this.#handle.collectGarbage())
  }

  /**
   * Says which approvals were used.
   *
   * @returns for each the number of the entry that used it, decimal digits, or null
   * @throws {@link LedgerError}
   */
  approvalsUsed(approvals: readonly NamedApproval[]): readonly (string | null)[] {
    const named = approvals.map(({ keyId, id }) => ({ approverKeyId: keyId, approvalId: id }))
    return unwrapJson<(string | null)[]>(this.#handle.approvalsUsed(named))
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

  #mustExist(folder: string): void {
    try {
      unwrap(this.#handle.openReadOnly(folder))
    } catch (error) {
      // one of a version before is brought to this one by the open that follows
      if (!(error instanceof LedgerError && error.code === 'ERR_LEDGER_VERSION')) throw error
    } finally {
      this.#handle.close()
    }
  }

  /** Closes the ledger; what was begun goes on to its end. */
  close(): void {
    this.#checkpointer.stop()
    this.#handle.close()
  }

  /** Closes the ledger. */
  [Symbol.dispose](): void {
    this.close()
  }
}

function checkedLimit(limit: number | undefined): number {
  if (limit === undefined) return Number.POSITIVE_INFINITY
  if (Number.isSafeInteger(limit) && limit >= 0) return limit
  throw new ConfigError('ERR_CONFIG_INVALID', 'a limit is a whole number from 0')
}

type EntryFilter = Parameters<LedgerHandle['query']>[0]

/** Leaves out what is not given: the addon tells `undefined` from absent. */
function given(filter: LedgerFilter): EntryFilter {
  const members: EntryFilter = {}
  const conditions: [string, unknown][] = Object.entries(filter)
  for (const [name, value] of conditions) {
    if (value !== undefined) Object.assign(members, { [name]: value })
  }
  return members
}

/** Waits for work, and tells the listener how far it is. */
async function watched(
  work: ReturnType<typeof addon.importLedger>,
  progress: InstanceType<typeof addon.Progress>,
  listener: ProgressListener | undefined,
): Promise<Moved> {
  const tell = () => {
    const [done = 0, total = 0] = progress.read()
    listener?.(done, total)
  }
  const timer = listener === undefined ? undefined : setInterval(tell, PROGRESS_MS)
  try {
    const moved = unwrapJson<Moved>(await work)
    tell()
    return moved
  } finally {
    clearInterval(timer)
  }
}
