// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs'
import { Args, Flags } from '@oclif/core'
import { AmbitCommand, oneLine } from '../../cli/command.js'
import { type AmbitError, ConfigError, formatPolicy } from '../../index.js'

const EXIT_UNFORMATTED = 2
const EXIT_INVALID = 3
const EXIT_FAILURE = 1

/** Does what may fail with the system's error. */
function attempt<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new ConfigError('ERR_CONFIG_INVALID', message, { cause: error })
  }
}

export default class PolicyFmt extends AmbitCommand {
  static override summary = 'write a policy in the one way that the formatter has'
  static override description =
    'comments, order and meaning stay; exit codes: 0 done, 2 not formatted (--check), ' +
    '3 invalid document, 1 internal failure'
  static override examples = [
    '<%= config.bin %> policy fmt policy.yaml --write',
    '<%= config.bin %> policy fmt policy.yaml --check',
  ]
  static override args = {
    policy: Args.string({ description: 'policy file (YAML)', required: true }),
  }
  static override flags = {
    ...AmbitCommand.shared,
    check: Flags.boolean({ description: 'write nothing', exclusive: ['write'] }),
    write: Flags.boolean({ description: 'write into the file instead of stdout' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PolicyFmt)
    this.json = flags.json
    const bytes = attempt(() => readFileSync(args.policy))
    const text = formatPolicy(bytes, args.policy)
    const formatted = Buffer.from(text).equals(bytes)
    if (flags.json) this.emit('ambit.policy-fmt.v1', { formatted, text })
    if (flags.write) this.write(args.policy, formatted ? undefined : text)
    else if (flags.check) this.judge(args.policy, formatted)
    else if (!flags.json) process.stdout.write(text)
  }

  /** Writes the file where there is something to change. */
  private write(file: string, text: string | undefined): void {
    if (text !== undefined) attempt(() => writeFileSync(file, text))
    this.say(`✓ ${oneLine(file)}   ${text === undefined ? 'formatted' : 'written'}`)
  }

  private judge(file: string, formatted: boolean): void {
    this.say(`${formatted ? '✓' : '✗'} ${oneLine(file)}   ${formatted ? '' : 'not '}formatted`)
    this.finish(formatted ? 0 : EXIT_UNFORMATTED)
  }

  protected exitCodeFor(error: AmbitError): number {
    return error.code.startsWith('ERR_POLICY_') ? EXIT_INVALID : EXIT_FAILURE
  }
}
