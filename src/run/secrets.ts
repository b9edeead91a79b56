// SPDX-License-Identifier: Apache-2.0
// Secrets, from where the policy says they are to the launch of a command. Their bytes stand in
// buffers that are wiped; a value of the environment is a string of Node's, which cannot be.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { SandboxError } from '../errors.js'

/** Where the command finds a secret: one of both. */
export interface SecretPlace {
  readonly name: string
  /** A variable of its environment. */
  readonly env?: string
  /** A file that only exists in the sandbox. */
  readonly file?: string
}

/** Where the runner has a secret from: one of both. */
export interface SecretSource {
  readonly name: string
  readonly from_env?: string | undefined
  readonly from_file?: string | undefined
}

/** Largest secret, bytes, as the sandbox takes it. */
const MAX_SECRET = 65_536
const OTHERS = 0o077
const LINE_FEED = 10

/**
 * Reads secrets. Whoever calls this wipes what is returned.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_SECRET` with the secret's name, and never with its value
 */
export function resolveSecrets(
  places: readonly SecretPlace[],
  sources: readonly SecretSource[],
  env: NodeJS.ProcessEnv,
): readonly Uint8Array[] {
  const values: Uint8Array[] = []
  try {
    for (const place of places) {
      const source = sources.find(({ name }) => name === place.name)
      if (source === undefined) throw unavailable(place.name, 'the policy does not name it')
      values.push(valueOf(source, env, place.env !== undefined))
    }
    return values
  } catch (error) {
    wipe(values)
    throw error
  }
}

/** Overwrites secrets. */
export function wipe(values: readonly Uint8Array[]): void {
  for (const value of values) value.fill(0)
}

function valueOf(source: SecretSource, env: NodeJS.ProcessEnv, asVariable: boolean): Uint8Array {
  const { name, from_env: variable = '', from_file: file } = source
  if (file !== undefined) return contentOf(name, file, asVariable)
  const value = Object.hasOwn(env, variable) ? env[variable] : undefined
  if (value === undefined) throw unavailable(name, `the variable \`${variable}\` is not set`)
  if (Buffer.byteLength(value) > MAX_SECRET) throw unavailable(name, TOO_LARGE)
  return Buffer.from(value)
}

const TOO_LARGE = `it has more than ${MAX_SECRET} bytes`

/** Reads a file that only its owner, who is the caller, can read. */
function contentOf(name: string, path: string, asVariable: boolean): Uint8Array {
  let descriptor
  try {
    // the last part of the path is no link, and a pipe does not keep us waiting
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    descriptor = openSync(path, flags)
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw unavailable(name, `its file cannot be read (${reason})`)
  }
  const buffer = Buffer.alloc(MAX_SECRET + 2)
  try {
    refuseUnlessPrivate(name, descriptor)
    const length = readAll(descriptor, buffer)
    // one line feed is how editors end a file; in a variable it would be part of the value
    const cut = asVariable && length > 0 && buffer[length - 1] === LINE_FEED ? 1 : 0
    if (length - cut > MAX_SECRET) throw unavailable(name, TOO_LARGE)
    return Uint8Array.prototype.slice.call(buffer, 0, length - cut)
  } finally {
    buffer.fill(0)
    closeSync(descriptor)
  }
}

function readAll(descriptor: number, buffer: Buffer): number {
  let length = 0
  for (;;) {
    const read = readSync(descriptor, buffer, length, buffer.length - length, null)
    length += read
    if (read === 0 || length === buffer.length) return length
  }
}

function refuseUnlessPrivate(name: string, descriptor: number): void {
  const found = fstatSync(descriptor)
  if (!found.isFile()) throw unavailable(name, 'its file is not a regular file')
  if (found.uid !== process.geteuid?.()) throw unavailable(name, 'its file is of another user')
  if ((found.mode & OTHERS) === 0) return
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0')
  throw unavailable(name, `others can reach its file, which has mode ${mode} and needs 0600`)
}

function unavailable(name: string, why: string): SandboxError {
  return new SandboxError('ERR_SANDBOX_SECRET', `the secret \`${name}\` cannot be had: ${why}`)
}
