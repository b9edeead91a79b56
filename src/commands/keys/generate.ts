// SPDX-License-Identifier: Apache-2.0
import { Flags } from '@oclif/core'
import { AmbitCommand, oneLine } from '../../cli/command.js'
import { KEY_EXITS, keysExitCode } from '../../cli/keys.js'
import { PASSPHRASE_FLAGS, namedSecret } from '../../cli/passphrase.js'
import { type AmbitError, findHome, generateKey, generateOwnKey } from '../../index.js'

export default class KeysGenerate extends AmbitCommand {
  static override summary = 'make an Ed25519 key pair; an existing file is never overwritten'
  static override description =
    'the private key is PKCS#8 PEM with mode 0600, the public one SPKI PEM beside it; the key in ' +
    `$AMBIT_HOME begins a key log; ${KEY_EXITS}`
  static override examples = [
    '<%= config.bin %> keys generate',
    '<%= config.bin %> keys generate --out ./ci.pem --encrypt',
  ]
  static override flags = {
    ...AmbitCommand.shared,
    ...PASSPHRASE_FLAGS,
    encrypt: Flags.boolean({
      description: 'encrypt the private key; asks for a passphrase unless one is named',
    }),
    out: Flags.string({
      description: 'private key file; else keys/default.pem in $AMBIT_HOME',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(KeysGenerate)
    this.json = flags.json
    const home = findHome(process.env)
    const secret = namedSecret(flags) ?? (flags.encrypt ? { ask: true } : undefined)
    const privateFile = flags.out ?? home.signingKey
    const publicFile = privateFile.replace(/(?:\.pem)?$/, '.pub.pem')
    const key =
      flags.out === undefined
        ? generateOwnKey(home, undefined, secret)
        : generateKey(privateFile, publicFile, secret)
    if (flags.json) {
      this.emit('ambit.keys.v1', {
        private_key_file: privateFile,
        public_key_file: publicFile,
        key,
      })
    }
    this.say(`✓ ${oneLine(publicFile)}\n    key id ${key.thumbprint}`)
  }

  protected exitCodeFor(error: AmbitError): number {
    return keysExitCode(error)
  }
}
