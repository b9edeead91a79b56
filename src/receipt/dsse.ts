// SPDX-License-Identifier: Apache-2.0
import { type Signer, type TrustedKey, handleOf, trustedOf } from '../keys/signer.js'
import { addon, unwrap, unwrapJson } from '../native.js'

/** What is exported, and by whom. */
export interface ExportOptions {
  /** The receipt's exact bytes. */
  readonly receipt: Uint8Array
  /** Public keys that the receipt must verify with. */
  readonly keys: readonly TrustedKey[]
  /** Key sets (JWKS documents) to trust besides. */
  readonly jwks?: readonly Uint8Array[]
  /** The exporter's key. */
  readonly signer: Signer
  /** The time to state; now unless another is given. */
  readonly exportedAt?: Date
}

/**
 * Puts a valid receipt into a DSSE envelope, as an in-toto Statement v1 whose subjects are the
 * receipt and the artifacts that it names. The envelope carries the receipt's exact text.
 *
 * @returns the envelope's JSON text
 * @throws {@link ReceiptError} `ERR_RECEIPT_NOT_VALID` for a receipt that does not verify
 * @throws {@link KeyError} for a key that cannot be used
 */
export function exportReceipt(options: ExportOptions): string {
  const { receipt, keys, jwks = [], signer, exportedAt = new Date() } = options
  const at = exportedAt.toISOString()
  return unwrap(addon.exportDsse(receipt, trustedOf(keys), [...jwks], at, handleOf(signer))).value
}

/** What is imported, and who is trusted to have exported it. */
export interface ImportOptions {
  /** The envelope's bytes. */
  readonly envelope: Uint8Array
  /** Public keys of trusted exporters. */
  readonly keys: readonly TrustedKey[]
  /** Key sets (JWKS documents) of trusted exporters. */
  readonly jwks?: readonly Uint8Array[]
}

/** A receipt that came out of an envelope. */
export interface ImportedReceipt {
  /** The receipt's exact bytes: verify them, the envelope says nothing of its signature. */
  readonly receipt: Uint8Array
  /** When it was exported, in the exporter's word. */
  readonly exported_at: string
  /** Thumbprints of the trusted keys that signed the envelope. */
  readonly signers: readonly string[]
}

/**
 * Takes a receipt out of a DSSE envelope that a trusted key signed.
 *
 * @throws {@link ReceiptError} `ERR_RECEIPT_ENVELOPE` for a malformed envelope,
 *   `ERR_RECEIPT_ENVELOPE_SIGNATURE` for a changed one, `ERR_RECEIPT_ENVELOPE_KEY` when no trusted
 *   key signed it
 * @throws {@link KeyError} for a key that cannot be used
 */
export function importReceipt(options: ImportOptions): ImportedReceipt {
  const { envelope, keys, jwks = [] } = options
  const answer = addon.importDsse(envelope, trustedOf(keys), [...jwks])
  const { receipt, ...rest } = unwrapJson<ImportedText>(answer)
  return { receipt: Buffer.from(receipt), ...rest }
}

/** The same, the receipt as text. */
interface ImportedText extends Omit<ImportedReceipt, 'receipt'> {
  readonly receipt: string
}
