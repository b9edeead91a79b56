// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { DocumentErrorOptions } from '../errors.js'
import { visible } from './visible.js'

const CHUNK_BYTES = 65_536

/** Yields a file piece by piece. */
async function* pieces(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

async function readUpTo(file: FileHandle, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const piece of pieces(file)) {
    chunks.push(piece)
    total += piece.length
    if (total > maxBytes) break
  }
  return Buffer.concat(chunks, total)
}

/**
 * Reads a file, but never much more than a limit, whatever the file claims to be.
 *
 * @param path of the file
 * @param maxBytes the size the caller accepts; a longer file yields some bytes more than that, so
 *   that the caller's own size check refuses it
 * @throws the system's error when the file cannot be opened or read
 */
export async function readBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    return await readUpTo(file, maxBytes)
  } finally {
    await file.close()
  }
}

/**
 * Does the same for a regular file alone. Others it does not wait for: a named pipe to which nobody
 * writes would never end.
 *
 * @throws an error that says so for what is no regular file
 */
export async function readRegular(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    const found = await file.stat()
    if (!found.isFile()) throw new Error('it is no regular file')
    return await readUpTo(file, maxBytes)
  } finally {
    await file.close()
  }
}

/**
 * Says as an issue without a place why a document could not be read.
 *
 * @param what the document is called
 * @param cause the system's error
 */
export function unreadable(what: string, cause: unknown): DocumentErrorOptions {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const message = `failed to read ${what}: ${visible(reason)}`
  return { issues: [{ path: '', message, line: 0, column: 0, code: 'UNREADABLE' }], cause }
}
