// SPDX-License-Identifier: Apache-2.0
import { Flags } from '@oclif/core'
import { AmbitCommand } from '../../cli/command.js'
import { KEY_EXITS, keysExitCode } from '../../cli/keys.js'
import { type AmbitError, describePublicKey, findHome, ownKeyLog, ownKeys } from '../../index.js'

const FORMATS = ['hex', 'jwk', 'jwks', 'log', 'pem', 'raw'] as const

export default class KeysExport extends AmbitCommand {
  static override summary = 'write the public key, or all public keys with their times, to stdout'
  static override description = `private keys are never exported; ${KEY_EXITS}`
  static override examples = [
    '<%= config.bin %> keys export > operator.pub.pem',
    '<%= config.bin %> keys export --format jwks > operator.jwks.json',
  ]
  static override flags = {
    ...AmbitCommand.shared,
    format: Flags.option({
      description:
        'pem: SPKI; raw: 32 bytes; jwks: every own key, with windows and revocations; log: the signed ' +
        'key log, which others follow from its first key',
      options: FORMATS,
      default: 'pem' as const,
    })(),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(KeysExport)
    this.json = flags.json
    const bytes = exported(flags.format)
    if (flags.json) {
      const [format, text] = [flags.format, flags.format === 'raw' ? null : bytes.toString('utf8')]
      this.emit('ambit.keyexport.v1', { format, text, base64: bytes.toString('base64') })
      return
    }
    process.stdout.write(bytes)
  }

  protected exitCodeFor(error: AmbitError): number {
    return keysExitCode(error)
  }
}

function exported(format: (typeof FORMATS)[number]): Buffer {
  const home = findHome(process.env)
  if (format === 'jwks') return Buffer.from(`${ownKeys(home).jwks}\n`)
  if (format === 'log') return Buffer.from(ownKeyLog(home))
  const key = describePublicKey(home.publicKey)
  switch (format) {
    case 'hex':
      return Buffer.from(`${key.hex}\n`)
    case 'jwk':
      return Buffer.from(`${JSON.stringify(key.jwk)}\n`)
    case 'pem':
      return Buffer.from(key.pem)
    case 'raw':
      return Buffer.from(key.hex, 'hex')
  }
}
