// SPDX-License-Identifier: Apache-2.0
import { Args } from '@oclif/core'
import { AmbitCommand, oneLine } from '../../cli/command.js'
import { type AmbitError, type PolicyChange, diffPolicies, loadPolicy } from '../../index.js'

const EXIT_WIDER = 2
const EXIT_INVALID = 3
const EXIT_FAILURE = 1

const SIGNS = { added: '+', changed: '~', removed: '-' } as const

function lineOf({ rule, change, effect, from, to }: PolicyChange): string {
  const values = [from, to].filter((value) => value !== undefined)
  const what = values.map((value) => JSON.stringify(value)).join(' → ')
  return oneLine(`${SIGNS[change]} ${effect.padEnd(8)} ${rule}: ${what}`)
}

export default class PolicyDiff extends AmbitCommand {
  static override summary = 'say how one policy differs from another, and what allows more'
  static override description =
    'each rule by itself; exit codes: 0 nothing allows more, 2 something does or cannot be told, ' +
    '3 invalid document, 1 internal failure'
  static override examples = ['<%= config.bin %> policy diff old.yaml new.yaml']
  static override args = {
    from: Args.string({ description: 'policy before', required: true }),
    to: Args.string({ description: 'policy after', required: true }),
  }
  static override flags = AmbitCommand.shared

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PolicyDiff)
    this.json = flags.json
    const [from, to] = [await loadPolicy(args.from), await loadPolicy(args.to)]
    const changes = diffPolicies(from, to)
    const wider = changes.some(({ effect }) => effect === 'wider' || effect === 'unclear')
    const digests = { from_sha256: from.hash, to_sha256: to.hash }
    if (flags.json) this.emit('ambit.policy-diff.v1', { ...digests, wider, changes })
    this.say(changes.length === 0 ? '✓ no difference' : changes.map(lineOf).join('\n'))
    this.finish(wider ? EXIT_WIDER : 0)
  }

  protected exitCodeFor(error: AmbitError): number {
    return error.code.startsWith('ERR_POLICY_') ? EXIT_INVALID : EXIT_FAILURE
  }
}
