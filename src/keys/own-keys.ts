// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { KeyError } from '../errors.js'
import { addon, unwrap, unwrapJson } from '../native.js'
import type { KeyDescription, Secret } from './signer.js'

/** Where a signer's own keys are, and those of others that it trusts. */
export interface KeyFolders {
  /** Folder of the own keys and their log. */
  readonly keys: string
  /** Folder of the keys of others. */
  readonly trust: string
}

/** An own key, and when it was good. Times are RFC 3339 in UTC with milliseconds. */
export interface OwnKey {
  readonly key: KeyDescription
  readonly standing: 'current' | 'retired' | 'revoked'
  /** The first moment at which it was good; null where that is not known. */
  readonly valid_from: string | null
  /** The first moment at which it no longer was. */
  readonly valid_until: string | null
  /** The moment from which nothing that it signed is to be believed. */
  readonly revoked_at: string | null
  readonly reason: string | null
}

/** The own keys, oldest first, and as a JWKS with their windows. */
export interface OwnKeys {
  readonly keys: readonly OwnKey[]
  /** JWKS document, canonical text. */
  readonly jwks: string
}

/** A set of trusted keys. */
export interface TrustedSet {
  /** `own`, or the name that it was trusted under. */
  readonly name: string
  /** JWKS document. */
  readonly jwks: Uint8Array
}

/** How a key is rotated. */
export interface RotateOptions {
  /** The time; that of the clock when all else is ready, unless another is given. */
  readonly now?: Date
  /** Passphrase of the key that is there. */
  readonly secret?: Secret
  /** Passphrase for the new key; that of the old one unless another is named. */
  readonly newSecret?: Secret
  /** Whether the old private key is removed. */
  readonly deleteOld?: boolean
}

/** Which key is revoked, from when on and why. */
export interface RevokeOptions {
  /** The time; that of the clock when all else is ready, unless another is given. */
  readonly now?: Date
  /** Thumbprint or `sb:issuer:` id. */
  readonly keyId: string
  /** From when on; now unless another time is named. It may not be in the future. */
  readonly at?: Date
  readonly reason?: string
  readonly secret?: Secret
}

/**
 * Makes the first own key and begins its log, or the next one after the current key was revoked.
 *
 * @param now the time; that of the clock when all else is ready, unless another is given
 * @param secret where the passphrase is that the private key is to be encrypted under
 * @throws {@link KeyError} `ERR_KEY_FILE_EXISTS` where there is a key; none is replaced
 */
export function generateOwnKey(folders: KeyFolders, now?: Date, secret?: Secret): KeyDescription {
  const answer = addon.generateOwnKey(folders.keys, clockOf(now), secret)
  return unwrapJson<KeyDescription>(answer)
}

/**
 * Makes a key that takes the place of the current one, whose window ends.
 *
 * @throws {@link KeyError}; the current key stays then
 */
export function rotateOwnKey(folders: KeyFolders, options: RotateOptions = {}): KeyDescription {
  const { now, secret = {}, newSecret, deleteOld = false } = options
  needsKeys(folders)
  return unwrapJson<KeyDescription>(
    addon.rotateOwnKey(folders.keys, clockOf(now), secret, newSecret, deleteOld),
  )
}

/**
 * Revokes an own key: nothing that it signs from then on is to be believed.
 *
 * @throws {@link KeyError} `ERR_KEY_UNKNOWN` for an id that no own key has
 */
export function revokeOwnKey(folders: KeyFolders, options: RevokeOptions): OwnKeys {
  const { now, keyId, at, reason, secret = {} } = options
  needsKeys(folders)
  const named = ({ key }: OwnKey) => key.thumbprint === keyId || key.issuer_id === keyId
  const found = ownKeys(folders).keys.find(named)
  if (found === undefined) {
    const message = `no own key has the id \`${keyId}\`; \`ambit keys list\` shows them`
    throw new KeyError('ERR_KEY_UNKNOWN', message)
  }
  const [when, from] = [clockOf(now), at?.toISOString()]
  const id = found.key.thumbprint
  return unwrapJson<OwnKeys>(addon.revokeOwnKey(folders.keys, when, id, from, reason, secret))
}

/**
 * Returns the own keys; none where there is no folder. Nothing is changed.
 *
 * @throws {@link KeyError} when the log of the keys is not to be believed
 */
export function ownKeys(folders: KeyFolders): OwnKeys {
  return unwrapJson<OwnKeys>(addon.listOwnKeys(folders.keys))
}

/**
 * Returns the log of the own keys, one signed event a line: whoever knows the first key can follow it.
 *
 * @throws {@link KeyError} `ERR_KEY_MISSING` where there is none
 */
export function ownKeyLog(folders: KeyFolders): string {
  return unwrap(addon.ownKeyLog(folders.keys)).value
}

/** How keys of somebody else are trusted. */
export interface TrustOptions {
  /** What the copy is called: letters, digits and `.-_`. */
  readonly name: string
  /** How receipts name a single key, if by none of its own ids. */
  readonly id?: string
  /**
   * Public key files, known from elsewhere, that a key log may begin with. A log that goes on from the one
   * that is trusted under the name needs none.
   */
  readonly roots?: readonly string[]
  /** Whether to take the place of what is trusted under the name. */
  readonly replace?: boolean
}

/**
 * Trusts a public key, a JWKS or a key log of somebody else: a copy is kept.
 *
 * @param file SPKI PEM, JWK, 64 hex digits, 32 raw bytes, a JWKS, or a key log
 * @returns the copy's file, and its keys as a JWKS
 * @throws {@link KeyError} `ERR_KEY_FILE_EXISTS` where the name is taken, `ERR_KEY_LOG_*` where a log is
 *   not to be believed or does not go on from the one that was trusted
 */
export function trustKeys(
  folders: KeyFolders,
  file: string,
  { roots, ...options }: TrustOptions,
): { readonly file: string; readonly jwks: string } {
  const asked = { ...options, ...(roots && { roots: [...roots] }) }
  return unwrapJson<TrustedText>(addon.trustKeys(folders.trust, file, asked))
}

/**
 * Returns what is trusted when nothing else is named: the own keys with their windows, and those of
 * others that were trusted. Pass the sets on as `jwks` of `verify`.
 *
 * @throws {@link KeyError} when a set cannot be read or the log of the own keys is not to be believed
 */
export function trustedKeys(folders: KeyFolders): readonly TrustedSet[] {
  const own = ownKeys(folders)
  const others = unwrapJson<readonly TrustedText[]>(addon.listTrustedKeys(folders.trust))
  const sets = [...(own.keys.length === 0 ? [] : [{ name: 'own', jwks: own.jwks }]), ...others]
  return sets.map(({ name, jwks }) => ({ name, jwks: Buffer.from(jwks) }))
}

interface TrustedText {
  readonly name: string
  readonly file: string
  readonly jwks: string
}

/** Says what time it is, when it is asked. */
function clockOf(now: Date | undefined): () => string {
  return () => (now ?? new Date()).toISOString()
}

function needsKeys(folders: KeyFolders): void {
  if (existsSync(folders.keys)) return
  const message = `no keys in \`${folders.keys}\`; make one with \`ambit keys generate\``
  throw new KeyError('ERR_KEY_MISSING', message)
}
