// SPDX-License-Identifier: Apache-2.0
import { oneLine } from '../../cli/command.js'
import { LEDGER_EXITS, LedgerCommand, timeText } from '../../cli/ledger.js'

export default class LedgerStatus extends LedgerCommand {
  static override summary = 'say what the ledger holds'
  static override description = `changes nothing; ${LEDGER_EXITS}`
  static override examples = ['<%= config.bin %> ledger status']
  static override flags = { ...LedgerCommand.shared, ...LedgerCommand.place }

  async run(): Promise<void> {
    const { flags } = await this.parse(LedgerStatus)
    this.json = flags.json
    const folder = this.folderOf(flags)
    const ledger = this.reading(flags)
    const status = await ledger.status()
    ledger.close()
    if (flags.json) this.emit('ambit.ledgerstatus.v1', { folder, ledger_id: ledger.id, ...status })
    const { entries, head, first_ms: first, last_ms: last } = status
    const lines = [
      `ledger    ${ledger.id}`,
      `folder    ${oneLine(folder)}`,
      `entries   ${entries}`,
      ...(head === null ? [] : [`head      sha256:${head}`]),
      ...(first === null ? [] : [`first     ${timeText(first)}`]),
      ...(last === null ? [] : [`last      ${timeText(last)}`]),
      `covered   ${status.checkpoint?.size ?? 0} by a checkpoint`,
      `open runs ${status.open_runs}`,
      `size      ${status.database_bytes} bytes, log ${status.log_bytes} bytes`,
    ]
    this.say(lines.join('\n'))
  }
}
