// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { oneLine } from '../../cli/command.js'
import { ReceiptCommand, exitOfVerdict, keyFlags, trustedBy } from '../../cli/receipt.js'
import {
  type AmbitError,
  Signer,
  type Verdict,
  exportReceipt,
  findHome,
  readReceipt,
  verifyReceipt,
  writeReceipt,
} from '../../index.js'

export default class ReceiptExport extends ReceiptCommand {
  static override summary = 'put a valid receipt into an envelope that others can read'
  static override description =
    'a DSSE envelope with an in-toto statement, signed by the exporter; exit codes: 0 exported, ' +
    '1 the receipt is invalid, 2 undecidable or malformed, 5 wrong, unknown or unusable key, ' +
    '7 a file cannot be read or written'
  static override examples = [
    '<%= config.bin %> receipt export receipt.json --dsse --out receipt.dsse.json',
  ]
  static override args = {
    receipt: Args.string({ description: 'receipt file', required: true }),
  }
  static override flags = {
    ...ReceiptCommand.shared,
    ...keyFlags,
    dsse: Flags.boolean({ description: 'the form of the envelope: DSSE', required: true }),
    'signing-key': Flags.string({
      description: "the exporter's private key file; else the key in $AMBIT_HOME",
      helpValue: 'FILE',
    }),
    out: Flags.string({ description: 'new file for the envelope; else stdout', helpValue: 'FILE' }),
  }

  #verdict: Verdict | undefined

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ReceiptExport)
    this.json = flags.json
    const receipt = await readReceipt(args.receipt)
    const trusted = await trustedBy(flags)
    const signer = new Signer(flags['signing-key'] ?? findHome(process.env).signingKey)
    this.#verdict = await verifyReceipt(receipt, trusted)
    const envelope = exportReceipt({ receipt, ...trusted, signer })
    if (flags.out !== undefined) await writeReceipt(flags.out, `${envelope}\n`)
    else if (!flags.json) process.stdout.write(`${envelope}\n`)
    const exporter = signer.publicKey.thumbprint
    if (flags.json) this.emit('ambit.receipt.v1', { exporter, envelope, out: flags.out ?? null })
    if (flags.out !== undefined) this.say(`✓ ${oneLine(flags.out)}\n    exporter ${exporter}`)
  }

  /** What is not exported has the exit code of `verify`. */
  protected override exitCodeFor(error: AmbitError): number {
    const verdict = error.code === 'ERR_RECEIPT_NOT_VALID' ? this.#verdict : undefined
    return verdict === undefined ? super.exitCodeFor(error) : exitOfVerdict(verdict)
  }
}
