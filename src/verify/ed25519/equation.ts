// SPDX-License-Identifier: Apache-2.0
// The equation of a signature, R = S·B − k·A, without the cofactor: by the platform where that is
// known to check just this, else here.
import { concat, fromHex, littleEndian, utf8 } from '../bytes.js'
import { sha512 } from '../hash.js'
import { BASE, ORDER, type Point, isEncodedAs, negate, sumOfProducts } from './point.js'
import { PROBES } from './probes.js'

/** A signature that passed all checks but the equation. */
export interface Claim {
  /** The key: its 32 bytes, which are canonical. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The point that they encode. */
  readonly point: Point
  readonly message: Uint8Array<ArrayBuffer>
  /** 64 bytes, `S` below the order. */
  readonly signature: Uint8Array<ArrayBuffer>
}

/** Checks the equation as written in RFC 8032 section 5.1.7, on numbers of arbitrary size. */
export async function holdsByNumbers(claim: Claim): Promise<boolean> {
  const { bytes, point, message, signature } = claim
  const encodedR = signature.subarray(0, 32)
  const k = littleEndian(await sha512(concat(encodedR, bytes, message))) % ORDER
  const s = littleEndian(signature.subarray(32))
  return isEncodedAs(sumOfProducts(s, BASE, k, negate(point)), encodedR)
}

/** Checks the equation by WebCrypto. */
export async function holdsByPlatform(claim: Claim): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', claim.bytes, ALGORITHM, false, ['verify'])
  return crypto.subtle.verify(ALGORITHM, key, claim.signature, claim.message)
}

let platform: Promise<boolean> | undefined

/** Checks the equation by whichever is right, quiet and fastest. */
export async function holds(claim: Claim): Promise<boolean> {
  // Some releases of Node 20, which has no navigator, warn of Ed25519 on standard error.
  if (!('navigator' in globalThis)) return holdsByNumbers(claim)
  platform ??= isPlatformStrict()
  return (await platform) ? holdsByPlatform(claim) : holdsByNumbers(claim)
}

/**
 * Whether WebCrypto has Ed25519 and checks the equation without the cofactor. RFC 8032 allows
 * either, WebCrypto names none, and they differ where the key or `R` has a part of small order. So
 * the platform is asked once, by signatures that hold by one of the two equations only.
 */
export async function isPlatformStrict(): Promise<boolean> {
  try {
    for (const { key, message, signature, strict } of PROBES) {
      const claim = {
        bytes: bytesOf(key),
        message: bytesOf(message),
        signature: bytesOf(signature),
      }
      if ((await holdsByPlatform({ ...claim, point: BASE })) !== strict) return false
    }
    return true
  } catch {
    // no Ed25519 here, as in browsers before 2025
    return false
  }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return fromHex(text, text.length / 2) ?? utf8(text)
}

const ALGORITHM = 'Ed25519'
