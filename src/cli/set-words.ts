// SPDX-License-Identifier: Apache-2.0
// What `ambit verify` says to people.
import { oneLine } from './command.js'
import type { Completeness, ReceiptResult, SetFinding, SetVerdict } from '../index.js'

/** So many receipts are told one by one. */
const FEW = 20
/** So many bad ones are told of a set. */
const MANY = 100
/** So many findings are told of a set. */
const FINDINGS = 50

/** Turns results into lines as they come. */
export class SetWords {
  /** Good receipts, as long as there are few. */
  #few: string[] | undefined = []
  #bad = 0
  #all = 0
  #isSet = false

  /** Returns the lines that one more receipt adds. */
  add(result: ReceiptResult): readonly string[] {
    this.#all += 1
    this.#isSet ||= this.#all > 1 || result.number !== null
    if (this.#all > FEW) this.#few = undefined
    if (result.verdict?.status === 'valid') {
      this.#few?.push(receipt(result))
      return []
    }
    this.#bad += 1
    return this.#bad > MANY ? [] : [receipt(result)]
  }

  /** Returns the lines that end it all. */
  end(set: SetVerdict): readonly string[] {
    const lines = [...(this.#few ?? [])]
    if (this.#bad > MANY) lines.push(`✗ … and ${this.#bad - MANY} more`)
    lines.push(...set.findings.slice(0, FINDINGS).map(finding))
    const more = set.findings_total - Math.min(set.findings.length, FINDINGS)
    if (more > 0) lines.push(`✗ … and ${more} more findings`)
    const alone = this.#all === 1 && !this.#isSet && set.findings_total === 0
    if (!alone || set.completeness.kind !== 'integrity_only') lines.push(...summary(set))
    return lines
  }
}

function receipt({ source, number, verdict, error }: ReceiptResult): string {
  const name = place(source, number)
  if (verdict === undefined) {
    return `✗ unreadable  ${name}   ${error?.code ?? ''}\n    ${oneLine(error?.message ?? '')}`
  }
  const mark = verdict.status === 'valid' ? '✓' : '✗'
  const type = verdict.payload_type === null ? '' : `  ${JSON.stringify(verdict.payload_type)}`
  return `${mark} ${verdict.status}  ${name}   ${verdict.code}${type}\n    ${verdict.detail}`
}

function finding({ code, source, number, detail }: SetFinding): string {
  const where = source === null ? '' : `  ${place(source, number)}`
  return `✗ ${code}${where}\n    ${detail}`
}

function summary(set: SetVerdict): string[] {
  const { counts } = set
  const mark = set.status === 'valid' ? '✓' : '✗'
  const parts = (['valid', 'invalid', 'undecidable', 'unreadable'] as const)
    .filter((name) => counts[name] > 0)
    .map((name) => `${counts[name]} ${name}`)
  const open = set.chains.reduce((sum, chain) => sum + chain.open_runs, 0)
  const notes = [
    note(counts.dated_later, 'dated after the moment of verification'),
    note(counts.bare_links, 'linked without the prefix `sha256:`'),
    note(open, 'allowed without an outcome here'),
  ]
  const chains = set.chains.length === 0 ? '' : ` · chains: ${set.chains.length}`
  return [
    `${mark} ${set.status}  set of ${counts.receipts}   ${set.code}`,
    `    ${parts.join(', ') || 'nothing to verify'}${chains}`,
    ...(set.chains.length === 0 ? [] : [`    ${completeness(set.completeness)}`]),
    ...notes.filter((text) => text !== ''),
  ]
}

function note(count: number, words: string): string {
  return count === 0 ? '' : `    ${count} ${words}`
}

function completeness(found: Completeness): string {
  switch (found.kind) {
    case 'complete_to_checkpoint':
      return (
        `complete up to ${found.size}, the checkpoint of ${JSON.stringify(found.origin)}` +
        `${witnessed(found.witnesses)}; ${found.beyond} newer`
      )
    case 'included':
      return (
        `entry ${found.seq} is in the log ${JSON.stringify(found.origin)} of ${found.size}` +
        `${witnessed(found.witnesses)}; of others nothing is known`
      )
    case 'integrity_only':
      return found.beside === undefined
        ? 'integrity only: give a checkpoint to detect a missing tail'
        : `integrity only: its own checkpoint of ${found.beside.size} is met; ` +
            'give one that was kept elsewhere to detect a missing tail'
    case 'not_complete':
      return 'not complete: the set is not what the checkpoint covers'
  }
}

function witnessed(names: readonly string[]): string {
  return names.length === 0
    ? ''
    : `, seen by ${names.map((name) => JSON.stringify(name)).join(', ')}`
}

function place(source: string, number: number | null): string {
  const name = JSON.stringify(source).slice(1, -1)
  return number === null ? name : `${name}:${number}`
}
