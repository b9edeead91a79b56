// SPDX-License-Identifier: Apache-2.0
// Hex, base64 and UTF-8: one spelling for each value, without Buffer.

const HEX = '0123456789abcdef'
const COMMON = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const BASE64 = `${COMMON}+/`
const BASE64URL = `${COMMON}-_`

const encoder = new TextEncoder()
// A byte order mark stays: it is refused, not dropped.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Returns the UTF-8 bytes of a text without lone surrogates. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text)
}

/** Returns the text of UTF-8 bytes, or nothing where they are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** Returns how many bytes at the start are UTF-8. */
export function validUtf8(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length) {
    const [length, low, high] = sequence(bytes[at] ?? 0)
    const rest = bytes.subarray(at + 1, at + length)
    if (rest.length !== length - 1 || !rest.every((byte) => (byte & 0xc0) === 0x80)) return at
    const [second = low] = rest
    if (second < low || second > high) return at
    at += length
  }
  return at
}

/** Returns the length that a first byte asks for, and the bounds of the second (Unicode 3.9). */
function sequence(first: number): readonly [length: number, low: number, high: number] {
  if (first < 0x80) return [1, 0, 0]
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (first < 0xc2 || first > 0xf4) return [0, 0, 0]
  const bounds = SECOND_BYTES.get(first) ?? [0x80, 0xbf]
  return [length, ...bounds]
}

/** Of the first bytes after which not every continuation may stand. */
const SECOND_BYTES: ReadonlyMap<number, readonly [number, number]> = new Map([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
])

/** Returns the index of the first lone surrogate, or -1. */
export function loneSurrogate(text: string): number {
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit < 0xd800 || unit > 0xdfff) continue
    const low = text.charCodeAt(at + 1)
    if (unit > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) return at
    at += 1
  }
  return -1
}

/** Returns lower-case hex. */
export function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15)
  return text
}

/** Reads exactly `length` bytes of lower-case hex. */
export function fromHex(text: string, length: number): Uint8Array<ArrayBuffer> | undefined {
  if (text.length !== 2 * length) return undefined
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 1) {
    const high = HEX.indexOf(text.charAt(2 * at))
    const low = HEX.indexOf(text.charAt(2 * at + 1))
    if (high < 0 || low < 0) return undefined
    bytes[at] = high * 16 + low
  }
  return bytes
}

function encode64(bytes: Uint8Array, alphabet: string): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 6) {
      bits -= 6
      text += alphabet.charAt((held >> bits) & 63)
    }
  }
  return bits === 0 ? text : text + alphabet.charAt((held << (6 - bits)) & 63)
}

/** Reads base64 without padding, with zero trailing bits, of any length. */
function decode64(text: string, alphabet: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let bits = 0
  let held = 0
  let length = 0
  for (let at = 0; at < text.length; at += 1) {
    const value = alphabet.indexOf(text.charAt(at))
    if (value < 0) return undefined
    held = ((held << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[length] = (held >> bits) & 255
      length += 1
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined
}

/** Returns base64url without padding (RFC 4648 section 5). */
export function base64url(bytes: Uint8Array): string {
  return encode64(bytes, BASE64URL)
}

/** Reads base64url without padding and with zero trailing bits, of any length. */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  return decode64(text, BASE64URL)
}

/** Reads exactly `length` bytes of base64url without padding and with zero trailing bits. */
export function fromBase64url(text: string, length: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = decodeBase64url(text)
  return bytes?.length === length ? bytes : undefined
}

/** Returns padded base64 (RFC 4648 section 4). */
export function base64(bytes: Uint8Array): string {
  const text = encode64(bytes, BASE64)
  return text + '='.repeat((4 - (text.length % 4)) % 4)
}

/** Reads base64 with its padding and zero trailing bits, of any length. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return decode64(text.slice(0, text.length - padding), BASE64)
}

/** Reads exactly `length` bytes of base64 with its padding and zero trailing bits. */
export function fromBase64(text: string, length: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = decodeBase64(text)
  return bytes?.length === length ? bytes : undefined
}

/** Whether two byte strings are the same. Nothing that is compared here is secret. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}

/** Joins byte strings. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Returns the number whose little-endian bytes these are. */
export function littleEndian(bytes: Uint8Array): bigint {
  let digits = ''
  for (const byte of bytes) digits = HEX.charAt(byte >> 4) + HEX.charAt(byte & 15) + digits
  return BigInt(`0x0${digits}`)
}

/** The digits of Base58 (Bitcoin's alphabet). */
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Returns the number that bytes are, big-endian, in Base58; a `1` for each leading zero byte. */
export function base58(bytes: Uint8Array): string {
  let text = ''
  for (let rest = BigInt(`0x0${hex(bytes)}`); rest > 0n; rest /= 58n) {
    text = BASE58.charAt(Number(rest % 58n)) + text
  }
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros < 0 ? bytes.length : zeros) + text
}
