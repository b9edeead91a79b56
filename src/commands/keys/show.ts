// SPDX-License-Identifier: Apache-2.0
import { Args } from '@oclif/core'
import { AmbitCommand, oneLine } from '../../cli/command.js'
import { KEY_EXITS, keysExitCode } from '../../cli/keys.js'
import { type AmbitError, describePublicKey, findHome } from '../../index.js'

export default class KeysShow extends AmbitCommand {
  static override summary = 'show a public key in its usual forms, with both of its ids'
  static override description = KEY_EXITS
  static override examples = [
    '<%= config.bin %> keys show',
    '<%= config.bin %> keys show ./operator.pub.pem --json',
  ]
  static override args = {
    file: Args.string({ description: 'public key file; else the current key in $AMBIT_HOME' }),
  }
  static override flags = { ...AmbitCommand.shared }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(KeysShow)
    this.json = flags.json
    const file = args.file ?? findHome(process.env).publicKey
    const key = describePublicKey(file)
    if (flags.json) this.emit('ambit.key.v1', { public_key_file: file, key })
    this.say(
      `${oneLine(file)}\n    thumbprint ${key.thumbprint}\n    issuer id  ${key.issuer_id}\n` +
        `    hex        ${key.hex}\n${key.pem.trimEnd()}`,
    )
  }

  protected exitCodeFor(error: AmbitError): number {
    return keysExitCode(error)
  }
}
