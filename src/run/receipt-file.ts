// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { type FileHandle, link, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
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

  readonly #identity: string

  private constructor(folder: string, temporary: string, handle: FileHandle, identity: string) {
    this.#folder = folder
    this.#identity = identity
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
      const handle = await open(temporary, 'wx', 0o644)
      return new ReceiptFile(folder, temporary, handle, await identityOf(folder))
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
      if ((await identityOf(this.#folder)) !== this.#identity) {
        throw new Error('another folder was put in its place')
      }
      // whoever may write the folder may have lengthened the file
      await this.#handle.truncate(0)
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
      if (receiptOut !== undefined) await refuseSpecial(receiptOut)
      const csc =
        receiptOut === undefined
          ? undefined
          : { file: await room(dirname(resolve(receiptOut))), name: basename(receiptOut) }
      const evidence =
        evidenceOut === undefined
          ? []
          : [await room(resolve(evidenceOut)), await room(resolve(evidenceOut))]
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

/** Names a folder by what it is, not by where it is found. */
async function identityOf(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder)
  return `${dev}:${ino}`
}

/**
 * A regular file is replaced, and a link to one; a folder, a device, or a link to something special
 * such as `/dev/stdout` is not ours to replace.
 */
async function refuseSpecial(path: string): Promise<void> {
  const found = path.endsWith('/') || path === '' ? 'no file' : await kindOf(path)
  if (found !== undefined) throw unwritable(path, new Error(`${found} stands in its place`))
}

async function kindOf(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) return 'a folder'
    return found.isFile() ? undefined : 'a device or the like'
  } catch {
    return undefined // nothing is there, or nothing that can be seen: opening beside it decides
  }
}

function unwritable(path: string, cause: unknown): ReceiptError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const message = `the receipt \`${path}\` could not be written: ${reason}`
  return new ReceiptError('ERR_RECEIPT_UNWRITABLE', message, { cause })
}
