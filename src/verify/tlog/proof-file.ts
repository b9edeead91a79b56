// SPDX-License-Identifier: Apache-2.0
// Proofs as files (C2SP `tlog-proof`): one entry's place in a log, checkable offline.
import { decodeBase64, fromBase64, fromUtf8 } from '../bytes.js'
import { type OpenedCheckpoint, openCheckpoint, readDecimal } from './checkpoint.js'
import { LogError } from './error.js'
import { leafHash, verifyInclusion } from './merkle.js'
import type { NoteKey } from './note-key.js'

/** An entry's place in a log, and a checkpoint. */
export interface TlogProof {
  /** The place of the leaf, from 0: an entry's number less one. */
  readonly index: bigint
  /** The hashes from the leaf's sibling upwards. */
  readonly hashes: readonly Uint8Array[]
  /** The checkpoint's note, as it stands in the file. */
  readonly checkpoint: string
}

/**
 * Reads a proof, at most 2 MiB; the checkpoint in it is not looked at yet. Data in a line `extra` is
 * read over: nothing vouches for it.
 *
 * @throws {@link LogError} `ERR_LEDGER_NOTE`
 */
export function parseProof(proof: Uint8Array | string): TlogProof {
  const text = typeof proof === 'string' ? proof : (fromUtf8(proof) ?? '')
  // up to the first empty line
  const end = text.indexOf('\n\n')
  const [header, ...rest] = text.slice(0, Math.max(end, 0)).split('\n')
  const [line = '', ...lines] = withoutExtra(rest)
  const index = line.startsWith(INDEX) ? readDecimal(line.slice(INDEX.length)) : undefined
  const fits = lines.length <= MAX_HASHES && proof.length <= MAX_BYTES
  if (!fits || header !== HEADER || index === undefined) throw malformed()
  return { index, hashes: lines.map(readHash), checkpoint: text.slice(end + 2) }
}

function withoutExtra(lines: readonly string[]): readonly string[] {
  const [first = '', ...rest] = lines
  if (!first.startsWith(EXTRA)) return lines
  if (decodeBase64(first.slice(EXTRA.length)) === undefined) throw malformed()
  return rest
}

/**
 * Checks that the entry with this SHA-256 digest is in the log whose checkpoint a trusted key signed,
 * at the proof's index.
 *
 * @param digest SHA-256 of the entry's exact bytes, 32 bytes
 * @throws {@link LogError}
 */
export async function verifyProof(
  proof: Uint8Array | string,
  digest: Uint8Array,
  trusted: readonly NoteKey[],
): Promise<OpenedCheckpoint> {
  const { index, hashes, checkpoint } = parseProof(proof)
  const opened = await openCheckpoint(checkpoint, trusted)
  const { size, root } = opened.checkpoint
  await verifyInclusion({ index, size, leaf: await leafHash(digest), root }, hashes)
  return opened
}

function readHash(line: string): Uint8Array {
  const hash = fromBase64(line, 32)
  if (hash === undefined) throw malformed()
  return hash
}

function malformed(): LogError {
  return new LogError('ERR_LEDGER_NOTE', `not a proof; expected \`${HEADER}\` and its lines`)
}

const HEADER = 'c2sp.org/tlog-proof@v1'
const EXTRA = 'extra '
const INDEX = 'index '
/** The most that a proof between trees of less than 2^64 leaves can have, and one more. */
const MAX_HASHES = 65
const MAX_BYTES = 1 << 21
