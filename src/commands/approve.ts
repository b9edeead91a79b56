// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { approvalExitCode, momentOf } from '../cli/approval.js'
import { AmbitCommand } from '../cli/command.js'
import { PASSPHRASE_FLAGS, secretOf } from '../cli/passphrase.js'
import {
  type AmbitError,
  type Approval,
  Signer,
  approvalPath,
  approve,
  describeContract,
  explain,
  findHome,
  loadContract,
  writeApproval,
} from '../index.js'

const EXIT_DENIED = 2

export default class Approve extends AmbitCommand {
  static override summary = 'sign an approval of a contract under a policy'
  static override description =
    'shows the whole contract on standard error before it signs, and writes the approval into a new ' +
    'file whose name is printed; exit codes: 0 signed, 2 the policy denies the contract or would ' +
    'never take the approval, 3 invalid document, 5 not the key of an approver, 1 else'
  static override examples = [
    '<%= config.bin %> approve contract.json --policy policy.yaml --key alice.pem --expires 15m',
  ]
  static override args = {
    contract: Args.string({ description: 'contract file (JSON)', required: true }),
  }
  static override flags = {
    ...AmbitCommand.shared,
    policy: Flags.string({ description: 'policy file (YAML)', helpValue: 'FILE', required: true }),
    key: Flags.string({
      description: "the approver's private key file, or pkcs11: URI of a key in a token",
      helpValue: 'KEY',
      required: true,
    }),
    ...PASSPHRASE_FLAGS,
    expires: Flags.string({
      description: 'when it ends: a time, or how long from now (15m, 2h, 1d)',
      helpValue: 'TIME',
      default: '15m',
    }),
    'not-before': Flags.string({
      description: 'when it begins; now unless said',
      helpValue: 'TIME',
    }),
    scope: Flags.option({
      description: 'good for one run, or for every run until it expires',
      options: ['single_execution', 'time_window'] as const,
      default: 'single_execution' as const,
    })(),
    mode: Flags.option({
      description: 'in which mode the run must be',
      options: ['hardened', 'local'] as const,
      default: 'hardened' as const,
    })(),
    ledger: Flags.string({ description: 'id of the only ledger to use it in', helpValue: 'ID' }),
    ticket: Flags.string({ description: 'a reference for people', helpValue: 'TEXT' }),
    reason: Flags.string({ description: 'why, for people', helpValue: 'TEXT' }),
    out: Flags.string({
      description: 'file for the approval; else one in $AMBIT_HOME/approvals',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Approve)
    this.json = flags.json
    const now = new Date()
    const contract = await loadContract(args.contract)
    this.say(describeContract(contract).join('\n'))
    const { decision, approval } = await approve({
      contract,
      policy: flags.policy,
      signer: new Signer(flags.key, secretOf(flags)),
      now: () => now,
      mode: flags.mode,
      scope: flags.scope,
      expiresAt: momentOf('--expires', flags.expires, now),
      notBefore:
        flags['not-before'] === undefined
          ? undefined
          : momentOf('--not-before', flags['not-before'], now),
      ledgerId: flags.ledger,
      ticketId: flags.ticket,
      reason: flags.reason,
    })
    if (approval === undefined) {
      if (this.json) this.emit('ambit.approve.v1', { decision })
      this.say(explain(decision, contract).join('\n'))
      this.finish(EXIT_DENIED)
      return
    }
    const path = flags.out ?? approvalPath(findHome(process.env).approvals, approval.id)
    writeApproval(approval, path)
    if (this.json) this.emit('ambit.approve.v1', documentOf(approval, path, decision))
    else this.report(approval, path)
  }

  private report(approval: Approval, path: string): void {
    this.say(`✓ approved  ${approval.id}  ${approval.scope}`)
    process.stdout.write(`${path}\n`)
  }

  protected exitCodeFor(error: AmbitError): number {
    return approvalExitCode(error)
  }
}

function documentOf({ id, hash, bytes }: Approval, path: string, decision: object): object {
  const approval = Buffer.from(bytes).toString('utf8')
  return { decision, path, approval_id: id, hash, approval }
}
