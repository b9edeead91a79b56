// SPDX-License-Identifier: Apache-2.0
// Chains without numbers: each receipt names the one before by its digest, and nothing else says
// where it belongs.
import { ZEROS } from './claims.js'
import type { ChainFault, Node, Sequence } from './node.js'

/** What the links of receipts of one format say. */
export interface Linked {
  readonly faults: readonly ChainFault[]
  /** Receipts that are linked to another one or claim to be. */
  readonly receipts: number
  /** Chains among them: beginnings, and receipts whose predecessor is missing. */
  readonly chains: number
  /** The digest of the one receipt that no other names, if there is one. */
  readonly head: string | null
}

/** Judges the nodes of one format, given in the order in which they came. */
export function judgeLinked(nodes: readonly Node[], sequence: Sequence): Linked {
  if (nodes.every(({ link }) => link === 'first')) {
    return { faults: [], receipts: 0, chains: 0, head: null }
  }
  const judge = new Judge(nodes, sequence)
  for (const [at, node] of nodes.entries()) judge.take(at, node)
  const heads = nodes.filter(({ own }) => !judge.isParent(own))
  const head = heads.length === 1 ? (heads[0]?.own ?? null) : null
  return { faults: judge.faults, receipts: judge.receipts, chains: judge.chains, head }
}

class Judge {
  readonly faults: ChainFault[] = []
  receipts = 0
  chains = 0
  readonly #ordered: boolean
  /** Where the first receipt with a digest stands. */
  readonly #own = new Map<string, number>()
  /** Where the first valid receipt stands that names a digest. */
  readonly #children = new Map<string, number>()

  constructor(nodes: readonly Node[], sequence: Sequence) {
    this.#ordered = sequence === 'ordered'
    for (const [at, { own, previous, link, valid }] of nodes.entries()) {
      if (!this.#own.has(own)) this.#own.set(own, at)
      const names = valid && link === 'named' && !this.#children.has(previous)
      if (names) this.#children.set(previous, at)
    }
  }

  isParent(own: string): boolean {
    return this.#children.has(own)
  }

  take(at: number, node: Node): void {
    const isFirst = node.link === 'first'
    const isParent = this.isParent(node.own)
    if (!isFirst || isParent || this.#ordered) this.receipts += 1
    if ((this.#own.get(node.own) ?? at) < at) {
      if (!isFirst || isParent)
        this.#fault('CHAIN_DUPLICATE', node, 'the same receipt is there twice')
      return
    }
    if (isFirst) this.#first(at, node, isParent)
    else if (node.link === 'named') this.#named(at, node)
    else
      this.#fault(
        'CHAIN_BROKEN',
        node,
        'the receipt names the one before it in an unknown spelling',
      )
  }

  /** A receipt that names none before it: the first of a chain. */
  #first(at: number, node: Node, isParent: boolean): void {
    if (isParent || this.#ordered) this.chains += 1
    if (at === 0 || !this.#ordered) return
    this.#fault('CHAIN_BROKEN', node, 'the receipt names none before it, but is not the first')
  }

  /** A receipt that names one before it. */
  #named(at: number, node: Node): void {
    const parent = this.#own.get(node.previous)
    if (parent === undefined) {
      this.#orphan(at, node)
      return
    }
    if (this.#ordered && parent > at) {
      this.#fault('CHAIN_ORDER', node, 'the receipt stands before the one that it follows')
    }
    // Only what somebody vouches for opens a fork, and only a receipt that is another one.
    if (node.valid && (this.#children.get(node.previous) ?? at) < at) {
      this.#fault('CHAIN_FORK', node, 'two receipts name the same one before them')
    }
  }

  #orphan(at: number, node: Node): void {
    this.chains += 1
    if (node.previous === ZEROS) {
      this.#fault('CHAIN_BROKEN', node, 'the receipt names zeros as the one before it')
    } else if (this.#ordered && at > 0) {
      const detail =
        'the receipt does not name one that is there before it: one was removed or changed'
      this.#fault('CHAIN_BROKEN', node, detail)
    } else {
      this.#fault('CHAIN_GAP', node, 'the receipt before this one is missing')
    }
  }

  #fault(code: ChainFault['code'], node: Node, detail: string): void {
    this.faults.push({ code, node, detail })
  }
}
