// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { AmbitCommand, oneLine } from '../cli/command.js'
import {
  type AmbitError,
  type PolicyDecision,
  check,
  explain,
  explainReasons,
  loadContract,
  loadPolicy,
} from '../index.js'

const EXIT = { allow: 0, deny: 2, needs_approval: 4 } as const
const EXIT_INVALID = 3
const EXIT_FAILURE = 1

/** What else there is to say about a decision. */
function moreAbout(decision: PolicyDecision): readonly string[] {
  const { contract_sha256, policy_profile, policy_sha256, obligations = [] } = decision
  const effects = decision.classified_effects.map(
    ({ command_id: id, effect_type: effect }) => `    ${id}: ${effect}`,
  )
  const duties = obligations.map((duty) => `    ${JSON.stringify(duty)}`)
  const until = decision.expires_at === undefined ? [] : [`holds until ${decision.expires_at}`]
  const lines = [
    `contract ${contract_sha256}`,
    `policy   ${policy_sha256}  ${policy_profile}`,
    'effects',
    ...effects,
    ...(duties.length > 0 ? ['obligations', ...duties] : []),
    ...until,
  ]
  return lines.map(oneLine)
}

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
    const contract = await loadContract(args.contract)
    const policy = await loadPolicy(args.policy)
    const { mode, approval: approvals = [] } = flags
    const decision = await check({ contract, policy, mode, approvals })
    const explanation = flags.explain && { explanation: explainReasons(decision, contract, policy) }
    if (flags.json) this.emit('ambit.check.v1', { decision, ...explanation })
    const more = flags.explain ? moreAbout(decision) : []
    this.say([...explain(decision, contract, policy), ...more].join('\n'))
    this.finish(EXIT[decision.decision])
  }

  protected exitCodeFor(error: AmbitError): number {
    return /^ERR_(?:APPROVAL|CONTRACT|POLICY)_/.test(error.code) ? EXIT_INVALID : EXIT_FAILURE
  }
}
