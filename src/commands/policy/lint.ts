// SPDX-License-Identifier: Apache-2.0
import { Args } from '@oclif/core'
import { AmbitCommand, oneLine } from '../../cli/command.js'
import { type AmbitError, lintPolicy, loadPolicy } from '../../index.js'

const EXIT_WARNING = 2
const EXIT_INVALID = 3
const EXIT_FAILURE = 1

export default class PolicyLint extends AmbitCommand {
  static override summary = 'say what is odd about a policy that is valid'
  static override description =
    'rules that never apply or give more than they seem to, and text that YAML 1.1 reads otherwise; ' +
    'exit codes: 0 nothing but notes, 2 warnings, 3 invalid document, 1 internal failure'
  static override examples = ['<%= config.bin %> policy lint policy.yaml']
  static override args = {
    policy: Args.string({ description: 'policy file (YAML)', required: true }),
  }
  static override flags = AmbitCommand.shared

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PolicyLint)
    this.json = flags.json
    const policy = await loadPolicy(args.policy)
    const findings = lintPolicy(policy)
    const warnings = findings.filter(({ severity }) => severity === 'warning').length
    if (flags.json) this.emit('ambit.policy-lint.v1', { policy_sha256: policy.hash, findings })
    const lines = findings.map(
      ({ line, column, severity, code, message }) =>
        `${args.policy}:${line}:${column}: ${severity} ${code}\n    ${message}`,
    )
    const counts = `${warnings} warnings, ${findings.length - warnings} notes`
    this.say(
      [...lines, `${warnings === 0 ? '✓' : '✗'} ${oneLine(args.policy)}   ${counts}`].join('\n'),
    )
    this.finish(warnings === 0 ? 0 : EXIT_WARNING)
  }

  protected exitCodeFor(error: AmbitError): number {
    return error.code.startsWith('ERR_POLICY_') ? EXIT_INVALID : EXIT_FAILURE
  }
}
