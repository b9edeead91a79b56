// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { AmbitCommand } from '../cli/command.js'
import { type AmbitError, type Verdict, readReceipt, verifyReceipt } from '../index.js'

const EXIT_INVALID = 1
const EXIT_USAGE = 64

export default class VerifyReceipt extends AmbitCommand {
  static override summary = "verify a csc receipt, with csc-runner's flags, words and exit codes"
  static override description =
    'exit codes: 0 valid, 1 everything else, 64 wrong usage. `verify` tells more.'
  static override examples = [
    '<%= config.bin %> verify-receipt receipt.json --public-key vec.pub.raw --key-id vec-key-1',
  ]
  static override args = {
    receipt: Args.string({ description: 'receipt file', required: true }),
  }
  static override flags = {
    ...AmbitCommand.shared,
    'public-key': Flags.string({
      description: 'public key file: 32 raw bytes, SPKI PEM, JWK or hex',
      helpValue: 'FILE',
      required: true,
    }),
    'key-id': Flags.string({
      description: 'key id that the receipt must name',
      helpValue: 'ID',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VerifyReceipt)
    this.json = flags.json
    const path = flags['public-key']
    const id = flags['key-id']
    const document = await readReceipt(args.receipt)
    const keys = [id === undefined ? { path } : { path, id }]
    const verdict = await verifyReceipt(document, { keys })
    const valid = verdict.status === 'valid' && verdict.format === 'csc'
    if (flags.json) {
      this.emit('ambit.verifyreceipt.v1', { valid, verdict })
    } else {
      process.stdout.write(`${words(verdict, valid)}\n`)
    }
    this.finish(valid ? 0 : EXIT_INVALID)
  }

  protected exitCodeFor(error: AmbitError): number {
    return error.code === 'ERR_CONFIG_USAGE' ? EXIT_USAGE : EXIT_INVALID
  }
}

function words(verdict: Verdict, valid: boolean): string {
  if (valid) return 'VALID — receipt signature verified'
  if (verdict.status === 'valid') return 'INVALID — not a csc receipt'
  return `INVALID — ${verdict.detail} (${verdict.code})`
}
