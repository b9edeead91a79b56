// SPDX-License-Identifier: Apache-2.0
import { approvalExitCode, standingDocument, standingWords } from '../../cli/approval.js'
import { AmbitCommand } from '../../cli/command.js'
import { type AmbitError, findHome, listApprovals } from '../../index.js'

export default class ApprovalsList extends AmbitCommand {
  static override summary = 'list the approvals that were signed here, and where each stands'
  static override description =
    'signatures are not checked: that needs a policy, see `approvals show`; exit codes: 0 listed, ' +
    '7 unreadable, 1 else'
  static override examples = ['<%= config.bin %> approvals list --json']
  static override flags = { ...AmbitCommand.shared }

  async run(): Promise<void> {
    const { flags } = await this.parse(ApprovalsList)
    this.json = flags.json
    const found = await listApprovals(findHome(process.env), new Date())
    if (flags.json) this.emit('ambit.approvals.v1', { approvals: found.map(standingDocument) })
    else process.stdout.write(found.map((standing) => `${standingWords(standing)}\n`).join(''))
  }

  protected exitCodeFor(error: AmbitError): number {
    return approvalExitCode(error)
  }
}
