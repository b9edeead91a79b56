// SPDX-License-Identifier: Apache-2.0
import { Flags } from '@oclif/core'
import { LEDGER_EXITS, LedgerCommand, TABLE_HEAD, filterOf, rowOf } from '../../cli/ledger.js'
import type { LedgerEntry } from '../../index.js'

const DEFAULT_LIMIT = 50

export default class LedgerList extends LedgerCommand {
  static override summary = 'list entries, the newest first'
  static override description =
    `every condition that is given must hold; --json has each entry with its exact signed text; ` +
    LEDGER_EXITS
  static override examples = [
    '<%= config.bin %> ledger list --since 12h --decision deny',
    '<%= config.bin %> ledger list --code COMMAND_NOT_ALLOWED --limit 10 --json',
  ]
  static override flags = {
    ...LedgerCommand.shared,
    ...LedgerCommand.place,
    ...LedgerCommand.conditions,
    limit: Flags.integer({ description: 'the most entries', default: DEFAULT_LIMIT, min: 1 }),
    'oldest-first': Flags.boolean({ description: 'from the first entry on' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(LedgerList)
    this.json = flags.json
    const filter = filterOf(flags, Date.now())
    const ledger = this.reading(flags)
    const options = { limit: flags.limit, newestFirst: !flags['oldest-first'] }
    const entries: LedgerEntry[] = []
    for await (const entry of ledger.query(filter, options)) entries.push(entry)
    ledger.close()
    if (flags.json) this.emit('ambit.entries.v1', { ledger_id: ledger.id, entries })
    else process.stdout.write(`${[TABLE_HEAD, ...entries.map(rowOf)].join('\n')}\n`)
  }
}
