// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { oneLine } from '../../cli/command.js'
import { LEDGER_EXITS, LedgerCommand } from '../../cli/ledger.js'
import { progressBar } from '../../cli/progress.js'
import { type Ledger, exportTiles } from '../../index.js'

export default class LedgerExport extends LedgerCommand {
  static override summary = 'write all entries to a new file or folder'
  static override description = `the chain is checked on the way; the file or folder appears whole or not at all; ${LEDGER_EXITS}`
  static override examples = [
    '<%= config.bin %> ledger export ledger.jsonl',
    '<%= config.bin %> ledger export receipts --form files',
    '<%= config.bin %> ledger export log --form tiles',
  ]
  static override args = {
    path: Args.string({ description: 'new file or folder', required: true }),
  }
  static override flags = {
    ...LedgerCommand.shared,
    ...LedgerCommand.place,
    form: Flags.option({
      description:
        'lines: one file of JSON Lines; files: a folder with a file for each receipt; ' +
        'tiles: the log of the latest checkpoint, digests only',
      options: ['lines', 'files', 'tiles'] as const,
      default: 'lines' as const,
    })(),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LedgerExport)
    this.json = flags.json
    const ledger = this.reading(flags)
    const bar = progressBar('exporting', flags.json)
    try {
      const { form } = flags
      if (form === 'tiles') {
        await this.tiles(ledger, args.path)
        return
      }
      const moved = await ledger.exportTo(args.path, { form, onProgress: bar.listener })
      if (flags.json) this.emit('ambit.export.v1', { path: args.path, form, ...moved })
      bar.end()
      this.say(`✓ ${oneLine(args.path)}\n    ${moved.entries} entries of ledger ${moved.ledger_id}`)
    } finally {
      bar.end()
      ledger.close()
    }
  }

  /** Writes what others need to follow the log; receipts are not in it. */
  private async tiles(ledger: Ledger, path: string): Promise<void> {
    const { size, root } = await exportTiles(ledger, path)
    const { id } = ledger
    if (this.json) {
      const moved = { ledger_id: id, entries: Number(size), root }
      this.emit('ambit.export.v1', { path, form: 'tiles', ...moved })
    }
    this.say(`✓ ${oneLine(path)}\n    ${size} digests of ledger ${id}   root ${root}`)
  }
}
