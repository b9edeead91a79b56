// SPDX-License-Identifier: Apache-2.0
import { trustedOf } from '../keys/signer.js'
import { addon, unwrapJson } from '../native.js'
import type { Trust } from './request.js'

/** What the trusted keys say about the time of a receipt. */
export type KeyStatus = 'inside' | 'not_established' | 'outside' | 'revoked' | 'undecidable'

/** What verifying one receipt found. */
export interface Verdict {
  readonly status: 'invalid' | 'undecidable' | 'valid'
  /** Why, for example `INVALID_SIGNATURE`. */
  readonly code: string
  /** For people; hostile text in it is escaped and cut. */
  readonly detail: string
  /** The format, where the document has the shape of one. */
  readonly format: string | null
  /** The key the receipt names: its own claim unless the receipt is valid. */
  readonly key_id: string | null
  /** The payload's type: its own claim unless the receipt is valid. */
  readonly payload_type: string | null
  /** Where the receipt's time stands in the key's window; null unless a trusted signature holds. */
  readonly key_status: KeyStatus | null
  /** Whether a valid receipt's bytes are the canonical text of its format. */
  readonly canonical: boolean
  /** SHA-256 of the document's canonical text, 64 hex digits. */
  readonly digest: string | null
}

/**
 * Verifies one receipt, offline. A bad receipt is a verdict, not an error.
 *
 * @param receipt the receipt's bytes, or its text
 * @throws {@link KeyError} for a key that cannot be used
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 *
 * const receipt = await readFile('receipt.json')
 * const verdict = await verifyReceipt(receipt, { keys: [{ path: 'key.pub.pem' }] })
 * console.log(verdict.status, verdict.code)
 * ```
 */
export async function verifyReceipt(receipt: Uint8Array | string, trust: Trust): Promise<Verdict> {
  const document = typeof receipt === 'string' ? bytesOf(receipt) : receipt
  const { keys = [], jwks = [] } = trust
  const answer = addon.verifyReceipt(document, trustedOf(keys), [...jwks])
  return await Promise.resolve(unwrapJson<Verdict>(answer))
}

/**
 * Returns the UTF-8 of a text. One with half a surrogate pair has none: what stands for it here is
 * not UTF-8 either, so that the text is refused and not taken for another.
 */
function bytesOf(text: string): Uint8Array {
  if (text.isWellFormed()) return Buffer.from(text)
  const before = text.slice(0, text.search(/\p{Surrogate}/u))
  return Buffer.concat([Buffer.from(before), Buffer.of(0xff)])
}
