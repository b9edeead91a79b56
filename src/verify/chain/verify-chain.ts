// SPDX-License-Identifier: Apache-2.0
// Verifies receipts, and what joins them.
import type { KeySet } from '../keys/key-set.js'
import { examine } from '../receipt.js'
import type { Cosignature, OpenedCheckpoint } from '../tlog/checkpoint.js'
import { type Verdict, quoted } from '../verdict.js'
import { Chain, byId } from './chain.js'
import { type Claims, readClaims } from './claims.js'
import { type SetCode, exitCodeOf, setStatusOf, worst } from './codes.js'
import { type Completeness, compare } from './completeness.js'
import { judgeLinked } from './linked.js'
import { type ChainFault, type Sequence, nodeOf } from './node.js'
import { type Numbered, judgeNumbered } from './numbered.js'
import type { ChainReport, SetFinding, SetVerdict } from './report.js'

/** How receipts are held against each other. */
export interface ChainOptions {
  /** Whether the receipts stand in the order of their chain (default), or in none. */
  readonly sequence?: Sequence
  /** A checkpoint that was kept elsewhere and opened with keys that you trust. */
  readonly checkpoint?: OpenedCheckpoint
  /** The cosignatures of it that were verified, to be named. */
  readonly cosignatures?: readonly Cosignature[]
}

/**
 * Verifies receipts and what joins them: links, gaps, forks, repetitions, order, and runs by their
 * decisions. Bad receipts are verdicts, not errors.
 *
 * Without a checkpoint nobody can see that the newest receipts are missing.
 *
 * @param receipts each one's exact bytes or text
 */
export async function verifyChain(
  receipts: Iterable<Uint8Array | string>,
  keys: KeySet,
  options: ChainOptions = {},
): Promise<{ readonly receipts: readonly Verdict[]; readonly set: SetVerdict }> {
  const verdicts: Verdict[] = []
  const set = new ReceiptSet(options)
  for (const receipt of receipts) {
    const examined = await examine(receipt, keys)
    verdicts.push(examined.verdict)
    set.take(examined.verdict, await readClaims(examined), verdicts.length)
  }
  return { receipts: verdicts, set: await set.finish() }
}

class ReceiptSet {
  readonly #options: ChainOptions
  readonly #sequence: Sequence
  readonly #chains = new Map<string, Chain>()
  readonly #findings: SetFinding[] = []
  /** What the receipts' own verdicts say. */
  readonly #codes = new Set<SetCode>()
  readonly #counts = {
    receipts: 0,
    valid: 0,
    invalid: 0,
    undecidable: 0,
    bare_links: 0,
    key_not_established: 0,
  }
  #completeness: Completeness = { kind: 'integrity_only' }
  #isHeld = false

  constructor(options: ChainOptions) {
    this.#options = options
    this.#sequence = options.sequence ?? 'ordered'
  }

  /** Takes the next receipt; `number` is its place, from 1. */
  take(verdict: Verdict, claims: Claims | undefined, number: number): void {
    this.#count(verdict)
    if (claims === undefined || claims.chain.kind === 'none') return
    const key = `${claims.chain.kind} ${claims.chain.name}`
    const chain = this.#chains.get(key) ?? new Chain(claims.chain)
    this.#chains.set(key, chain)
    const valid = verdict.status === 'valid'
    const node = nodeOf(claims, number, chain.nodes.length, valid)
    chain.nodes.push(node)
    if (!valid) return
    chain.observe(claims, verdict)
    chain.runs.push(node)
    if (claims.previous.kind === 'bare') this.#counts.bare_links += 1
  }

  #count({ status, code, key_status }: Verdict): void {
    this.#counts.receipts += 1
    this.#counts[status] += 1
    if (status === 'invalid') this.#codes.add('RECEIPT_INVALID')
    if (status === 'undecidable') {
      this.#codes.add(code === 'UNKNOWN_KEY' ? 'UNKNOWN_KEY' : 'RECEIPT_UNDECIDABLE')
    }
    if (status === 'valid' && key_status === 'not_established')
      this.#counts.key_not_established += 1
  }

  /** Judges the chains and answers for the whole set. */
  async finish(): Promise<SetVerdict> {
    if (this.#counts.receipts === 0) this.#codes.add('EMPTY')
    const chains: ChainReport[] = []
    for (const chain of [...this.#chains.values()].toSorted(byId)) {
      const report = await this.#judge(chain)
      if (report.receipts > 0) chains.push(report)
    }
    // of a set nothing more is known than of the chain of which least is known
    if (this.#completeness.kind === 'complete_to_checkpoint' && chains.length > 1) {
      this.#completeness = { kind: 'integrity_only' }
    }
    this.#checkUse()
    const code = worst([...this.#codes, ...this.#findings.map((finding) => finding.code)])
    return {
      status: setStatusOf(code),
      code,
      detail: this.#words(code),
      exit_code: exitCodeOf(code),
      counts: this.#counts,
      completeness: this.#completeness,
      chains,
      findings: this.#findings,
    }
  }

  async #judge(chain: Chain): Promise<ChainReport> {
    const common = {
      id: chain.name,
      issuers: chain.issuers,
      issuer_changes: chain.issuerChanges,
      clock_steps_back: chain.clockStepsBack,
    }
    if (chain.id.kind === 'linked') {
      const { faults, receipts, chains, head } = judgeLinked(chain.nodes, this.#sequence)
      this.#report(chain, faults)
      const unnumbered = { first_seq: null, last_seq: null, open_runs: 0 }
      const { convention } = chain
      return { ...common, ...unnumbered, receipts, parts: chains, head, convention }
    }
    const found = judgeNumbered(chain.nodes, this.#sequence)
    await this.#compare(chain, found)
    const { faults, open } = chain.runs.finish(found.entries, found.dense)
    // Of a numbered chain for which nobody vouches nothing is to be said.
    const isVouched = chain.nodes.some(({ valid }) => valid)
    if (isVouched) this.#report(chain, [...found.faults, ...faults])
    return {
      ...common,
      receipts: chain.nodes.length,
      first_seq: found.entries[0]?.seq ?? null,
      last_seq: found.entries.at(-1)?.seq ?? null,
      head: found.entries.at(-1)?.own ?? null,
      open_runs: open,
      parts: 1,
      convention: null,
    }
  }

  /** Holds a ledger against the checkpoint of it. */
  async #compare(chain: Chain, { entries, dense }: Numbered): Promise<void> {
    const { checkpoint: opened, cosignatures = [] } = this.#options
    if (chain.id.kind !== 'ledger' || opened === undefined) return
    const { checkpoint } = opened
    if (checkpoint.origin !== `ambit-ledger/${chain.id.name}`) return
    this.#isHeld = true
    const digests = dense ? entries.map(({ own }) => own) : undefined
    const found = await compare(digests, checkpoint)
    if ('code' in found) {
      this.#completeness = { kind: 'not_complete' }
      this.#findings.push({ ...found, number: null, chain: chain.name })
      return
    }
    const witnesses = cosignatures.map(({ witness }) => witness.name)
    this.#completeness = { ...found, witnesses }
  }

  /** Says so where none of the chains is the checkpoint's own. */
  #checkUse(): void {
    const { checkpoint: opened } = this.#options
    if (opened === undefined || this.#isHeld) return
    const { size, origin } = opened.checkpoint
    const isEmpty = this.#counts.receipts === 0
    this.#completeness = { kind: 'not_complete' }
    this.#findings.push({
      code: isEmpty ? 'CHAIN_TRUNCATED' : 'CHECKPOINT_UNUSED',
      number: null,
      chain: null,
      detail: isEmpty
        ? `the checkpoint covers ${size} entries; none is here`
        : `no receipt here is of the ledger that the checkpoint covers, ${quoted(origin)}`,
    })
  }

  #report(chain: Chain, faults: readonly ChainFault[]): void {
    for (const { code, node, detail } of faults) {
      this.#findings.push({ code, number: node.number, chain: chain.name, detail })
    }
  }

  #words(code: SetCode): string {
    const { receipts, invalid, undecidable } = this.#counts
    if (code === 'OK') return `all ${receipts} receipts are valid, and so is what joins them`
    const first = this.#findings.find((finding) => finding.code === code)
    if (first !== undefined) return first.detail
    if (code === 'EMPTY') return 'there is no receipt'
    if (code === 'UNKNOWN_KEY') return 'a receipt names a key that was not given'
    return code === 'RECEIPT_INVALID'
      ? `${invalid} of ${receipts} receipts are invalid`
      : `${undecidable} of ${receipts} receipts are undecidable`
  }
}
