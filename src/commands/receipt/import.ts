// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { oneLine } from '../../cli/command.js'
import { ReceiptCommand, keyFlags, trustedBy } from '../../cli/receipt.js'
import { importReceipt, readReceipt, sha256, writeReceipt } from '../../index.js'

export default class ReceiptImport extends ReceiptCommand {
  static override summary = 'take a receipt out of a DSSE envelope, byte for byte'
  static override description =
    "checks the exporter's signature; the receipt's own is checked by `verify`. exit codes: " +
    '0 imported, 1 the envelope was changed, 2 malformed, 5 no trusted key signed it, ' +
    '7 a file cannot be read or written'
  static override examples = [
    '<%= config.bin %> receipt import receipt.dsse.json --key exporter.pub.pem --out receipt.json',
  ]
  static override args = {
    envelope: Args.string({ description: 'envelope file', required: true }),
  }
  static override flags = {
    ...ReceiptCommand.shared,
    ...keyFlags,
    out: Flags.string({ description: 'new file for the receipt; else stdout', helpValue: 'FILE' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ReceiptImport)
    this.json = flags.json
    const envelope = await readReceipt(args.envelope)
    const { receipt, exported_at, signers } = importReceipt({
      envelope,
      ...(await trustedBy(flags)),
    })
    if (flags.out !== undefined) await writeReceipt(flags.out, receipt)
    else if (!flags.json) process.stdout.write(receipt)
    const said = { exported_at, signers, digest: sha256(receipt), out: flags.out ?? null }
    const text = Buffer.from(receipt).toString('utf8')
    if (flags.json) this.emit('ambit.receipt.v1', { receipt: text, ...said })
    this.say(`exported ${oneLine(exported_at)} by ${signers.join(', ')}; not verified yet`)
  }
}
