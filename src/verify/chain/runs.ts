// SPDX-License-Identifier: Apache-2.0
// The two phases of a run: each execution belongs to one decision that allowed it.
import type { ChainFault, Node } from './node.js'

/** Decisions and executions of one ledger, as they came. */
export class Runs {
  /** Decisions that allow and have no execution yet, by their digest. */
  readonly #open = new Map<string, Node>()
  /** Executions whose decision was not open when they came. */
  readonly #unmatched: Node[] = []
  readonly #faults: ChainFault[] = []

  /** Takes a valid receipt. */
  push(node: Node): void {
    const { role } = node
    if (role.kind === 'allow' && !this.#open.has(node.own)) this.#open.set(node.own, node)
    if (role.kind !== 'execution') return
    if (this.#open.has(role.decision)) this.#execute(node)
    else this.#unmatched.push(node)
  }

  #execute(node: Node): void {
    const decision = node.role.kind === 'execution' ? node.role.decision : ''
    const opened = this.#open.get(decision)
    const isSame =
      opened?.role.kind === 'allow' &&
      node.role.kind === 'execution' &&
      opened.role.run === node.role.run
    if (isSame && opened.seq < node.seq) this.#open.delete(decision)
    else this.#fault(node, 'names the decision of another run')
  }

  #fault(node: Node, words: string): void {
    const detail = `execution ${node.seq} ${words}`
    this.#faults.push({ code: 'DECISION_MISMATCH', node, detail })
  }

  /**
   * Judges what is left.
   *
   * @param entries the ledger's entries
   * @param whole whether none of them is missing
   */
  finish(
    entries: readonly Node[],
    whole: boolean,
  ): { readonly faults: readonly ChainFault[]; readonly open: number } {
    const byDigest = new Map(entries.filter(({ valid }) => valid).map((node) => [node.own, node]))
    for (const node of this.#unmatched) {
      const decision = node.role.kind === 'execution' ? node.role.decision : ''
      if (this.#open.has(decision)) {
        this.#execute(node)
        continue
      }
      const words = wordsOf(byDigest.get(decision), whole)
      if (words !== undefined) this.#fault(node, words)
    }
    return { faults: this.#faults, open: this.#open.size }
  }
}

function wordsOf(named: Node | undefined, whole: boolean): string | undefined {
  switch (named?.role.kind) {
    case 'allow':
      return 'is the second one of its decision'
    case 'refusal':
      return 'names a decision that did not allow it'
    case 'execution':
    case 'other':
      return 'names a receipt that is no decision'
    case undefined:
      // Otherwise its decision may be one of the entries that are missing: that is said already.
      return whole ? 'names a decision that is not in its ledger' : undefined
  }
}
