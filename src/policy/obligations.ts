// SPDX-License-Identifier: Apache-2.0
import { argvVectors, type LoadedContract } from '../contract/schema.js'
import type { Obligation, PolicyDecision } from './decision.js'
import type { Policy } from './schema.js'

/** Returns the files that the names in an argv stand for. */
function pinsOf(contract: LoadedContract, { rules }: Policy): readonly Obligation[] {
  if (rules.executables.size === 0) return []
  return contract.commands.flatMap((command) =>
    argvVectors(command).flatMap(([name = '']): readonly Obligation[] => {
      const pin = rules.executables.get(name.slice(name.lastIndexOf('/') + 1))
      if (pin === undefined || (pin.path === name && pin.sha256 === undefined)) return []
      const { path, sha256 } = pin
      const known = { require: 'executable', command_id: command.id, name, path } as const
      return [sha256 === undefined ? known : { ...known, sha256 }]
    }),
  )
}

/**
 * Returns what a runner has to see to before it starts the commands of a contract.
 *
 * @param contract as it was read
 * @param policy as it was read
 */
export function obligationsOf(contract: LoadedContract, policy: Policy): readonly Obligation[] {
  const { obligations = [], enforcement_floor: tier } = policy.document
  const floor = tier === undefined ? [] : [{ require: 'enforcement_floor', tier } as const]
  return [...obligations, ...floor, ...pinsOf(contract, policy)]
}

/** What a run sees to. */
const SEEN_TO: ReadonlySet<Obligation['require']> = new Set([
  'clean_work_tree',
  'enforcement_floor',
  'executable',
])

/**
 * Returns the obligations of a decision that this version cannot see to. A runner refuses a decision
 * for which the list is not empty. A floor is seen to by the launch,
 * which runs nothing below it. Executables are compared right before they start.
 *
 * @param decision as `evaluate` returned it
 */
export function unmetObligations(decision: PolicyDecision): readonly Obligation[] {
  return decision.obligations?.filter(({ require }) => !SEEN_TO.has(require)) ?? []
}
