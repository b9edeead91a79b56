// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { answerCheck, checkExitCode } from '../cli/check.js'
import { AmbitCommand } from '../cli/command.js'
import type { AmbitError } from '../index.js'

export default class Check extends AmbitCommand {
  static override summary = 'say what a policy decides about a contract; nothing is run or written'
  static override description =
    'exit codes: 0 allow, 2 deny, 3 invalid document, 4 approval required, 1 internal failure'
  static override examples = ['<%= config.bin %> check contract.json policy.yaml --json']
  static override args = {
    contract: Args.string({ description: 'contract file (JSON)', required: true }),
    policy: Args.string({ description: 'policy file (YAML)', required: true }),
  }
  static override flags = {
    ...AmbitCommand.shared,
    mode: Flags.option({
      description: 'how the contract is to be run',
      options: ['hardened', 'local'] as const,
      default: 'hardened' as const,
    })(),
    approval: Flags.string({
      description: 'approval file; give it again for each approval',
      helpValue: 'FILE',
      multiple: true,
    }),
    explain: Flags.boolean({
      description: 'say more: effects, obligations, expiry; with --json, the explanation too',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Check)
    this.json = flags.json
    const { approval: approvals = [], ...words } = flags
    this.finish(await answerCheck({ ...args, ...words, approvals }))
  }

  protected exitCodeFor(error: AmbitError): number {
    return checkExitCode(error)
  }
}
