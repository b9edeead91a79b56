// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
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
  readonly now: Date
  /** Passphrase of the key that is there. */
  readonly secret?: Secret
  /** Passphrase for the new key; that of the old one unless another is named. */
  readonly newSecret?: Secret
  /** Whether the old private key is removed. */
  readonly deleteOld?: boolean
}

/** Which key is revoked, from when on and why. */
export interface RevokeOptions {
  readonly now: Date
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
 * @param secret where the passphrase is that the private key is to be encrypted under
 * @throws {@link KeyError} `ERR_KEY_FILE_EXISTS` where there is a key; none is replaced
 */
export function generateOwnKey(folders: KeyFolders, now: Date, secret?: Secret): KeyDescription {
  const answer = addon.generateOwnKey(folders.keys, now.toISOString(), secret)
  return unwrapJson<KeyDescription>(answer)
}

/**
 * Makes a key that takes the place of the current one, whose window ends.
 *
 * @throws {@link KeyError}; the current key stays then
 */
export function rotateOwnKey(folders: KeyFolders, options: RotateOptions): KeyDescription {
  const { now, secret = {}, newSecret, deleteOld = false } = options
  needsKeys(folders)
  const at = now.toISOString()
  return unwrapJson<KeyDescription>(
    addon.rotateOwnKey(folders.keys, at, secret, newSecret, deleteOld),
  )
}

/**
 * Revokes an own key: nothing that it signs from then on is to be believed.
 *
 * @throws {@link KeyError} `ERR_KEY_UNKNOWN` for an id that no own key has
 */
export function revokeOwnKey(folders: KeyFolders, options: RevokeOptions): OwnKeys {
  const { now, keyId, at = now, reason, secret = {} } = options
  needsKeys(folders)
  const named = ({ key }: OwnKey) => key.thumbprint === keyId || key.issuer_id === keyId
  const found = ownKeys(folders).keys.find(named)
  if (found === undefined) {
    const message = `no own key has the id \`${keyId}\`; \`ambit keys list\` shows them`
    throw new KeyError('ERR_KEY_UNKNOWN', message)
  }
  const [when, from] = [now.toISOString(), at.toISOString()]
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
 * Trusts a public key or a JWKS of somebody else: a copy is kept.
 *
 * @param file SPKI PEM, JWK, 64 hex digits, 32 raw bytes, or a JWKS
 * @param options `name`: what the copy is called; `id`: how receipts name the key, if by none of its
 *   own ids
 * @returns the copy's file and its text
 * @throws {@link KeyError} `ERR_KEY_FILE_EXISTS` where the name is taken
 */
export function trustKeys(
  folders: KeyFolders,
  file: string,
  options: { readonly name: string; readonly id?: string },
): { readonly file: string; readonly jwks: string } {
  const { name, id } = options
  if (!TRUST_NAME.test(name)) {
    const message = `\`${name}\` is no name for a trusted key; expected letters, digits, \`.-_\``
    throw new KeyError('ERR_KEY_NAME', message)
  }
  mkdirSync(folders.trust, { recursive: true, mode: 0o700 })
  const target = join(folders.trust, `${name}${TRUST_SUFFIX}`)
  return { file: target, jwks: unwrap(addon.trustKeys(file, id, target)).value }
}

/**
 * Returns what is trusted when nothing else is named: the own keys with their windows, and those of
 * others that were trusted. Pass the sets on as `jwks` of `verify`.
 *
 * @throws {@link KeyError} when a set cannot be read or the log of the own keys is not to be believed
 */
export function trustedKeys(folders: KeyFolders): readonly TrustedSet[] {
  const own = ownKeys(folders)
  const sets = own.keys.length === 0 ? [] : [{ name: 'own', jwks: Buffer.from(own.jwks) }]
  const names = existsSync(folders.trust) ? readdirSync(folders.trust).toSorted() : []
  const others = names.filter((name) => name.endsWith(TRUST_SUFFIX))
  return [
    ...sets,
    ...others.map((name) => ({
      name: name.slice(0, -TRUST_SUFFIX.length),
      jwks: readTrusted(join(folders.trust, name)),
    })),
  ]
}

function readTrusted(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new KeyError('ERR_KEY_FILE_UNREADABLE', `\`${path}\`: ${reason}`, { cause })
  }
}

function needsKeys(folders: KeyFolders): void {
  if (existsSync(folders.keys)) return
  const message = `no keys in \`${folders.keys}\`; make one with \`ambit keys generate\``
  throw new KeyError('ERR_KEY_MISSING', message)
}

const TRUST_SUFFIX = '.jwks.json'
const TRUST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/u
