// SPDX-License-Identifier: Apache-2.0
// What `ambit check` answers, however its words were read.
import {
  type AmbitError,
  type Mode,
  type PolicyDecision,
  check,
  explain,
  explainReasons,
  loadContract,
  loadPolicy,
} from '../index.js'
import { emit, say } from './answer.js'
import { oneLine } from './text.js'

const EXIT = { allow: 0, deny: 2, needs_approval: 4 } as const
const EXIT_INVALID = 3
const EXIT_FAILURE = 1

/** What is asked. */
export interface CheckWords {
  /** Files. */
  readonly contract: string
  readonly policy: string
  readonly approvals: readonly string[]
  readonly mode: Mode
  readonly explain: boolean
  readonly json: boolean
}

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

/**
 * Decides, and prints the answer.
 *
 * @returns the exit code
 * @throws {@link AmbitError} for documents that cannot be read
 */
export async function answerCheck(words: CheckWords): Promise<number> {
  const { mode, approvals, json } = words
  const contract = await loadContract(words.contract)
  const policy = await loadPolicy(words.policy)
  const decision = await check({ contract, policy, mode, approvals })
  if (json) {
    const explanation = words.explain && {
      explanation: explainReasons(decision, contract, policy),
    }
    emit('ambit.check.v1', { decision, ...explanation })
  } else {
    const more = words.explain ? moreAbout(decision) : []
    say([...explain(decision, contract, policy), ...more].join('\n'))
  }
  return EXIT[decision.decision]
}

/** Returns the exit code of an error. */
export function checkExitCode(error: AmbitError): number {
  return /^ERR_(?:APPROVAL|CONTRACT|POLICY)_/.test(error.code) ? EXIT_INVALID : EXIT_FAILURE
}
