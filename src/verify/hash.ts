// SPDX-License-Identifier: Apache-2.0
import { fromHex, hex, utf8 } from './bytes.js'

/** What stands in front of a digest's hex in most documents. */
const PREFIX = 'sha256:'

/** Returns the SHA-256 of bytes, 32 bytes. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

/** Returns the SHA-512 of bytes, 64 bytes. */
export async function sha512(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-512', bytes))
}

/** Returns the SHA-256 of a text's UTF-8 bytes as 64 lower-case hex digits. */
export async function sha256Text(text: string): Promise<string> {
  return hex(await sha256(utf8(text)))
}

/** Whether a text is 64 lower-case hex digits. */
export function isHexDigest(text: string): boolean {
  return fromHex(text, 32) !== undefined
}

/** Whether a text is `sha256:` and 64 lower-case hex digits. */
export function isDigest(text: string): boolean {
  return text.startsWith(PREFIX) && isHexDigest(text.slice(PREFIX.length))
}

/** Returns `sha256:` and the SHA-256 of a text's UTF-8 bytes in lower-case hex. */
export async function digestOf(text: string): Promise<string> {
  return PREFIX + (await sha256Text(text))
}
