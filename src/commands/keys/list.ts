// SPDX-License-Identifier: Apache-2.0
import { AmbitCommand } from '../../cli/command.js'
import { KEY_EXITS, keyWords, keysExitCode } from '../../cli/keys.js'
import { type AmbitError, findHome, ownKeys, trustedKeys } from '../../index.js'

export default class KeysList extends AmbitCommand {
  static override summary = 'list the own keys with their times, and whose keys are trusted'
  static override description = `the key log is verified first; ${KEY_EXITS}`
  static override examples = ['<%= config.bin %> keys list']
  static override flags = { ...AmbitCommand.shared }

  async run(): Promise<void> {
    const { flags } = await this.parse(KeysList)
    this.json = flags.json
    const home = findHome(process.env)
    const { keys } = ownKeys(home)
    const names = trustedKeys(home).map((set) => set.name)
    const trusted = names.filter((name, index) => index > 0 || name !== 'own' || keys.length === 0)
    if (flags.json) this.emit('ambit.keylist.v1', { keys, trusted })
    this.say(keys.length === 0 ? 'no own key; `ambit keys generate` makes one' : '')
    for (const key of keys) this.say(keyWords(key))
    for (const name of trusted) this.say(`trusted  ${name}`)
  }

  protected exitCodeFor(error: AmbitError): number {
    return keysExitCode(error)
  }
}
