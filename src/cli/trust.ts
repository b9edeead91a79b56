// SPDX-License-Identifier: Apache-2.0
// Whom `ambit verify` trusts: what its flags name, or what stands in $AMBIT_HOME.
import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, KeyError, type Trust, type TrustedKey } from '../index.js'
import { trustedByDefault } from './receipt.js'

/** What the flags say. */
interface Named {
  readonly keys: readonly string[]
  /** The id of each key, in order; or none at all. */
  readonly ids: readonly string[]
  readonly jwks: readonly string[]
  /** Folders; `default` is that of $AMBIT_HOME. */
  readonly trust: readonly string[]
}

/** Largest key set that is read, bytes. */
const MAX_BYTES = 1024 * 1024

/**
 * Returns the keys to trust.
 *
 * @throws {@link ConfigError} when the ids do not fit the keys
 * @throws {@link KeyError} when a folder or key set cannot be read
 */
export async function trustOf(named: Named): Promise<Trust> {
  const { keys, ids, jwks, trust } = named
  if (ids.length > 0 && ids.length !== keys.length) {
    throw new ConfigError('ERR_CONFIG_USAGE', 'give one --key-id for each --key, or none')
  }
  const none = keys.length === 0 && jwks.length === 0 && trust.length === 0
  const known = none || trust.includes('default') ? trustedByDefault() : { keys: [], jwks: [] }
  const folders = trust.filter((folder) => folder !== 'default')
  const found = await Promise.all(folders.map(readFolder))
  const trusted: TrustedKey[] = keys.map((path, index) => {
    const id = ids[index]
    return id === undefined ? { path } : { path, id }
  })
  const paths = found.flatMap((folder) => folder.keys)
  const sets = await Promise.all(jwks.map(readSet))
  return {
    keys: [...trusted, ...known.keys, ...paths.map((path) => ({ path }))],
    jwks: [...sets, ...known.jwks, ...found.flatMap((folder) => folder.jwks)],
  }
}

/**
 * Reads a folder: JSON with a member `keys` is a key set, every other file a key. Links are followed;
 * folders and names that begin with a dot are passed over, and anything else that is no file is an
 * error: a revocation may be in it.
 */
async function readFolder(folder: string): Promise<{ keys: string[]; jwks: Uint8Array[] }> {
  const keys: string[] = []
  const jwks: Uint8Array[] = []
  const entries = await reading(folder, async () => readdir(folder, { withFileTypes: true }))
  for (const name of entries
    .filter((it) => !it.isDirectory())
    .map((it) => it.name)
    .toSorted()) {
    if (name.startsWith('.')) continue
    const path = join(folder, name)
    const bytes = await readSet(path)
    if (isKeySet(bytes)) jwks.push(bytes)
    else keys.push(path)
  }
  return { keys, jwks }
}

/** Whether a file looks like a key set; whether it is one, the addon says. */
function isKeySet(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString('latin1').trimStart()
  return text.startsWith('{') && text.includes('"keys"')
}

async function readSet(path: string): Promise<Uint8Array> {
  const found = await reading(path, async () => stat(path))
  if (!found.isFile() || found.size > MAX_BYTES) {
    const reason = found.isFile() ? 'is too large for keys' : 'is no regular file'
    throw new KeyError('ERR_KEY_FILE_UNUSABLE', `\`${path}\` ${reason}`)
  }
  return await reading(path, async () => readFile(path))
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `\`${path}\` cannot be read: ${reason}`
    throw new KeyError('ERR_KEY_FILE_UNREADABLE', message, { cause })
  }
}
