// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { AmbitCommand, oneLine } from '../../cli/command.js'
import { KEY_EXITS, keysExitCode } from '../../cli/keys.js'
import { type AmbitError, findHome, trustKeys } from '../../index.js'

export default class KeysTrust extends AmbitCommand {
  static override summary = 'trust a public key, or a set of them, of somebody else'
  static override description =
    'a copy is kept in $AMBIT_HOME, and `verify` uses it when no key is named; make sure by another ' +
    'way that the key is whose you think. A key log is followed from a key that you know, and later ' +
    `from what you have of it: one that was cut or rewritten is refused; ${KEY_EXITS}`
  static override examples = [
    '<%= config.bin %> keys trust ./operator.jwks.json --name operator',
    '<%= config.bin %> keys trust ./ci.pub.pem --id ci-key-1',
    '<%= config.bin %> keys trust ./key-log.jsonl --root ./first.pub.pem --name operator',
  ]
  static override args = {
    file: Args.string({
      description: 'SPKI PEM, JWK, hex, 32 bytes, a JWKS or a key log',
      required: true,
    }),
  }
  static override flags = {
    ...AmbitCommand.shared,
    id: Flags.string({
      description: 'how receipts name the key, if by none of its own ids',
      helpValue: 'ID',
    }),
    name: Flags.string({
      description: 'what the copy is called; else the name of the file',
      helpValue: 'NAME',
    }),
    replace: Flags.boolean({ description: 'take the place of what is trusted under the name' }),
    root: Flags.string({
      description: 'public key that a key log may begin with, known from elsewhere',
      helpValue: 'FILE',
      multiple: true,
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(KeysTrust)
    this.json = flags.json
    const name =
      flags.name ?? basename(args.file).replace(/(?:\.(?:pub|jwks|pem|jsonl?|jwk|hex))+$/u, '')
    const { file, jwks } = trustKeys(findHome(process.env), args.file, {
      name,
      replace: flags.replace,
      ...(flags.id !== undefined && { id: flags.id }),
      ...(flags.root && { roots: flags.root }),
    })
    if (flags.json) this.emit('ambit.trust.v1', { name, file, jwks })
    this.say(`✓ trusted as ${oneLine(name)}: ${oneLine(file)}`)
  }

  protected exitCodeFor(error: AmbitError): number {
    return keysExitCode(error)
  }
}
