// SPDX-License-Identifier: Apache-2.0
// The keys that a verifier trusts.
import { fromBase64url, hex } from '../bytes.js'
import { JsonFault } from '../json/fault.js'
import { type Limits, documentBytes, parse } from '../json/parse.js'
import { type JsonObject, asArray, asObject, asText, member } from '../json/value.js'
import type { Instant } from '../time.js'
import { quoted } from '../verdict.js'
import { VerifyKeyError } from './error.js'
import { ALGORITHMS, VerifyingKey, jwkBytes } from './verifying-key.js'
import { type KeyStatus, type KeyWindow, Window } from './window.js'

/** A trusted key, and when it was good. */
export interface Trusted {
  readonly key: VerifyingKey
  readonly window: Window
}

/** Under which name, and when, a key is trusted. */
export interface TrustOptions extends KeyWindow {
  /** The id that receipts must name; without one the key serves for any receipt. */
  readonly id?: string | undefined
}

/**
 * Trusted public keys. They never come from a receipt.
 *
 * A key has two ids of its own: the RFC 7638 thumbprint, and `sb:issuer:` with 12 characters of
 * Base58. One that was given under either of them may be named by both. An id of other form that was
 * given is binding: the key goes by no other name. A key that was given without an id verifies any
 * receipt, with one exception: where the receipt names a key by a thumbprint, or another trusted key
 * by its id, only that key does.
 */
export class KeySet {
  readonly #byId = new Map<string, Trusted>()
  readonly #any: Trusted[] = []
  /** All of them, and those that were replaced: a revocation is not taken back. */
  readonly #ever: Trusted[] = []

  /**
   * Trusts a key: SPKI PEM, JWK, 64 hex digits, or 32 raw bytes. A key of the same id is replaced.
   *
   * @returns this set
   * @throws {@link VerifyKeyError}
   * @throws TypeError for an option that is not known: a bound that is misspelled is not overlooked
   */
  async add(key: Uint8Array | string, options: TrustOptions = {}): Promise<this> {
    refuseUnknown(options)
    this.#insert(await VerifyingKey.read(key), options)
    return this
  }

  /**
   * Trusts the Ed25519 signing keys of a JWKS (RFC 7517), each under its `kid`, or under its own ids
   * where it has none; `valid_from`, `valid_until` and `revoked_at` bound them. Others are counted.
   *
   * @throws {@link VerifyKeyError} where the set is malformed; nothing of it is then trusted
   */
  async addJwks(
    jwks: Uint8Array | string,
  ): Promise<{ readonly taken: number; readonly skipped: number }> {
    const list = readJwks(jwks)
    const ours = list.map((jwk, index) => ({ jwk, index })).filter(({ jwk }) => isForEd25519(jwk))
    const entries = await Promise.all(ours.map(async (entry) => this.#readEntry(entry)))
    const before = new Map(this.#byId)
    for (const { key, index, ...options } of entries) {
      const same = before.get(options.id)
      const fits =
        same?.key.thumbprint === key.thumbprint && same.window.equals(new Window(options))
      if (same !== undefined && !fits) {
        const message = `keys[${index}]: the kid ${quoted(options.id)} names another key, or the key with another window, too`
        throw new VerifyKeyError('ERR_KEY_DUPLICATE', message)
      }
      before.set(options.id, { key, window: new Window(options) })
    }
    for (const { key, ...options } of entries) this.#insert(key, options)
    return { taken: ours.length, skipped: list.length - ours.length }
  }

  /** Whether there are no keys. */
  get isEmpty(): boolean {
    return this.#byId.size === 0 && this.#any.length === 0
  }

  /** Returns every key. */
  all(): readonly Trusted[] {
    return [...this.#byId.values(), ...this.#any]
  }

  /** Returns the keys that may have signed a receipt that names `id`. */
  candidates(id: string): readonly Trusted[] {
    const named = this.named(id)
    return named.length > 0 || fromBase64url(id, 32) !== undefined ? named : this.#any
  }

  /**
   * Returns the keys that a name outside the signed bytes may point to: the key that was given under
   * `id`, or those that may go by their own ids, and whose it is.
   */
  named(id: string): readonly Trusted[] {
    const given = this.#byId.get(id)
    if (given !== undefined) return [given]
    const own = [...this.#byId].filter(([name, { key }]) => key.ownIds.includes(name))
    const nameable = [...own.map(([, trusted]) => trusted), ...this.#any]
    return nameable.filter(({ key }) => key.ownIds.includes(id))
  }

  /** Returns the keys that have these bytes. */
  withBytes(bytes: Uint8Array): readonly Trusted[] {
    const wanted = hex(bytes)
    return this.all().filter(({ key }) => hex(key.bytes) === wanted)
  }

  /**
   * Says where a receipt stands that was signed with the one key of `proven`. A revocation of a key
   * holds under whatever id it was given. Of several windows, being inside of one is enough; but a
   * window that was given is not outdone by trust without one.
   */
  place(proven: readonly Trusted[], issued: Instant | undefined): KeyStatus {
    const same = this.#sameKey(proven)
    const revocations = new Set(same.map(({ window }) => window.revocation(issued)))
    // A revocation that cannot be placed does not hide one that can.
    if (revocations.has('revoked')) return 'revoked'
    if (revocations.has('undecidable')) return 'undecidable'
    const found = new Set(proven.map(({ window }) => window.place(issued)))
    const order = ['inside', 'undecidable', 'outside'] as const
    return order.find((status) => found.has(status)) ?? 'not_established'
  }

  /** Whether the key of `proven` was revoked at some time, under whatever id. */
  isRevoked(proven: readonly Trusted[]): boolean {
    return this.#sameKey(proven).some(({ window }) => window.hasRevocation)
  }

  #sameKey(proven: readonly Trusted[]): readonly Trusted[] {
    const [first] = proven
    return this.#ever.filter(({ key }) => key.thumbprint === first?.key.thumbprint)
  }

  #insert(key: VerifyingKey, options: TrustOptions): void {
    const trusted = { key, window: new Window(options) }
    this.#ever.push(trusted)
    if (options.id === undefined) this.#any.push(trusted)
    else this.#byId.set(options.id, trusted)
  }

  async #readEntry({ jwk, index }: { jwk: JsonObject; index: number }) {
    const key = await readKey(jwk, index)
    const kid = jwk.get('kid')
    const id = kid === undefined ? key.thumbprint : asText(kid)
    if (id === undefined || id === '') {
      const message = `keys[${index}]: \`kid\` is no text; expected a string that is not empty`
      throw new VerifyKeyError('ERR_KEY_MALFORMED', message)
    }
    const [validFrom, validUntil, revokedAt] = BOUNDS.map((name) => bound(jwk, name))
    return { key, index, id, validFrom, validUntil, revokedAt }
  }
}

/** A bound under another name, as `revoked_at`, would not be applied. */
function refuseUnknown(options: TrustOptions): void {
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (unknown === undefined) return
  throw new TypeError(`unknown option ${quoted(unknown)}; expected ${OPTIONS.join(', ')}`)
}

async function readKey(jwk: JsonObject, index: number): Promise<VerifyingKey> {
  try {
    return await VerifyingKey.fromBytes(jwkBytes(jwk))
  } catch (cause) {
    if (!(cause instanceof VerifyKeyError)) throw cause
    const message = `keys[${index}] is not a public Ed25519 signing key: ${cause.message}`
    throw new VerifyKeyError(cause.code, message, { cause })
  }
}

function readJwks(jwks: Uint8Array | string): readonly JsonObject[] {
  const list = asArray(member(parseJwks(jwks), 'keys'))
  if (list === undefined) {
    const message = 'not a JWKS; expected an object with an array `keys`'
    throw new VerifyKeyError('ERR_KEY_MALFORMED', message)
  }
  return list.map((element, index) => {
    const jwk = asObject(element)
    if (jwk !== undefined) return jwk
    const message = `keys[${index}] is no key; expected an object`
    throw new VerifyKeyError('ERR_KEY_MALFORMED', message)
  })
}

function parseJwks(jwks: Uint8Array | string) {
  try {
    return parse(documentBytes(jwks), LIMITS)
  } catch (cause) {
    if (!(cause instanceof JsonFault)) throw cause
    throw new VerifyKeyError('ERR_KEY_MALFORMED', `malformed JWKS: ${cause.message}`, { cause })
  }
}

/** Whether a key is of our type and for our use. */
function isForEd25519(jwk: JsonObject): boolean {
  const allows = (name: string, values: readonly string[]) => {
    const value = jwk.get(name)
    return value === undefined || values.includes(asText(value) ?? '')
  }
  const isOkp = jwk.get('kty') === 'OKP' && jwk.get('crv') === 'Ed25519'
  return isOkp && allows('use', ['sig']) && allows('alg', ALGORITHMS)
}

/** Returns a bound as text. One that is no text is there, and cannot be read. */
function bound(jwk: JsonObject, name: string): string | undefined {
  const value = jwk.get(name)
  return value === undefined ? undefined : (asText(value) ?? '')
}

const OPTIONS = ['id', 'validFrom', 'validUntil', 'revokedAt']
const BOUNDS = ['valid_from', 'valid_until', 'revoked_at'] as const
const LIMITS: Limits = { maxBytes: 1 << 20, maxDepth: 16 }
