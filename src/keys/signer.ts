// SPDX-License-Identifier: Apache-2.0
import { ConfigError } from '../errors.js'
import { addon, unwrap, unwrapJson } from '../native.js'

type SignerHandle = InstanceType<typeof addon.Signer>

/** What a public key is, in its usual forms. */
export interface KeyDescription {
  /** RFC 7638 thumbprint, 43 base64url characters: the key's id. */
  readonly thumbprint: string
  /** `sb:issuer:` and 12 characters of Base58: its other id. */
  readonly issuer_id: string
  /** 64 lower-case hex digits. */
  readonly hex: string
  readonly jwk: Readonly<Record<string, string>>
  /** SPKI PEM. */
  readonly pem: string
}

/** Where the passphrase of a private key is to be had; the first that is named counts. */
export interface Secret {
  /** A file that only its owner can read; one line feed at its end is not part of it. */
  readonly file?: string
  /** Name of an environment variable. */
  readonly variable?: string
  /** Whether to ask on the terminal. */
  readonly ask?: boolean
}

/** A public key file to verify with; without `id` it serves for any key id. */
export interface TrustedKey {
  readonly path: string
  readonly id?: string
  /** The first moment at which the key was good, RFC 3339. */
  readonly validFrom?: string
  /** The first moment at which it no longer was, RFC 3339. */
  readonly validUntil?: string
  /** The moment from which nothing that it signed is to be believed, RFC 3339. */
  readonly revokedAt?: string
}

const TRUSTED = ['path', 'id', 'validFrom', 'validUntil', 'revokedAt']

/**
 * Returns the keys as the addon takes them. It passes over members that it does not know, so that a
 * bound under another name, as `revoked_at`, would not be applied: such a key is refused.
 *
 * @throws {@link ConfigError} `ERR_CONFIG_INVALID`
 */
export function trustedOf(keys: readonly TrustedKey[]): TrustedKey[] {
  for (const name of keys.flatMap((key) => Object.keys(key))) {
    if (TRUSTED.includes(name)) continue
    const message = `a trusted key has no member ${JSON.stringify(name)}; expected ${TRUSTED.join(', ')}`
    throw new ConfigError('ERR_CONFIG_INVALID', message)
  }
  return [...keys]
}

/** A folder of a signer's own keys; its current key is meant. */
export interface OwnFolder {
  readonly folder: string
}

/** Returns the addon's handle of a signer, for the areas that pass it on. The package keeps it. */
export let handleOf: (signer: Signer) => SignerHandle

/** A loaded signing key; nothing of it can be read. */
export class Signer {
  static {
    handleOf = (signer) => signer.#handle
  }

  readonly #handle = new addon.Signer()
  /** The public half. */
  readonly publicKey: KeyDescription

  /**
   * Loads a private key from a file that only its owner can read, or takes one in a token.
   *
   * @param source a file, or a `pkcs11:` URI (RFC 7512)
   * @param secret where the passphrase is, if the key is encrypted
   * @throws {@link KeyError}
   */
  constructor(source: string | OwnFolder, secret: Secret = {}) {
    const loaded =
      typeof source === 'string'
        ? this.#handle.load(source, secret)
        : this.#handle.loadOwn(source.folder, secret)
    this.publicKey = unwrapJson<KeyDescription>(loaded)
  }

  /**
   * Signs a csc receipt.
   *
   * @param receipt JSON without the signature
   * @returns the text to store, byte for byte
   * @throws {@link ReceiptError} when the receipt breaks its schema
   */
  signCsc(receipt: string, keyId: string, signedAt: string): string {
    return unwrap(addon.signCscReceipt(receipt, this.#handle, keyId, signedAt)).value
  }
}

/** Where secrets are that nothing else may see. */
export interface SecretPlaces {
  readonly files: readonly string[]
  /** Names of environment variables. */
  readonly variables: readonly string[]
}

/** Returns where a signing key's secrets are: itself, or the PIN of its token, and its passphrase. */
export function secretPlacesOf(source: string, passphrase: Secret = {}): SecretPlaces {
  const { files, variables } = unwrapJson<SecretPlaces>(addon.secretPlaces(source))
  const { file, variable } = passphrase
  return {
    files: file === undefined ? files : [...files, file],
    variables: variable === undefined ? variables : [...variables, variable],
  }
}

/**
 * Makes a key pair in two new files.
 *
 * @param secret where the passphrase is that the private key is to be encrypted under
 * @throws {@link KeyError} when one exists already or cannot be written
 */
export function generateKey(
  privatePath: string,
  publicPath: string,
  secret?: Secret,
): KeyDescription {
  return unwrapJson<KeyDescription>(addon.generateKey(privatePath, publicPath, secret))
}

/**
 * Describes a public key file: SPKI PEM, JWK, 64 hex digits or 32 raw bytes.
 *
 * @throws {@link KeyError}
 */
export function describePublicKey(path: string): KeyDescription {
  return unwrapJson<KeyDescription>(addon.describePublicKey(path))
}
