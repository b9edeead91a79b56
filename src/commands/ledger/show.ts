// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { LEDGER_EXITS, LedgerCommand, payloadOf, timeText } from '../../cli/ledger.js'
import { type LedgerEntry, type LedgerFilter, LedgerError } from '../../index.js'

const NUMBER = /^[1-9]\d{0,15}$/u

export default class LedgerShow extends LedgerCommand {
  static override summary = 'show one entry, or all of a run'
  static override description = LEDGER_EXITS
  static override examples = [
    '<%= config.bin %> ledger show 12',
    '<%= config.bin %> ledger show 12 --raw > receipt.json',
  ]
  static override args = {
    entry: Args.string({ description: 'number of an entry, or a run', required: true }),
  }
  static override flags = {
    ...LedgerCommand.shared,
    ...LedgerCommand.place,
    raw: Flags.boolean({
      description: 'write the exact signed bytes and nothing else',
      exclusive: ['json'],
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LedgerShow)
    this.json = flags.json
    const wanted = args.entry
    const filter: LedgerFilter = NUMBER.test(wanted)
      ? { fromSeq: wanted, untilSeq: wanted }
      : { runId: wanted }
    const ledger = this.reading(flags)
    const entries: LedgerEntry[] = []
    for await (const entry of ledger.query(filter)) entries.push(entry)
    ledger.close()
    if (entries.length === 0) {
      throw new LedgerError('ERR_LEDGER_ENTRY_UNKNOWN', `there is no entry or run ${wanted}`)
    }
    if (flags.json) this.emit('ambit.entries.v1', { ledger_id: ledger.id, entries })
    else if (flags.raw) process.stdout.write(entries.map(({ document }) => document).join('\n'))
    else for (const entry of entries) this.#print(entry)
  }

  #print(entry: LedgerEntry): void {
    const { seq, phase, run_id: run, digest } = entry
    this.say(`entry ${seq}, ${phase} of ${run}\n  made   ${timeText(entry.created_at_ms)}`)
    this.say(`  digest sha256:${digest}\n${JSON.stringify(payloadOf(entry), undefined, 2)}`)
  }
}
