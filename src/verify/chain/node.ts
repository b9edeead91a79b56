// SPDX-License-Identifier: Apache-2.0
import { type Claims, ZEROS } from './claims.js'
import type { SetCode } from './codes.js'

/** One receipt of a chain. */
export interface Node {
  readonly own: string
  /** Zeros where `link` says that there is none. */
  readonly previous: string
  /** Its number, or 0. */
  readonly seq: number
  /** Its place among the receipts that were given, from 1. */
  readonly number: number
  /** How many of its chain came before it. */
  readonly index: number
  readonly link: 'first' | 'named' | 'unreadable'
  readonly role: Claims['role']
  /** Whether its verdict is `valid`. */
  readonly valid: boolean
}

/** A fault of a chain: where it shows, and words. */
export interface ChainFault {
  readonly code: SetCode
  readonly node: Node
  readonly detail: string
}

/** Whether the order in which receipts were given says anything. */
export type Sequence = 'ordered' | 'unordered'

/** Makes a node of what a receipt claims. */
export function nodeOf(claims: Claims, number: number, index: number, valid: boolean): Node {
  const { own, previous, seq, role } = claims
  const digest = 'digest' in previous ? previous.digest : ZEROS
  const link = previous.kind === 'bare' ? 'named' : previous.kind
  return { own, previous: digest, seq, number, index, link, role, valid }
}
