// SPDX-License-Identifier: Apache-2.0
import { KeyError } from '../errors.js'
import { addon, unwrap } from '../native.js'

/**
 * Returns a public key as a key set (JWKS) in which it goes by no name but its own ids.
 *
 * @param hex 64 hex digits
 */
export function keySetOf(hex: string): Uint8Array {
  const x = Buffer.from(hex, 'hex').toString('base64url')
  return Buffer.from(JSON.stringify({ keys: [{ kty: 'OKP', crv: 'Ed25519', x }] }))
}

/** Whether a public key can be verified with: a point of the curve, and not of small order. */
export function isUsableKey(hex: string): boolean {
  try {
    unwrap(addon.verifyReceipt(Buffer.from('{}'), [], [keySetOf(hex)]))
    return true
  } catch (error) {
    if (error instanceof KeyError) return false
    throw error
  }
}

/** Names are compared as people read them. */
export const sameName = (name: string): string => name.normalize('NFKC').trim().toLowerCase()
