// SPDX-License-Identifier: Apache-2.0
import { LEDGER_EXITS, LedgerCommand } from '../../cli/ledger.js'
import { collectGarbage, findHome } from '../../index.js'

export default class LedgerGc extends LedgerCommand {
  static override summary = 'remove what may be removed; entries never are'
  static override description =
    'what killed processes left behind, the log once it is in the database, free pages; ' +
    LEDGER_EXITS
  static override examples = ['<%= config.bin %> ledger gc']
  static override flags = { ...LedgerCommand.shared, ...LedgerCommand.place }

  async run(): Promise<void> {
    const { flags } = await this.parse(LedgerGc)
    this.json = flags.json
    const ledger = this.folderOf(flags)
    const garbage = await collectGarbage({ ...findHome(process.env), ledger })
    if (flags.json) this.emit('ambit.garbage.v1', { folder: ledger, ...garbage })
    const { locks, imports, reserves, log_bytes: log, database_bytes: database } = garbage
    const lines = [
      `lock files of ended processes  ${locks}`,
      `unfinished imports             ${imports}`,
      `space kept by killed runs      ${reserves}`,
      `log given back                 ${log} bytes`,
      `database given back            ${database} bytes`,
    ]
    this.say(lines.join('\n'))
  }
}
