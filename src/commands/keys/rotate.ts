// SPDX-License-Identifier: Apache-2.0
import { Flags } from '@oclif/core'
import { AmbitCommand } from '../../cli/command.js'
import { KEY_EXITS, keysExitCode } from '../../cli/keys.js'
import { PASSPHRASE_FLAGS, secretOf } from '../../cli/passphrase.js'
import { type AmbitError, findHome, rotateOwnKey } from '../../index.js'

export default class KeysRotate extends AmbitCommand {
  static override summary = 'make a new key that takes the place of the current one'
  static override description =
    'the old key signs the change in the key log, and its window ends; what it signed stays good; ' +
    KEY_EXITS
  static override examples = ['<%= config.bin %> keys rotate --delete-old']
  static override flags = {
    ...AmbitCommand.shared,
    ...PASSPHRASE_FLAGS,
    'delete-old': Flags.boolean({
      description: 'remove the old private key; else it is kept under its thumbprint',
    }),
    'new-passphrase-file': Flags.string({
      description:
        'file with the passphrase for the new key; else that of the old one, if it has one',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(KeysRotate)
    this.json = flags.json
    const file = flags['new-passphrase-file']
    const key = rotateOwnKey(findHome(process.env), {
      secret: secretOf(flags),
      ...(file !== undefined && { newSecret: { file } }),
      deleteOld: flags['delete-old'],
    })
    if (flags.json) this.emit('ambit.key.v1', { key })
    this.say(
      `✓ the key is now ${key.thumbprint}\n    give the others \`ambit keys export --format jwks\``,
    )
  }

  protected exitCodeFor(error: AmbitError): number {
    return keysExitCode(error)
  }
}
