// SPDX-License-Identifier: Apache-2.0
// What a checkpoint that was kept elsewhere says of a ledger's entries.
import { fromHex, sameBytes } from '../bytes.js'
import type { Checkpoint } from '../tlog/checkpoint.js'
import { leafHash, treeRoot } from '../tlog/merkle.js'
import type { SetCode } from './codes.js'

/** What is known of receipts that are not there. */
export type Completeness =
  | {
      readonly kind: 'complete_to_checkpoint'
      readonly origin: string
      /** How many entries the checkpoint covers. */
      readonly size: number
      /** Entries here that are newer than the checkpoint. */
      readonly beyond: number
      /** The witnesses whose cosignatures were given. */
      readonly witnesses: readonly string[]
    }
  /** There was no checkpoint: that the newest are missing cannot be seen. */
  | { readonly kind: 'integrity_only' }
  /** There was a checkpoint, and entries that it covers are missing or others. */
  | { readonly kind: 'not_complete' }

/** Why a ledger is not what a checkpoint says. */
interface Refused {
  readonly code: SetCode
  readonly detail: string
}

type Complete = Omit<Extract<Completeness, { kind: 'complete_to_checkpoint' }>, 'witnesses'>

/**
 * Compares the digests of a ledger's entries, all of them from the first, with a checkpoint.
 *
 * @param digests 64 hex digits each; nothing where some are missing between others
 */
export async function compare(
  digests: readonly string[] | undefined,
  { origin, size, root }: Checkpoint,
): Promise<Complete | Refused> {
  if (digests === undefined) {
    const detail = 'entries that the checkpoint covers are missing'
    return { code: 'CHAIN_GAP', detail }
  }
  if (size > BigInt(digests.length)) {
    const detail = `the checkpoint covers ${size} entries; ${digests.length} are here`
    return { code: 'CHAIN_TRUNCATED', detail }
  }
  const covered = digests.slice(0, Number(size)).map((digest) => fromHex(digest, 32) ?? NOTHING)
  if (!sameBytes(await treeRoot(await Promise.all(covered.map(leafHash))), root)) {
    const detail = `the first ${size} entries are not those of the checkpoint`
    return { code: 'LOG_FORKED', detail }
  }
  const beyond = digests.length - covered.length
  return { kind: 'complete_to_checkpoint', origin, size: covered.length, beyond }
}

const NOTHING = new Uint8Array()
