// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { AmbitCommand } from '../../cli/command.js'
import { KEY_EXITS, keyWords, keysExitCode } from '../../cli/keys.js'
import { PASSPHRASE_FLAGS, secretOf } from '../../cli/passphrase.js'
import { type AmbitError, ConfigError, findHome, revokeOwnKey } from '../../index.js'

export default class KeysRevoke extends AmbitCommand {
  static override summary =
    'revoke an own key: nothing that it signs from then on is to be believed'
  static override description =
    'the current key signs this in the key log; a revoked current key is put aside, and `keys ' +
    `generate\` makes the next; ${KEY_EXITS}`
  static override examples = [
    '<%= config.bin %> keys revoke 5yI6I8jsBNPyQwqyU4Z6MpuCPtzrBznMwJeRVNNJFHU --reason stolen',
  ]
  static override args = {
    id: Args.string({ description: 'thumbprint or sb:issuer id of the key', required: true }),
  }
  static override flags = {
    ...AmbitCommand.shared,
    ...PASSPHRASE_FLAGS,
    at: Flags.string({
      description: 'from when on, RFC 3339; not in the future; else from now on',
      helpValue: 'TIME',
    }),
    reason: Flags.string({ description: 'why, in words that stand in the log', helpValue: 'TEXT' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(KeysRevoke, withIdLast(this.argv))
    this.json = flags.json
    const { keys } = revokeOwnKey(findHome(process.env), {
      keyId: args.id,
      secret: secretOf(flags),
      ...(flags.at !== undefined && { at: timeOf(flags.at) }),
      ...(flags.reason !== undefined && { reason: flags.reason }),
    })
    if (flags.json) this.emit('ambit.keylist.v1', { keys })
    for (const key of keys) this.say(keyWords(key))
  }

  protected exitCodeFor(error: AmbitError): number {
    return keysExitCode(error)
  }
}

const isId = (text: string): boolean => /^-[\w-]{42}$/u.test(text)

/** One thumbprint in 64 begins with a dash, and is no flag for that. */
function withIdLast(argv: readonly string[]): string[] {
  const ids = argv.includes('--') ? [] : argv.filter(isId)
  return ids.length === 0 ? [...argv] : [...argv.filter((text) => !isId(text)), '--', ...ids]
}

/** RFC 3339 with its zone: without one, the time would be another on each machine. */
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/u

function timeOf(text: string): Date {
  const time = new Date(TIME.test(text) ? text : Number.NaN)
  // a day that its month does not have would be taken for one of the next
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`)
  const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text.slice(0, 10))
  if (!Number.isNaN(time.getTime()) && isDay) return time
  const message = `\`--at ${text}\` is no time; expected RFC 3339, as 2026-01-31T12:00:00Z`
  throw new ConfigError('ERR_CONFIG_USAGE', message)
}
