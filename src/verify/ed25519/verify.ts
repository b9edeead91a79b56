// SPDX-License-Identifier: Apache-2.0
// Strict verification: what ed25519-dalek calls `verify_strict`.
import { littleEndian } from '../bytes.js'
import { type Claim, holds } from './equation.js'
import { ORDER, mayEncodeLargePoint } from './point.js'

/**
 * Whether a signature over a message is the key's: `S` below the order, a canonical `R` that is not
 * of small order, and the equation without the cofactor. The key's own point was checked when it was
 * read.
 */
export async function verifyStrict(claim: Claim): Promise<boolean> {
  const { signature } = claim
  if (signature.length !== 64) return false
  if (littleEndian(signature.subarray(32)) >= ORDER) return false
  return mayEncodeLargePoint(signature.subarray(0, 32)) && holds(claim)
}
