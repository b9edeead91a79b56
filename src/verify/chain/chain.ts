// SPDX-License-Identifier: Apache-2.0
import { hex, utf8 } from '../bytes.js'
import type { Verdict } from '../verdict.js'
import type { ChainId, Claims } from './claims.js'
import type { Node } from './node.js'
import { Runs } from './runs.js'

/** What is gathered of one chain while its receipts come. */
export class Chain {
  readonly id: ChainId
  readonly nodes: Node[] = []
  readonly runs = new Runs()
  readonly issuers: string[] = []
  issuerChanges = 0
  clockStepsBack = 0
  convention: string | null = null
  #issuer = ''
  #lastIssued: bigint | undefined
  #others: Claims['others'] = []

  constructor(id: ChainId) {
    this.id = id
  }

  get name(): string {
    const { kind, name } = this.id
    return kind === 'linked' ? name : `${kind}:${name}`
  }

  /** Remembers who signed a valid receipt, and whether the clock went back. */
  observe(claims: Claims, verdict: Verdict): void {
    this.#observeIssuer(verdict.key_id ?? '')
    const { issued, previous, others } = claims
    if (issued !== undefined) {
      if (this.#lastIssued !== undefined && issued < this.#lastIssued) this.clockStepsBack += 1
      this.#lastIssued = issued
    }
    const named = 'digest' in previous ? previous.digest : undefined
    this.convention ??= this.#others.find(([, digest]) => digest === named)?.[0] ?? null
    this.#others = others
  }

  #observeIssuer(key: string): void {
    if (key === this.#issuer) return
    if (this.#issuer !== '') this.issuerChanges += 1
    this.#issuer = key
    if (this.issuers.length < MAX_ISSUERS && !this.issuers.includes(key)) this.issuers.push(key)
  }
}

/** Orders chains by their kind and the UTF-8 of their names. */
export function byId(a: Chain, b: Chain): number {
  return sortKey(a) < sortKey(b) ? -1 : 1
}

function sortKey({ id }: Chain): string {
  return `${id.kind} ${hex(utf8(id.name))}`
}

/** How many keys of a chain are named. */
const MAX_ISSUERS = 16
