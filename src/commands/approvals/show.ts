// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { Args, Flags } from '@oclif/core'
import { approvalExitCode, standingDocument, standingWords } from '../../cli/approval.js'
import { AmbitCommand } from '../../cli/command.js'
import {
  type AmbitError,
  type ApprovalStanding,
  ConfigError,
  type PolicyDecision,
  approvalPath,
  approvalStandings,
  check,
  explain,
  findHome,
  loadApproval,
} from '../../index.js'

const EXIT_NOT_APPROVED = 4
const EXIT_DENIED = 2

export default class ApprovalsShow extends AmbitCommand {
  static override summary = 'show an approval, and what it is worth for a contract'
  static override description =
    'with --contract and --policy the decision that it leads to is shown too; exit codes: 0 shown, ' +
    'and allowed where a contract is given, 2 denied, 4 not approved, 3 invalid document, ' +
    '7 unreadable, 1 else'
  static override examples = [
    '<%= config.bin %> approvals show approval.json --contract contract.json --policy policy.yaml',
  ]
  static override args = {
    approval: Args.string({
      description: 'approval file, or id of one signed here',
      required: true,
    }),
  }
  static override flags = {
    ...AmbitCommand.shared,
    contract: Flags.string({ description: 'contract file', helpValue: 'FILE' }),
    policy: Flags.string({ description: 'policy file', helpValue: 'FILE' }),
    mode: Flags.option({
      description: 'how the contract is to be run',
      options: ['hardened', 'local'] as const,
      default: 'hardened' as const,
    })(),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ApprovalsShow)
    this.json = flags.json
    const { contract, policy, mode } = flags
    if ((contract === undefined) !== (policy === undefined)) {
      throw new ConfigError('ERR_CONFIG_USAGE', 'give --contract and --policy, or neither')
    }
    const home = findHome(process.env)
    const isId = !existsSync(args.approval) && /^[\w.:-]{1,256}$/u.test(args.approval)
    const path = isId ? approvalPath(home.approvals, args.approval) : args.approval
    const approval = await loadApproval(path)
    const [standing] = approvalStandings(home, [{ path, approval }], new Date())
    const decision =
      contract !== undefined && policy !== undefined
        ? await check({ contract, policy, mode, approvals: [approval] })
        : undefined
    if (standing !== undefined) this.report(standing, decision)
  }

  private report(standing: ApprovalStanding, decision: PolicyDecision | undefined): void {
    if (this.json) {
      const judged = decision && { decision }
      this.emit('ambit.standing.v1', { ...standingDocument(standing), ...judged })
    } else {
      const document = JSON.stringify(standing.approval?.document, undefined, 2)
      this.say(standingWords(standing))
      this.say(document)
      if (decision !== undefined) this.say(explain(decision).join('\n'))
    }
    if (decision?.decision === 'deny') this.finish(EXIT_DENIED)
    if (decision?.decision === 'needs_approval') this.finish(EXIT_NOT_APPROVED)
  }

  protected exitCodeFor(error: AmbitError): number {
    return approvalExitCode(error)
  }
}
