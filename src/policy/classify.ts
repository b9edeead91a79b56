// SPDX-License-Identifier: Apache-2.0
import { EFFECT_TYPES } from '../contract/fields.js'
import { argvVectors, type Command } from '../contract/schema.js'
import { curlTargets, type EgressTargets } from './egress.js'
import type { Rules } from './rules.js'

/** What the argvs of a command say about what it does. */
export interface Classification {
  /** The one effect that csc-runner gives: it reads the first argv only, letter by letter. */
  readonly csc: string
  /** The effects, each once; the proposed one where no argv says otherwise. */
  readonly effects: readonly string[]
  /** What its clients contact, one entry for each. */
  readonly targets: readonly EgressTargets[]
}

type FinancialHosts = Pick<Rules, 'cscFinancialHosts' | 'financialHosts'>

const FINANCIAL = 'financial_action'

/** Every effect that a command can be classified as. */
export const CLASSIFIED_EFFECTS: ReadonlySet<string> = new Set([...EFFECT_TYPES, FINANCIAL])

/** Says whether an executable is curl, by whatever path it is called. */
function isCurl(executable: string): boolean {
  return executable.slice(executable.lastIndexOf('/') + 1) === 'curl'
}

function isFinancial(argv: readonly string[], targets: EgressTargets, hosts: readonly string[]) {
  if (hosts.length === 0) return false
  const joined = argv.join(' ').toLowerCase()
  return hosts.some((host) => joined.includes(host) || targets.hosts.includes(host))
}

/** Classifies a command by csc's rule as csc-runner applies it. */
function cscEffect(command: Command, { cscFinancialHosts: hosts }: FinancialHosts): string {
  const [argv = []] = argvVectors(command)
  if (argv[0] !== 'curl') return command.proposed_effect_type
  const joined = argv.join(' ')
  return hosts.some((host) => joined.includes(host)) ? FINANCIAL : 'fetch_external'
}

/**
 * Classifies a command from every argv it would start: csc's rule (curl is `fetch_external`, and
 * `financial_action` when it names an allowed host of Stripe), read without regard to case, to the
 * path of curl and to the place in a pipeline.
 *
 * @param command of a contract
 * @param rules whose hosts name what is financial
 */
export function classify(command: Command, rules: FinancialHosts): Classification {
  const effects = new Set<string>()
  const targets: EgressTargets[] = []
  for (const argv of argvVectors(command)) {
    if (!isCurl(argv[0] ?? '')) continue
    const contacted = curlTargets(argv)
    targets.push(contacted)
    const financial = isFinancial(argv, contacted, rules.financialHosts)
    effects.add(financial ? FINANCIAL : 'fetch_external')
  }
  if (effects.size === 0) effects.add(command.proposed_effect_type)
  return { csc: cscEffect(command, rules), effects: Array.from(effects), targets }
}

/** Returns the published effect that an effect is a kind of. */
export function baseEffect(effect: string): string {
  return effect === FINANCIAL ? 'fetch_external' : effect
}
