// SPDX-License-Identifier: Apache-2.0
import { readFile, stat, writeFile } from 'node:fs/promises'
import { ReceiptError } from '../errors.js'

/** Largest document that is read, bytes: an envelope around a receipt is larger than the receipt. */
const MAX_BYTES = 16 * 1024 * 1024

/**
 * Reads a document, byte for byte.
 *
 * @throws {@link ReceiptError} `ERR_RECEIPT_UNREADABLE`
 */
export async function readReceipt(path: string): Promise<Uint8Array> {
  try {
    const found = await stat(path)
    if (!found.isFile()) throw new Error('not a regular file')
    if (found.size > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`)
    return await readFile(path)
  } catch (cause) {
    throw new ReceiptError(
      'ERR_RECEIPT_UNREADABLE',
      `\`${path}\` cannot be read: ${words(cause)}`,
      {
        cause,
      },
    )
  }
}

/**
 * Writes a document into a new file, byte for byte; a file there is never replaced.
 *
 * @throws {@link ReceiptError} `ERR_RECEIPT_UNWRITABLE`
 */
export async function writeReceipt(path: string, document: string | Uint8Array): Promise<void> {
  try {
    await writeFile(path, document, { flag: 'wx' })
  } catch (cause) {
    throw new ReceiptError(
      'ERR_RECEIPT_UNWRITABLE',
      `\`${path}\` cannot be written: ${words(cause)}`,
      { cause },
    )
  }
}

const words = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
