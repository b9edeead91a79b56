// SPDX-License-Identifier: Apache-2.0
// Chains whose receipts are numbered from 1: ledgers of ours, and those of the `sb` program.
import type { ChainFault, Node, Sequence } from './node.js'

/** What the numbers and links of a chain say. */
export interface Numbered {
  readonly faults: readonly ChainFault[]
  /** One node for each number that is there, in order; of a fork the first that came. */
  readonly entries: readonly Node[]
  /** Whether every number from 1 to the last is there. */
  readonly dense: boolean
}

/** Judges the nodes of one chain, in whatever order. */
export function judgeNumbered(nodes: readonly Node[], sequence: Sequence): Numbered {
  // Of one number the valid ones come first: what nobody vouches for opens no fork.
  const sorted = nodes.toSorted(
    (a, b) => a.seq - b.seq || Number(b.valid) - Number(a.valid) || a.index - b.index,
  )
  const faults: ChainFault[] = []
  const entries: Node[] = []
  let before: readonly Node[] = []
  let latest = 0
  let dense = true
  for (const group of groups(sorted)) {
    const [first] = group
    if (first === undefined) continue
    const same = distinct(group, faults)
    const missing = gap(before, first)
    if (missing !== undefined) {
      dense = false
      faults.push(missing)
    }
    for (const node of same) faults.push(...linkFaults(before, node))
    if (sequence === 'ordered' && first.index < latest) {
      const detail = `receipt ${first.seq} stands behind a later one`
      faults.push({ code: 'CHAIN_ORDER', node: first, detail })
    }
    latest = Math.max(latest, first.index)
    before = same
    entries.push(first)
  }
  return { faults, entries, dense }
}

function groups(sorted: readonly Node[]): readonly (readonly Node[])[] {
  const found = new Map<number, Node[]>()
  for (const node of sorted) {
    const group = found.get(node.seq)
    if (group === undefined) found.set(node.seq, [node])
    else group.push(node)
  }
  return [...found.values()]
}

/** Returns the receipts of one number that differ, and names what is there twice. */
function distinct(group: readonly Node[], faults: ChainFault[]): readonly Node[] {
  const same: Node[] = []
  for (const node of group) {
    // What is not valid takes part only where nothing valid has the number.
    if (!node.valid && same.some((other) => other.valid)) continue
    if (same.some((other) => other.own === node.own)) {
      const detail = `receipt ${node.seq} is there twice`
      faults.push({ code: 'CHAIN_DUPLICATE', node, detail })
      continue
    }
    if (same.length >= MAX_BRANCHES) continue
    if (node.valid && same.length > 0) {
      const detail = `two receipts have the number ${node.seq}`
      faults.push({ code: 'CHAIN_FORK', node, detail })
    }
    same.push(node)
  }
  return same
}

/** Returns the numbers that are missing before a receipt, as a fault. */
function gap(before: readonly Node[], node: Node): ChainFault | undefined {
  const from = (before[0]?.seq ?? 0) + 1
  if (node.seq <= from) return undefined
  const until = node.seq - 1
  const detail =
    from === until ? `receipt ${from} is missing` : `receipts ${from} to ${until} are missing`
  return { code: 'CHAIN_GAP', node, detail }
}

/** Checks that a receipt names the one before it. */
function linkFaults(before: readonly Node[], node: Node): readonly ChainFault[] {
  const detail = linkFault(before, node)
  return detail === undefined ? [] : [{ code: 'CHAIN_BROKEN', node, detail }]
}

function linkFault(before: readonly Node[], node: Node): string | undefined {
  const { seq, link } = node
  if (link === 'first') {
    return seq === 1 ? undefined : `receipt ${seq} names no receipt before it`
  }
  if (link === 'unreadable') return `receipt ${seq} names the one before it in an unknown spelling`
  if (seq <= 1) return 'the first receipt names one before it'
  const isAdjacent = before[0]?.seq === seq - 1
  if (!isAdjacent || before.some((other) => other.own === node.previous)) return undefined
  return `receipt ${seq} does not name receipt ${seq - 1}, the one before it`
}

/** How many receipts of one number are remembered. */
const MAX_BRANCHES = 16
