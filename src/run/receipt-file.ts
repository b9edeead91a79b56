// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ReceiptError } from '../errors.js'

/**
 * A receipt file that is opened before anything runs and put in its place afterwards, so that a run
 * whose receipt could not be written does not happen, and a link planted meanwhile is replaced,
 * never followed.
 */
export class ReceiptFile {
  readonly #path: string
  readonly #temporary: string
  readonly #handle: FileHandle

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.#path = path
    this.#temporary = temporary
    this.#handle = handle
  }

  /**
   * Reserves a place for a receipt; its folder is made if there is none.
   *
   * @throws {@link ReceiptError} `ERR_RECEIPT_UNWRITABLE`
   */
  static async reserve(path: string): Promise<ReceiptFile> {
    const temporary = `${path}.${randomUUID()}.tmp`
    try {
      await mkdir(dirname(path), { recursive: true })
      if (await isFolder(path)) throw new Error('a folder stands in its place')
      return new ReceiptFile(path, temporary, await open(temporary, 'wx', 0o644))
    } catch (cause) {
      throw unwritable(path, cause)
    }
  }

  /**
   * Writes the receipt and puts it in its place.
   *
   * @throws {@link ReceiptError} `ERR_RECEIPT_UNWRITABLE`
   */
  async write(text: string): Promise<void> {
    try {
      await this.#handle.writeFile(text)
      await this.#handle.sync()
      await rename(this.#temporary, this.#path)
      const [written, placed] = [await this.#handle.stat(), await lstat(this.#path)]
      if (written.ino !== placed.ino || written.dev !== placed.dev) {
        throw new Error('another file was put in its place')
      }
    } catch (cause) {
      throw unwritable(this.#path, cause)
    } finally {
      await this.#handle.close()
    }
  }

  /** Gives the place up. */
  async discard(): Promise<void> {
    await this.#handle.close()
    await rm(this.#temporary, { force: true })
  }
}

/** What is no folder is replaced when the receipt is put in its place. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory()
  } catch {
    return false // nothing is there, or nothing that can be seen: opening beside it decides
  }
}

function unwritable(path: string, cause: unknown): ReceiptError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const message = `the receipt \`${path}\` could not be written: ${reason}`
  return new ReceiptError('ERR_RECEIPT_UNWRITABLE', message, { cause })
}
