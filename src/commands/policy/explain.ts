// SPDX-License-Identifier: Apache-2.0
import { Args } from '@oclif/core'
import { AmbitCommand, oneLine } from '../../cli/command.js'
import { type AmbitError, explainPolicy, loadPolicy } from '../../index.js'

const EXIT_INVALID = 3
const EXIT_FAILURE = 1

export default class PolicyExplain extends AmbitCommand {
  static override summary = 'say in words what a policy says, rule by rule'
  static override description =
    'for a decision see `check --explain`; exit codes: 0 done, 3 invalid document, 1 internal failure'
  static override examples = ['<%= config.bin %> policy explain policy.yaml']
  static override args = {
    policy: Args.string({ description: 'policy file (YAML)', required: true }),
  }
  static override flags = AmbitCommand.shared

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PolicyExplain)
    this.json = flags.json
    const policy = await loadPolicy(args.policy)
    const statements = explainPolicy(policy)
    const { name, policy_schema_version: version } = policy.document
    const about = { name, policy_schema_version: version, policy_sha256: policy.hash }
    if (flags.json) this.emit('ambit.policy-explain.v1', { ...about, statements })
    const lines = statements.map(({ says, source }) => [says, source ?? ''].join('   ').trimEnd())
    this.say([oneLine(`${name}   ${version}   ${policy.hash}`), ...lines].join('\n'))
  }

  protected exitCodeFor(error: AmbitError): number {
    return error.code.startsWith('ERR_POLICY_') ? EXIT_INVALID : EXIT_FAILURE
  }
}
