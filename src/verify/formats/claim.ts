// SPDX-License-Identifier: Apache-2.0
// What a reader makes of a document: what was signed, by which key, and what else must hold.
import { fromHex } from '../bytes.js'
import { type JsonObject, asText } from '../json/value.js'
import { Fault, quoted } from '../verdict.js'

/** Which trusted key may have signed. */
export type KeyClaim =
  /** The receipt names none. */
  | { readonly by: 'any' }
  /** A name that is signed. */
  | { readonly by: 'id'; readonly id: string }
  /** A name that is not signed: only the key that it belongs to may bear it. */
  | { readonly by: 'name'; readonly id: string }
  /** The trusted key that equals these bytes. */
  | { readonly by: 'bytes'; readonly bytes: Uint8Array }

/** A document, read. */
export interface Claimed {
  readonly key: KeyClaim
  /** The text whose UTF-8 the signature covers. */
  readonly input: string
  /** 64 bytes. */
  readonly signature: Uint8Array<ArrayBuffer>
  /** Checks what must hold beside the signature. `by` asks for another one by the same key. */
  readonly rules: (by: Verifies) => Fault | Promise<Fault | undefined> | undefined
}

/** Whether the key that signed the receipt also made this signature over this text. */
export type Verifies = (text: string, signature: Uint8Array<ArrayBuffer>) => Promise<boolean>

/** Turns the words of a shape's first fault into a fault of the receipt. */
export function schemaFault(words: string | undefined): Fault | undefined {
  return words === undefined ? undefined : new Fault('SCHEMA_INVALID', words)
}

/**
 * Reads the member `signature` of the formats that keep it as a string of hex.
 *
 * @throws {@link Fault}
 */
export function hexSignature(receipt: JsonObject): Uint8Array<ArrayBuffer> {
  const member = receipt.get('signature')
  if (member === undefined || member === null) {
    throw new Fault('MISSING_SIGNATURE', 'the receipt is not signed')
  }
  const text = asText(member)
  if (text === undefined) throw new Fault('MALFORMED_SIGNATURE', 'signature: expected a string')
  const signature = fromHex(text, 64)
  if (signature === undefined) {
    throw new Fault('SIGNATURE_ENCODING', 'signature: expected 64 bytes in lowercase hex')
  }
  return signature
}

/**
 * Checks a top-level `algorithm`.
 *
 * @throws {@link Fault}
 */
export function checkAlgorithm(receipt: JsonObject): void {
  const member = receipt.get('algorithm')
  if (member === undefined) return
  const algorithm = asText(member)
  if (algorithm === undefined) {
    throw new Fault('MALFORMED_SIGNATURE', 'algorithm: expected a string')
  }
  if (algorithm !== 'ed25519') {
    const detail = `algorithm is ${quoted(algorithm)}; expected \`ed25519\``
    throw new Fault('UNSUPPORTED_ALGORITHM', detail)
  }
}
