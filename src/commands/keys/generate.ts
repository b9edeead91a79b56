// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Flags } from '@oclif/core'
import { AmbitCommand, oneLine } from '../../cli/command.js'
import { findHome, generateKey } from '../../index.js'

const PRIVATE_FOLDER = 0o700

export default class KeysGenerate extends AmbitCommand {
  static override summary = 'make an Ed25519 key pair; an existing file is never overwritten'
  static override description =
    'the private key is PKCS#8 PEM with mode 0600, the public one SPKI PEM beside it'
  static override examples = ['<%= config.bin %> keys generate --out ./ci.pem']
  static override flags = {
    ...AmbitCommand.shared,
    out: Flags.string({
      description: 'private key file; else keys/default.pem in $AMBIT_HOME',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(KeysGenerate)
    this.json = flags.json
    const home = findHome(process.env)
    const privateFile = flags.out ?? home.signingKey
    const publicFile = privateFile.replace(/(?:\.pem)?$/, '.pub.pem')
    if (flags.out === undefined) {
      mkdirSync(dirname(privateFile), { recursive: true, mode: PRIVATE_FOLDER })
    }
    const key = generateKey(privateFile, publicFile)
    if (flags.json) {
      this.emit('ambit.keys.v1', {
        private_key_file: privateFile,
        public_key_file: publicFile,
        key,
      })
    }
    this.say(`✓ ${oneLine(publicFile)}\n    key id ${key.thumbprint}`)
  }

  protected exitCodeFor(): number {
    return 1
  }
}
