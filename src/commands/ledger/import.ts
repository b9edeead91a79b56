// SPDX-License-Identifier: Apache-2.0
import { Args } from '@oclif/core'
import { oneLine } from '../../cli/command.js'
import { LEDGER_EXITS, LedgerCommand } from '../../cli/ledger.js'
import { progressBar } from '../../cli/progress.js'
import { Ledger } from '../../index.js'

export default class LedgerImport extends LedgerCommand {
  static override summary = 'make a new ledger of an export'
  static override description = `all entries in order and unbroken, or nothing; signatures are for verify to check; ${LEDGER_EXITS}`
  static override examples = ['<%= config.bin %> ledger import ledger.jsonl --ledger ./copy']
  static override args = {
    path: Args.string({ description: 'file or folder that ledger export wrote', required: true }),
  }
  static override flags = { ...LedgerCommand.shared, ...LedgerCommand.place }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LedgerImport)
    this.json = flags.json
    const folder = this.folderOf(flags)
    const bar = progressBar('importing', flags.json)
    try {
      const moved = await Ledger.importFrom(args.path, folder, { onProgress: bar.listener })
      if (flags.json) this.emit('ambit.import.v1', { folder, ...moved })
      bar.end()
      this.say(`✓ ${oneLine(folder)}\n    ${moved.entries} entries of ledger ${moved.ledger_id}`)
    } finally {
      bar.end()
    }
  }
}
