// SPDX-License-Identifier: Apache-2.0
// When a key was good: its window and its revocation.
import { type Instant, isBefore, parseInstant } from '../time.js'

/**
 * The times between which a key's signatures count, each an RFC 3339 time with its zone. The window
 * is half open: a receipt of exactly `validUntil` is outside. A bound that is no such time, or a
 * window without extent, makes receipts of the key undecidable: it is not ignored.
 */
export interface KeyWindow {
  /** The first moment at which the key was good. */
  readonly validFrom?: string | undefined
  /** The first moment at which it no longer was. */
  readonly validUntil?: string | undefined
  /** The moment from which nothing that it signed is to be believed. */
  readonly revokedAt?: string | undefined
}

/** What the trusted keys say about when a receipt was issued. */
export type KeyStatus = 'inside' | 'not_established' | 'outside' | 'revoked' | 'undecidable'

/** A bound: none, one that cannot be read, or a time. */
type Bound = 'none' | 'unreadable' | Instant

/** A window, read. */
export class Window {
  readonly #from: Bound
  readonly #until: Bound
  readonly #revoked: Bound
  readonly #text: string

  constructor(window: KeyWindow) {
    this.#from = readBound(window.validFrom)
    this.#until = readBound(window.validUntil)
    this.#revoked = readBound(window.revokedAt)
    const bounds = [this.#from, this.#until, this.#revoked]
    this.#text = JSON.stringify(
      bounds.map((bound) =>
        typeof bound === 'string' ? bound : { seconds: bound.seconds, fraction: bound.fraction },
      ),
    )
  }

  /** Whether two windows have the same bounds. */
  equals(other: Window): boolean {
    return this.#text === other.#text
  }

  /** Whether the key was revoked at some time. */
  get hasRevocation(): boolean {
    return this.#revoked !== 'none'
  }

  /** Says what the revocation makes of a receipt; nothing where there is none, or a later one. */
  revocation(issued: Instant | undefined): KeyStatus | undefined {
    if (this.#revoked === 'none') return undefined
    if (this.#revoked === 'unreadable' || issued === undefined) return 'undecidable'
    return isBefore(issued, this.#revoked) ? undefined : 'revoked'
  }

  /** Says where a receipt stands; nothing is a time that could not be read. */
  place(issued: Instant | undefined): KeyStatus {
    const [from, until] = [this.#from, this.#until]
    if (from === 'none' && until === 'none' && !this.hasRevocation) return 'not_established'
    if (issued === undefined) return 'undecidable'
    const revocation = this.revocation(issued)
    if (revocation !== undefined) return revocation
    if (from === 'unreadable' || until === 'unreadable') return 'undecidable'
    return within(from, until, issued)
  }
}

function within(from: Instant | 'none', until: Instant | 'none', issued: Instant): KeyStatus {
  if (from === 'none' && until === 'none') return 'not_established'
  if (from !== 'none' && until !== 'none' && !isBefore(from, until)) return 'undecidable'
  if (from !== 'none' && isBefore(issued, from)) return 'outside'
  if (until !== 'none' && !isBefore(issued, until)) return 'outside'
  return 'inside'
}

function readBound(text: string | undefined): Bound {
  return text === undefined ? 'none' : (parseInstant(text) ?? 'unreadable')
}
