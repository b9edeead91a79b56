// SPDX-License-Identifier: Apache-2.0
// The keys of notes: a name, and a public key for one kind of signature.
import { base64, concat, fromBase64, fromHex, hex, utf8 } from '../bytes.js'
import { sha256 } from '../hash.js'
import { VerifyKeyError } from '../keys/error.js'
import { VerifyingKey } from '../keys/verifying-key.js'
import { LogError } from './error.js'

/** The kinds of signature, and their bytes. */
const KINDS = {
  /** Over the note's text (C2SP `signed-note`): its author's. */
  ed25519: 1,
  /** With its time (C2SP `tlog-cosignature`): a witness's. */
  cosignature: 4,
} as const

/** What a signature on a note says: its author's word, or a witness's. */
export type SignatureKind = keyof typeof KINDS

/** A public key that is trusted on notes under a name, written `name+id+base64` (a *vkey*). */
export class NoteKey {
  readonly name: string
  readonly kind: SignatureKind
  readonly key: VerifyingKey
  /** The first four bytes of `SHA-256(name ‖ 0x0A ‖ type ‖ public key)`, 8 hex digits. */
  readonly id: string

  private constructor(name: string, kind: SignatureKind, key: VerifyingKey, id: string) {
    this.name = name
    this.kind = kind
    this.key = key
    this.id = id
  }

  /**
   * Trusts a key on notes that it signs under a name: as author, or as witness.
   *
   * @param key SPKI PEM, JWK, 64 hex digits, or 32 raw bytes
   * @throws {@link LogError} `ERR_LEDGER_NOTE` for a name that no key can have
   * @throws {@link VerifyKeyError}
   */
  static async of(
    name: string,
    key: Uint8Array | string,
    kind: SignatureKind = 'ed25519',
  ): Promise<NoteKey> {
    return NoteKey.#make(name, kind, await VerifyingKey.read(key))
  }

  /**
   * Reads a vkey. The name has no `+`, so it ends at the first.
   *
   * @throws {@link LogError} `ERR_LEDGER_NOTE`
   */
  static async parse(vkey: string): Promise<NoteKey> {
    const [name = '', id = '', ...rest] = vkey.split('+')
    const bytes = fromBase64(rest.join('+'), 33)
    if (fromHex(id, 4) === undefined || bytes === undefined) {
      throw malformed('malformed note key; accepted: `name+id+base64`')
    }
    const kind = bytes[0] === KINDS.ed25519 ? 'ed25519' : 'cosignature'
    if (bytes[0] !== KINDS[kind]) {
      throw malformed('a note key of another kind; accepted: Ed25519 (1) and its cosignatures (4)')
    }
    const read = await NoteKey.#make(name, kind, await readKey(bytes.subarray(1)))
    if (read.id === id) return read
    throw malformed('the id of the note key is not that of its name and key')
  }

  static async #make(name: string, kind: SignatureKind, key: VerifyingKey): Promise<NoteKey> {
    if (!isName(name)) {
      const message = 'malformed name of a note key; accepted: text without white space and `+`'
      throw malformed(message)
    }
    const input = concat(utf8(name), new Uint8Array([0x0a, KINDS[kind]]), key.bytes)
    return new NoteKey(name, kind, key, hex((await sha256(input)).subarray(0, 4)))
  }

  /** Returns the vkey. */
  toString(): string {
    const bytes = concat(new Uint8Array([KINDS[this.kind]]), this.key.bytes)
    return `${this.name}+${this.id}+${base64(bytes)}`
  }
}

/** Whether a key may have this name. */
export function isName(name: string): boolean {
  return name !== '' && !Array.from(name).some((one) => one < ' ' || one === '+' || SPACE.test(one))
}

async function readKey(bytes: Uint8Array): Promise<VerifyingKey> {
  try {
    return await VerifyingKey.fromBytes(bytes)
  } catch (cause) {
    if (!(cause instanceof VerifyKeyError)) throw cause
    throw malformed("the note key's public key cannot be used", { cause })
  }
}

function malformed(message: string, options?: ErrorOptions): LogError {
  return new LogError('ERR_LEDGER_NOTE', message, options)
}

/** The characters with Unicode's property White_Space. */
const SPACE = /\p{White_Space}/u
