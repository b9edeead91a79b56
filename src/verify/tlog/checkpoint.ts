// SPDX-License-Identifier: Apache-2.0
// Checkpoints (C2SP `tlog-checkpoint`): signed notes that name a log, its size and its root.
import { concat, fromBase64, hex, sameBytes, utf8 } from '../bytes.js'
import { LogError } from './error.js'
import { emptyRoot } from './merkle.js'
import { NoteKey } from './note-key.js'
import { type Note, isBy, notIts, openNote, parseNote } from './note.js'

/** What a checkpoint says. */
export interface Checkpoint {
  /** The name of the log: `ambit-ledger/` and the ledger's id for a ledger of ours. */
  readonly origin: string
  /** The number of leaves. */
  readonly size: bigint
  /** The root of the tree over them, 32 bytes. */
  readonly root: Uint8Array
  /** The lines after the root. We write none, and nothing is concluded from them. */
  readonly extensions: readonly string[]
}

/** A checkpoint whose signature by its log was checked. */
export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint
  /** The note, with all its signatures: those of witnesses are not checked yet. */
  readonly note: Note
  /** The trusted keys of the log that signed it, one or more. */
  readonly signers: readonly NoteKey[]
}

/**
 * Reads the text of a checkpoint's note, without its signatures.
 *
 * @throws {@link LogError} `ERR_LEDGER_NOTE`
 */
export async function parseCheckpoint(text: string): Promise<Checkpoint> {
  // each line ends with a line feed, and none is empty
  const lines = text.split('\n').slice(0, -1)
  const [origin, digits, root64, ...extensions] = lines
  const size = readDecimal(digits ?? '')
  const root = fromBase64(root64 ?? '', 32)
  const isForm = text.endsWith('\n') && !lines.includes('')
  if (!isForm || origin === undefined || size === undefined || root === undefined) {
    throw new LogError('ERR_LEDGER_NOTE', 'not a checkpoint; expected origin, size and root')
  }
  if (size === 0n && !sameBytes(root, await emptyRoot())) {
    throw new LogError('ERR_LEDGER_NOTE', 'the root is not that of a log without entries')
  }
  return { origin, size, root, extensions }
}

/**
 * Reads a checkpoint and checks that its log signed it: a trusted key whose name is the checkpoint's
 * origin.
 *
 * @throws {@link LogError} `ERR_LEDGER_NOTE`, `ERR_LEDGER_NOTE_SIGNATURE`
 */
export async function openCheckpoint(
  note: Uint8Array | string,
  trusted: readonly NoteKey[],
): Promise<OpenedCheckpoint> {
  const checkpoint = await parseCheckpoint(parseNote(note).text)
  const ofLog = trusted.filter(({ name }) => name === checkpoint.origin)
  return { checkpoint, ...(await openNote(note, ofLog)) }
}

/**
 * Reads a checkpoint and checks that one of these keys signed it in the name of its origin, whatever
 * that is: compare the origin with the log that you mean.
 *
 * @param keys each an SPKI PEM, JWK, 64 hex digits, or 32 raw bytes
 * @throws {@link LogError} `ERR_LEDGER_NOTE`, `ERR_LEDGER_NOTE_SIGNATURE`
 */
export async function openCheckpointBy(
  note: Uint8Array | string,
  keys: readonly (Uint8Array | string)[],
): Promise<OpenedCheckpoint> {
  const { origin } = await parseCheckpoint(parseNote(note).text)
  return openCheckpoint(note, await Promise.all(keys.map(async (key) => NoteKey.of(origin, key))))
}

/**
 * A witness's word: as of this time, the checkpoint is the largest that it saw of the log, and the
 * log only grew up to it.
 */
export interface Cosignature {
  readonly witness: NoteKey
  /** When it signed by its own clock, seconds since 1970-01-01T00:00:00Z, below 2^63. */
  readonly time: bigint
}

/**
 * Checks the cosignatures of trusted witnesses; returns one for each public key, in the order of the
 * note. A witness with the key of the log itself does not count. Signatures of others are ignored.
 *
 * @param quorum how many different witnesses must have signed
 * @throws {@link LogError} `ERR_LEDGER_NOTE_SIGNATURE` where a cosignature in a trusted witness's name
 *   is not its own, and where there are too few
 */
export async function verifyCosignatures(
  { note, signers }: OpenedCheckpoint,
  witnesses: readonly NoteKey[],
  quorum: number,
): Promise<readonly Cosignature[]> {
  const found = new Map<string, Cosignature>()
  const ofLog = new Set(signers.map(({ key }) => key.thumbprint))
  for (const signature of note.signatures) {
    for (const witness of witnesses) {
      if (witness.kind !== 'cosignature' || !isBy(signature, witness)) continue
      const time = await cosignedAt(note, witness, signature.bytes)
      if (time === undefined) throw notIts(witness, 'checkpoint')
      const { thumbprint } = witness.key
      if (!ofLog.has(thumbprint) && !found.has(thumbprint)) found.set(thumbprint, { witness, time })
    }
  }
  if (found.size >= quorum) return [...found.values()]
  const message = `${found.size} trusted witnesses signed the checkpoint; expected ${quorum}`
  throw new LogError('ERR_LEDGER_NOTE_SIGNATURE', message)
}

/** Returns the time of a cosignature that holds. */
async function cosignedAt(
  note: Note,
  witness: NoteKey,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<bigint | undefined> {
  if (bytes.length !== TIME_BYTES + 64) return undefined
  const time = BigInt(`0x${hex(bytes.subarray(0, TIME_BYTES))}`)
  if (time > MAX_TIME) return undefined
  const message = concat(utf8(`cosignature/v1\ntime ${time}\n`), utf8(note.text))
  return (await witness.key.verify(message, bytes.slice(TIME_BYTES))) ? time : undefined
}

/** Reads a decimal number below 2^64 without sign and leading zeros. */
export function readDecimal(text: string): bigint | undefined {
  const isDigits = text !== '' && Array.from(text).every((one) => one >= '0' && one <= '9')
  if (!isDigits || text.length > 20 || (text.startsWith('0') && text !== '0')) return undefined
  const value = BigInt(text)
  return value < 1n << 64n ? value : undefined
}

const TIME_BYTES = 8
const MAX_TIME = (1n << 63n) - 1n
