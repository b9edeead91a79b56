// SPDX-License-Identifier: Apache-2.0
// `stdio` of `child_process.spawn`, as far as a sandbox has it.
import { write } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError } from '../../errors.js'

/** Where one of the three streams goes: a pipe, the caller's own, a descriptor, or nowhere. */
export type StdioEnd =
  | 'ignore'
  | 'inherit'
  | 'overlapped'
  | 'pipe'
  | number
  | { readonly fd?: unknown }
  | null
  | undefined

/** One word for all three, or a word for each. */
export type StdioChoice = 'ignore' | 'inherit' | 'overlapped' | 'pipe' | readonly StdioEnd[]

/** A stream as the run takes it; a number is a descriptor of the caller, which is copied to or from. */
export type End = 'ignore' | 'pipe' | number

const COUNT = 3

/**
 * Returns the ends of standard input, output and error.
 *
 * @throws {@link ConfigError} `ERR_CONFIG_INVALID` for what a sandbox does not have: further
 *   descriptors, a channel for messages
 */
export function endsOf(stdio: StdioChoice = 'pipe'): readonly [End, End, End] {
  const given = typeof stdio === 'string' ? Array.from({ length: COUNT }, () => stdio) : stdio
  if (given.slice(COUNT).some((end) => end !== 'ignore')) {
    throw invalid('a command in a sandbox has three streams and no further descriptors')
  }
  const [stdin, stdout, stderr] = given
  return [endOf(stdin, 0), endOf(stdout, 1), endOf(stderr, 2)]
}

function endOf(end: StdioEnd, own: number): End {
  switch (end) {
    case undefined:
    case null:
    case 'pipe':
    case 'overlapped':
      return 'pipe'
    case 'ignore':
      return 'ignore'
    case 'inherit':
      return own
    default:
      return descriptorOf(end)
  }
}

function descriptorOf(end: unknown): number {
  const fd: unknown = typeof end === 'object' && end !== null && 'fd' in end ? end.fd : end
  if (typeof fd === 'number' && Number.isInteger(fd) && fd >= 0) return fd
  throw invalid(`\`stdio\` takes no value of type ${typeof end}`)
}

function invalid(message: string): ConfigError {
  return new ConfigError('ERR_CONFIG_INVALID', message)
}

const RETRY_MS = 10

/** Writes what a run had left for a descriptor of the caller. A reader that has gone gets no more. */
export async function writeRest(fd: End, rest: Uint8Array): Promise<void> {
  if (typeof fd !== 'number') return
  let at = 0
  while (at < rest.length) {
    const written = await writeSome(fd, rest.subarray(at))
    if (written === undefined) return
    if (written === 0) await delay(RETRY_MS)
    at += written
  }
}

/** Writes once; 0 when there is no room now, nothing when there never will be. */
function writeSome(fd: number, bytes: Uint8Array): Promise<number | undefined> {
  return new Promise((resolve) => {
    write(fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error === null) resolve(written)
      else resolve(error.code === 'EAGAIN' ? 0 : undefined)
    })
  })
}
