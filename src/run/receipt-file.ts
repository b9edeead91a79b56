// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { type FileHandle, link, lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ReceiptError } from '../errors.js'

/**
 * A file for a receipt that is opened before anything runs and put in its place afterwards, so that
 * a run whose receipts could not be written does not happen, and a link planted meanwhile is
 * replaced, never followed.
 */
class ReceiptFile {
  readonly #folder: string
  readonly #temporary: string
  readonly #handle: FileHandle

  private constructor(folder: string, temporary: string, handle: FileHandle) {
    this.#folder = folder
    this.#temporary = temporary
    this.#handle = handle
  }

  /**
   * Reserves room for a receipt in a folder, which is made if there is none.
   *
   * @throws {@link ReceiptError} `ERR_RECEIPT_UNWRITABLE`
   */
  static async reserve(folder: string): Promise<ReceiptFile> {
    const temporary = join(folder, `.ambit-${randomUUID()}.tmp`)
    try {
      await mkdir(folder, { recursive: true })
      return new ReceiptFile(folder, temporary, await open(temporary, 'wx', 0o644))
    } catch (cause) {
      throw unwritable(folder, cause)
    }
  }

  /**
   * Writes the receipt and puts it in its place.
   *
   * @param name of the file in the folder
   * @param existing whether a file of that name is replaced, or refused
   * @throws {@link ReceiptError} `ERR_RECEIPT_UNWRITABLE`
   */
  async place(
    name: string,
    content: Uint8Array | string,
    existing: 'refuse' | 'replace',
  ): Promise<void> {
    const path = join(this.#folder, name)
    try {
      await this.#handle.writeFile(content)
      await this.#handle.sync()
      if (existing === 'refuse') await link(this.#temporary, path)
      else await rename(this.#temporary, path)
      const [written, placed] = [await this.#handle.stat(), await lstat(path)]
      if (written.ino !== placed.ino || written.dev !== placed.dev) {
        throw new Error('another file was put in its place')
      }
    } catch (cause) {
      throw unwritable(path, cause)
    } finally {
      await this.discard()
    }
  }

  /** Gives up what was not put in its place. */
  async discard(): Promise<void> {
    await this.#handle.close()
    await rm(this.#temporary, { force: true })
  }
}

interface CscPlace {
  readonly file: ReceiptFile
  readonly name: string
}

/** Every receipt file of one run. */
export class ReceiptFiles {
  readonly #csc: CscPlace | undefined
  readonly #evidence: readonly ReceiptFile[]

  private constructor(csc: CscPlace | undefined, evidence: readonly ReceiptFile[]) {
    this.#csc = csc
    this.#evidence = evidence
  }

  /**
   * Reserves room for all of them.
   *
   * @param receiptOut file of the csc receipt, if one is wanted
   * @param evidenceOut folder of decision and execution receipt, if they are wanted
   * @throws {@link ReceiptError} `ERR_RECEIPT_UNWRITABLE`; then none is left
   */
  static async reserve(receiptOut?: string, evidenceOut?: string): Promise<ReceiptFiles> {
    const reserved: ReceiptFile[] = []
    const room = async (folder: string) => {
      const file = await ReceiptFile.reserve(folder)
      reserved.push(file)
      return file
    }
    try {
      if (receiptOut !== undefined && (await isFolder(receiptOut))) {
        throw unwritable(receiptOut, new Error('a folder stands in its place'))
      }
      const csc =
        receiptOut === undefined
          ? undefined
          : { file: await room(dirname(receiptOut)), name: basename(receiptOut) }
      const evidence =
        evidenceOut === undefined ? [] : [await room(evidenceOut), await room(evidenceOut)]
      return new ReceiptFiles(csc, evidence)
    } catch (error) {
      await Promise.all(reserved.map(async (file) => await file.discard()))
      throw error
    }
  }

  /**
   * Puts what a run left behind in its place.
   *
   * @throws {@link ReceiptError} `ERR_RECEIPT_UNWRITABLE`
   */
  async place(
    csc: string,
    receipts: readonly { name: string; bytes: Uint8Array }[],
  ): Promise<void> {
    await this.#csc?.file.place(this.#csc.name, csc, 'replace')
    for (const [index, { name, bytes }] of receipts.entries()) {
      await this.#evidence[index]?.place(name, bytes, 'refuse')
    }
  }

  /** Gives up what was not put in its place. */
  async discard(): Promise<void> {
    await this.#csc?.file.discard()
    await Promise.all(this.#evidence.map(async (file) => await file.discard()))
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
