// SPDX-License-Identifier: Apache-2.0
import { Args } from '@oclif/core'
import { AmbitCommand, oneLine } from '../../cli/command.js'
import { type AmbitError, type PolicyTest, testPolicies } from '../../index.js'

const EXIT_FAILED = 2
const EXIT_INVALID = 3
const EXIT_FAILURE = 1

/** Describes what went wrong with one policy; one line where nothing did. */
function linesOf({ policy, cases, rules, uncovered, ok }: PolicyTest): readonly string[] {
  const failed = cases.filter((result) => !result.ok)
  const covered = `${rules - uncovered.length} of ${rules} rules`
  const head = `${ok ? '✓' : '✗'} ${policy}   ${cases.length - failed.length} of ${cases.length} cases, ${covered}`
  const wrong = failed.flatMap(({ desc, want, got }) => [
    `    ${desc}`,
    `        want ${want.decision} ${want.reason_codes.join(' ')}`,
    `        got  ${got.decision} ${got.reason_codes.join(' ')}`,
  ])
  return [head, ...wrong, ...uncovered.map((rule) => `    no case shows ${rule} at work`)]
}

export default class PolicyTestCommand extends AmbitCommand {
  static override summary = 'try the cases that stand beside policies'
  static override description =
    'every case of `cases.json` must be decided as it says, and every rule must be at work in one; ' +
    'exit codes: 0 all well, 2 a case or a rule is not, 3 invalid document, 1 internal failure'
  static override examples = ['<%= config.bin %> policy test policies']
  static override strict = false
  static override args = {
    path: Args.string({
      description: 'policy file, folder with policy.yaml, or folder of such folders',
      required: true,
    }),
  }
  static override flags = AmbitCommand.shared

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(PolicyTestCommand)
    this.json = flags.json
    const tests = await testPolicies(argv.map(String))
    const ok = tests.every((test) => test.ok)
    if (flags.json) this.emit('ambit.policy-test.v1', { ok, policies: tests })
    this.say(tests.flatMap(linesOf).map(oneLine).join('\n'))
    this.finish(ok ? 0 : EXIT_FAILED)
  }

  protected exitCodeFor(error: AmbitError): number {
    return /^ERR_(?:CONTRACT|POLICY)_/.test(error.code) ? EXIT_INVALID : EXIT_FAILURE
  }
}
