// SPDX-License-Identifier: Apache-2.0
import { Flags } from '@oclif/core'
import { LOG_EXITS, LogCommand } from '../../cli/log.js'
import { ConfigError, witnessRequest } from '../../index.js'

const SIZE = /^\d{1,16}$/u

export default class LedgerCheckpoint extends LogCommand {
  static override summary = 'sign how long the ledger is, and what is in it'
  static override description =
    'kept elsewhere, a checkpoint shows later that no entry is missing or was exchanged; with ' +
    `nothing new since the last one, that one again; ${LOG_EXITS}`
  static override examples = [
    '<%= config.bin %> ledger checkpoint --out ledger.checkpoint',
    '<%= config.bin %> ledger checkpoint --old 256 --out for-witness.txt',
  ]
  static override flags = {
    ...LogCommand.shared,
    ...LogCommand.log,
    ...LogCommand.out,
    old: Flags.string({
      description: 'put a proof before it, for a witness that last saw this many entries',
      helpValue: 'SIZE',
    }),
    'signing-key': Flags.string({
      description: 'private key file; else the key in $AMBIT_HOME',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(LedgerCheckpoint)
    this.json = flags.json
    const { made, document } = await this.withLedger(flags, 'append', async (ledger) => {
      const { old } = flags
      if (old !== undefined && !SIZE.test(old)) {
        throw new ConfigError('ERR_CONFIG_USAGE', '--old takes a number of entries')
      }
      const checkpoint = await ledger.checkpoint(this.signerOf(flags))
      const note = old === undefined ? checkpoint.note : await witnessRequest(ledger, old)
      return { made: checkpoint, document: note }
    })
    const { size, root } = made
    await this.deliver(flags.out, document, `✓ ${size} entries   root ${root}`)
    const out = flags.out ?? null
    if (flags.json) this.emit('ambit.checkpoint.v1', { ...made, document, out })
  }
}
