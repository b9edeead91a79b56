// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { LOG_EXITS, LogCommand } from '../../cli/log.js'
import { Signer, cosignCheckpoint, readReceipt } from '../../index.js'

export default class LedgerWitness extends LogCommand {
  static override summary = "cosign another ledger's checkpoint, if that ledger only grew"
  static override description =
    'a witness remembers the last checkpoint of each ledger, and refuses one that does not continue ' +
    `it; the first one of a ledger is taken as it is; ${LOG_EXITS}`
  static override examples = [
    '<%= config.bin %> ledger witness for-witness.txt --state seen.json --key witness.pem --log-key shop.pub.pem',
  ]
  static override args = {
    checkpoint: Args.string({
      description: 'file with a checkpoint, as `ledger checkpoint` writes it with --old',
      required: true,
    }),
  }
  static override flags = {
    ...LogCommand.shared,
    ...LogCommand.out,
    state: Flags.string({
      description: 'file that holds what was seen; made where there is none',
      helpValue: 'FILE',
      required: true,
    }),
    key: Flags.string({
      description: "the witness's own private key file",
      helpValue: 'FILE',
      required: true,
    }),
    'log-key': Flags.string({
      description: 'public key file of a ledger to witness',
      helpValue: 'FILE',
      multiple: true,
      required: true,
    }),
    name: Flags.string({
      description: 'name of the witness; else ambit-witness/ and its key id',
      helpValue: 'NAME',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LedgerWitness)
    this.json = flags.json
    const signer = new Signer(flags.key)
    const name = flags.name ?? `ambit-witness/${signer.publicKey.thumbprint}`
    const { state } = flags
    const request = await readReceipt(args.checkpoint)
    const logs = flags['log-key']
    const cosigned = await cosignCheckpoint(request, signer, { name, state, logs })
    await this.deliver(flags.out, cosigned.note, `✓ cosigned   ${cosigned.vkey}`)
    if (flags.json) this.emit('ambit.cosignature.v1', { ...cosigned, out: flags.out ?? null })
  }
}
