// SPDX-License-Identifier: Apache-2.0
import { setTimeout } from 'node:timers/promises'
import { Flags } from '@oclif/core'
import { LEDGER_EXITS, LedgerCommand, TABLE_HEAD, filterOf, rowOf } from '../../cli/ledger.js'
import type { Ledger, LedgerEntry, LedgerFilter } from '../../index.js'

const DEFAULT_LIMIT = 10
const POLL_MS = 200

export default class LedgerTail extends LedgerCommand {
  static override summary = 'show the last entries, and those that come'
  static override description =
    `with --follow it goes on until it is interrupted, and --json is one object for each entry; ` +
    LEDGER_EXITS
  static override examples = ['<%= config.bin %> ledger tail --follow --decision deny']
  static override flags = {
    ...LedgerCommand.shared,
    ...LedgerCommand.place,
    ...LedgerCommand.conditions,
    limit: Flags.integer({ description: 'the most entries', default: DEFAULT_LIMIT, min: 0 }),
    follow: Flags.boolean({ char: 'f', description: 'wait for more' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(LedgerTail)
    this.json = flags.json
    const filter = filterOf(flags, Date.now())
    const ledger = this.reading(flags)
    // what comes after this moment is what is waited for
    const { entries: last } = await ledger.status()
    const entries = await lastOf(ledger, { ...filter, untilSeq: String(last) }, flags.limit)
    if (!flags.json) process.stdout.write(`${TABLE_HEAD}\n`)
    if (flags.json && !flags.follow) {
      this.emit('ambit.entries.v1', { ledger_id: ledger.id, entries })
    } else {
      for (const entry of entries) this.#print(ledger, entry)
    }
    if (flags.follow) await this.#follow(ledger, filter, last + 1)
    ledger.close()
  }

  async #follow(ledger: Ledger, filter: LedgerFilter, from: number): Promise<void> {
    const interrupted = new AbortController()
    const stop = () => interrupted.abort()
    process.once('SIGINT', stop).once('SIGTERM', stop)
    process.stdout.once('error', stop) // nobody reads any more, as with `| head`
    let next = from
    while (!interrupted.signal.aborted) {
      const { entries: last } = await ledger.status()
      const bounds = { ...filter, fromSeq: String(next), untilSeq: String(last) }
      if (last >= next) {
        for await (const entry of ledger.query(bounds)) this.#print(ledger, entry)
        next = last + 1
      }
      const pause = setTimeout(POLL_MS, undefined, { signal: interrupted.signal })
      await pause.catch(() => {}) // interrupted: the loop ends
    }
  }

  #print(ledger: Ledger, entry: LedgerEntry): void {
    if (this.json) this.emit('ambit.entry.v1', { ledger_id: ledger.id, entry })
    else process.stdout.write(`${rowOf(entry)}\n`)
  }
}

/** Returns the last entries, oldest first. */
async function lastOf(ledger: Ledger, filter: LedgerFilter, limit: number): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = []
  for await (const entry of ledger.query(filter, { limit, newestFirst: true })) entries.push(entry)
  return entries.toReversed()
}
