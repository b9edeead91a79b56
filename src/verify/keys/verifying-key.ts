// SPDX-License-Identifier: Apache-2.0
// Ed25519 public keys (RFC 8032): canonically encoded points that are not of small order.
import {
  base58,
  base64url,
  decodeBase64,
  fromBase64url,
  fromHex,
  fromUtf8,
  utf8,
} from '../bytes.js'
import { type Point, decodePoint, isOfSmallOrder } from '../ed25519/point.js'
import { verifyStrict } from '../ed25519/verify.js'
import { sha256 } from '../hash.js'
import { JsonFault } from '../json/fault.js'
import { type Limits, parse } from '../json/parse.js'
import { type Json, asText, member } from '../json/value.js'
import { VerifyKeyError } from './error.js'

/** A public key to verify with. */
export class VerifyingKey {
  /** The 32 raw bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** RFC 7638 thumbprint: 43 base64url characters. */
  readonly thumbprint: string
  /** The thumbprint, and `sb:issuer:` with the first 12 characters of the raw key in Base58. */
  readonly ownIds: readonly string[]
  readonly #point: Point

  private constructor(bytes: Uint8Array<ArrayBuffer>, point: Point, thumbprint: string) {
    this.bytes = bytes
    this.#point = point
    this.thumbprint = thumbprint
    this.ownIds = [thumbprint, `sb:issuer:${base58(bytes).slice(0, 12)}`]
  }

  /**
   * Takes the key's 32 raw bytes.
   *
   * @throws {@link VerifyKeyError} `ERR_KEY_MALFORMED`, `ERR_KEY_SMALL_ORDER`
   */
  static async fromBytes(raw: Uint8Array): Promise<VerifyingKey> {
    const bytes = new Uint8Array(raw)
    const decoded = decodePoint(bytes)
    if (decoded === undefined) throw malformed(NOT_CANONICAL)
    if (isOfSmallOrder(decoded.point)) {
      const message = 'public key is of small order: signatures under it prove nothing'
      throw new VerifyKeyError('ERR_KEY_SMALL_ORDER', message)
    }
    if (!decoded.canonical) throw malformed(NOT_CANONICAL)
    // the required members, in the order that RFC 7638 hashes them
    const jwk = `{"crv":"Ed25519","kty":"OKP","x":"${base64url(bytes)}"}`
    return new VerifyingKey(bytes, decoded.point, base64url(await sha256(utf8(jwk))))
  }

  /**
   * Reads a key: SPKI PEM, JWK, 64 hex digits (as text or bytes), or 32 raw bytes.
   *
   * @throws {@link VerifyKeyError}
   */
  static async read(key: Uint8Array | string): Promise<VerifyingKey> {
    const text = trimAscii(typeof key === 'string' ? key : (fromUtf8(key) ?? ''))
    const digits = fromHex(lowerHex(text), 32)
    if (digits !== undefined) return VerifyingKey.fromBytes(digits)
    if (typeof key !== 'string' && key.length === 32) return VerifyingKey.fromBytes(key)
    return VerifyingKey.fromBytes(readText(text, key.length))
  }

  /** Whether a signature over a message is this key's, strictly. */
  async verify(
    message: Uint8Array<ArrayBuffer>,
    signature: Uint8Array<ArrayBuffer>,
  ): Promise<boolean> {
    return verifyStrict({ bytes: this.bytes, point: this.#point, message, signature })
  }
}

/**
 * Returns the 32 bytes of a parsed JWK (RFC 8037 section 2). A private member `d` is refused: such a
 * key does not belong here.
 *
 * @throws {@link VerifyKeyError}
 */
export function jwkBytes(jwk: Json): Uint8Array {
  const text = (name: string) => asText(member(jwk, name))
  const isAbsent = (name: string) => member(jwk, name) === undefined
  const faults: readonly (readonly [boolean, string])[] = [
    [!isAbsent('d'), 'd'],
    [text('kty') !== 'OKP', 'kty'],
    [text('crv') !== 'Ed25519', 'crv'],
    [!isAbsent('use') && text('use') !== 'sig', 'use'],
    [!isAbsent('alg') && !ALGORITHMS.includes(text('alg') ?? ''), 'alg'],
  ]
  const fault = faults.find(([wrong]) => wrong)?.[1]
  const bytes = fromBase64url(text('x') ?? '', 32)
  if (fault === undefined && bytes !== undefined) return bytes
  const message = `JWK member \`${fault ?? 'x'}\` is not that of a public Ed25519 signing key`
  throw malformed(message)
}

/** The names of the one algorithm. */
export const ALGORITHMS: readonly string[] = ['EdDSA', 'Ed25519']

/** Reads the forms that are text; `length` is that of the file, which tells 64 raw bytes. */
function readText(text: string, length: number): Uint8Array {
  if (length !== 64 && text.startsWith(PEM_START)) return readSpki(text)
  if (length !== 64 && text.startsWith('{')) return readJwk(text)
  const isPrivate = PRIVATE.some((start) => text.startsWith(start))
  if (!isPrivate && length !== 64) throw malformed(`not a key; expected ${FORMS}`)
  const message = `a private key is no form of this kind of key; expected ${FORMS}`
  throw new VerifyKeyError('ERR_KEY_FORM', message)
}

function readJwk(text: string): Uint8Array {
  try {
    return jwkBytes(parse(utf8(text), JWK_LIMITS))
  } catch (cause) {
    if (cause instanceof JsonFault) throw malformed(`malformed JWK: ${cause.message}`, { cause })
    throw cause
  }
}

/** Reads an SPKI PEM (RFC 8410 section 4): of these there is one DER for each key. */
function readSpki(text: string): Uint8Array {
  const body = decodeBase64(SPKI_PEM.exec(text)?.[1] ?? '')
  const isSpki = body?.length === 44 && SPKI_START.every((byte, at) => byte === body[at])
  if (!isSpki) throw malformed('malformed public key; expected an Ed25519 SPKI PEM')
  return body.subarray(SPKI_START.length)
}

function trimAscii(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && WHITE_SPACE.includes(text.charAt(start))) start += 1
  while (end > start && WHITE_SPACE.includes(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function lowerHex(text: string): string {
  return text.replaceAll(/[A-F]/gu, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0x20))
}

function malformed(message: string, options?: ErrorOptions): VerifyKeyError {
  return new VerifyKeyError('ERR_KEY_MALFORMED', message, options)
}

const NOT_CANONICAL = 'not a canonical Ed25519 public key'
const FORMS = 'an SPKI PEM, a JWK, 64 hex digits, or raw 32 bytes'
const JWK_LIMITS: Limits = { maxBytes: 1 << 16, maxDepth: 8 }
const WHITE_SPACE = ' \t\n\f\r'
const PRIVATE = ['-----BEGIN PRIVATE KEY-----', '-----BEGIN ENCRYPTED PRIVATE KEY-----']
const PEM_START = '-----BEGIN PUBLIC KEY-----'
/** One line of base64 (RFC 7468 section 2 wraps at 64 characters), and perhaps an empty one behind. */
const SPKI_PEM =
  /^-----BEGIN PUBLIC KEY-----(?:\r\n|\n|\r)([^\r\n]*)(?:\r\n|\n|\r){1,2}-----END PUBLIC KEY-----$/u
/** `SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING` of 32 bytes, none unused. */
const SPKI_START = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
