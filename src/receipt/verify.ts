// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises'
import { ReceiptError } from '../errors.js'
import type { TrustedKey } from '../keys/signer.js'
import { addon, unwrapJson } from '../native.js'

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

/** What is verified, and with which keys. */
export interface VerifyOptions {
  /** A receipt's file, or its bytes. */
  readonly receipt: Uint8Array | string
  /** Public keys to trust. They never come from the receipt. */
  readonly keys: readonly TrustedKey[]
  /** Key sets (JWKS documents) to trust besides, with their windows and revocations. */
  readonly jwks?: readonly Uint8Array[]
}

/** Largest receipt that is read, bytes; the verifier's own limit is lower. */
const MAX_BYTES = 8 * 1024 * 1024

/**
 * Verifies one receipt, offline. A bad receipt is a verdict, not an error.
 *
 * @throws {@link ReceiptError} `ERR_RECEIPT_UNREADABLE` for a file that cannot be read
 * @throws {@link KeyError} for a key that cannot be used
 * @example
 * ```ts
 * const verdict = await verify({ receipt: 'receipt.json', keys: [{ path: 'key.pub.pem' }] })
 * console.log(verdict.status, verdict.code)
 * ```
 */
export async function verify(options: VerifyOptions): Promise<Verdict> {
  const { receipt, keys, jwks = [] } = options
  const document = typeof receipt === 'string' ? await readReceipt(receipt) : receipt
  return verifyDocument(document, keys, jwks)
}

async function readReceipt(path: string): Promise<Uint8Array> {
  try {
    const found = await stat(path)
    if (!found.isFile()) throw new Error('not a regular file')
    if (found.size > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`)
    return await readFile(path)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ReceiptError('ERR_RECEIPT_UNREADABLE', `\`${path}\` cannot be read: ${reason}`, {
      cause,
    })
  }
}

/**
 * Verifies one receipt of any format that is known.
 *
 * @throws {@link KeyError} when a key cannot be read; a bad receipt is a verdict
 */
function verifyDocument(
  document: Uint8Array,
  keys: readonly TrustedKey[],
  jwks: readonly Uint8Array[],
): Verdict {
  return unwrapJson<Verdict>(addon.verifyReceipt(document, [...keys], [...jwks]))
}
