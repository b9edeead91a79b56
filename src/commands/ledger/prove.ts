// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { LOG_EXITS, LogCommand } from '../../cli/log.js'
import { proveEntry, readReceipt } from '../../index.js'

export default class LedgerProve extends LogCommand {
  static override summary = 'prove that an entry is in the ledger that a checkpoint signs'
  static override description = `a file that shows it offline (c2sp.org/tlog-proof), without any other entry; ${LOG_EXITS}`
  static override examples = ['<%= config.bin %> ledger prove 12 --out 12.tlog-proof']
  static override args = {
    entry: Args.string({
      description: 'number of the entry, or a run, whose last entry is meant',
      required: true,
    }),
  }
  static override flags = {
    ...LogCommand.shared,
    ...LogCommand.log,
    ...LogCommand.out,
    checkpoint: Flags.string({
      description: 'checkpoint to prove it in, with its cosignatures; else the latest',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LedgerProve)
    this.json = flags.json
    const { checkpoint, out } = flags
    const note = checkpoint === undefined ? undefined : await readReceipt(checkpoint)
    const proven = await this.withLedger(
      flags,
      'read',
      async (ledger) => await proveEntry(ledger, args.entry, note),
    )
    await this.deliver(out, proven.proof, `✓ entry ${proven.seq}   sha256:${proven.digest}`)
    if (flags.json) this.emit('ambit.proof.v1', { ...proven, out: out ?? null })
  }
}
