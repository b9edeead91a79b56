// SPDX-License-Identifier: Apache-2.0
import { MAX_REASONS, type PolicyReason, type Verdict } from './decision.js'
import { REASON_CODES, type ReasonCode } from './reason-codes.js'
import type { Policy } from './schema.js'

/** What a finding is about. */
export interface FindingOptions {
  readonly commandId?: string
  readonly value?: string | number | readonly string[]
  /** The path of the rule in the policy, such as `network` or `deny_argv_prefixes[2]`. */
  readonly rule?: string
}

/** Collects reasons: csc's in csc's order, and ours behind them. */
export class Findings {
  readonly #policy: Policy
  readonly #csc: PolicyReason[] = []
  readonly #own: PolicyReason[] = []
  readonly #codes = new Set<ReasonCode>()
  readonly #rules = new Set<string>()
  #total = 0

  constructor(policy: Policy) {
    this.#policy = policy
  }

  /** Adds a finding that csc-runner's checks make too. */
  csc(code: ReasonCode, message: string, options: FindingOptions = {}): void {
    this.#add(this.#csc, code, message, options)
  }

  /** Adds a finding that only Ambit's checks make. */
  own(code: ReasonCode, message: string, options: FindingOptions = {}): void {
    this.#add(this.#own, code, message, options)
  }

  /** The verdict so far: deny wins over needs_approval, which wins over allow. */
  verdict(): Verdict {
    const effects = new Set(Array.from(this.#codes, (code) => REASON_CODES[code].effect))
    if (effects.has('deny')) return 'deny'
    return effects.has('needs_approval') ? 'needs_approval' : 'allow'
  }

  /** The paths of the rules that findings come from. */
  rules(): ReadonlySet<string> {
    return this.#rules
  }

  /** Every code that applies, sorted. */
  codes(): readonly ReasonCode[] {
    return Array.from(this.#codes).toSorted()
  }

  /** The first reasons, at most {@link MAX_REASONS}. */
  reasons(): readonly PolicyReason[] {
    return [...this.#csc, ...this.#own].slice(0, MAX_REASONS)
  }

  /** How many reasons there were. */
  total(): number {
    return this.#total
  }

  #add(list: PolicyReason[], code: ReasonCode, message: string, options: FindingOptions): void {
    this.#codes.add(code)
    this.#total += 1
    if (options.rule !== undefined) this.#rules.add(options.rule)
    if (list.length >= MAX_REASONS) return
    const { commandId, value, rule } = options
    const source = rule === undefined ? undefined : this.#place(rule)
    list.push({
      code,
      message,
      ...(commandId === undefined ? {} : { command_id: commandId }),
      ...(value === undefined ? {} : { value }),
      ...(source === undefined ? {} : { source }),
    })
  }

  #place(rule: string): string | undefined {
    const place = this.#policy.places.at(rule)
    return place && `${this.#policy.sourceName}:${place.line}:${place.column}`
  }
}
