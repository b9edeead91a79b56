// SPDX-License-Identifier: Apache-2.0
// Signed notes (C2SP `signed-note`): a text, an empty line, and a line for each signature.
import { decodeBase64, fromUtf8, hex, loneSurrogate, utf8 } from '../bytes.js'
import { quoted } from '../verdict.js'
import { LogError } from './error.js'
import { type NoteKey, isName } from './note-key.js'

/** A line of a note: who says to have signed, and the signature. Nothing of it is checked. */
export interface NoteSignature {
  readonly name: string
  /** The key's id, 8 hex digits. */
  readonly id: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** A note that was read; its signatures are not checked. */
export interface Note {
  /** The text that is signed, with its last line feed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/**
 * Reads a signed note, at most 1 MiB and 100 signatures. The text ends at the last empty line.
 *
 * @throws {@link LogError} `ERR_LEDGER_NOTE`
 */
export function parseNote(note: Uint8Array | string): Note {
  const all = readText(note)
  const end = all.lastIndexOf('\n\n')
  if (end < 0 || !all.endsWith('\n') || end + 2 >= all.length) throw malformed()
  const text = all.slice(0, end + 1)
  const lines = all.slice(end + 2, -1).split('\n')
  if (lines.length > MAX_SIGNATURES) throw tooLarge()
  if (!Array.from(text).every((one) => one >= ' ' || one === '\n')) throw malformed()
  return { text, signatures: lines.map(readSignature) }
}

/**
 * Reads a signed note and returns it with those of the trusted keys that signed its text. Signatures
 * by others are ignored, and so are keys of witnesses: those sign another text.
 *
 * @throws {@link LogError} `ERR_LEDGER_NOTE`; `ERR_LEDGER_NOTE_SIGNATURE` where a signature that
 *   names a trusted key is not its own, or where none does
 */
export async function openNote(
  note: Uint8Array | string,
  trusted: readonly NoteKey[],
): Promise<{ readonly note: Note; readonly signers: readonly NoteKey[] }> {
  const read = parseNote(note)
  const signers = new Map<string, NoteKey>()
  const message = utf8(read.text)
  for (const signature of read.signatures) {
    for (const key of trusted) {
      if (key.kind !== 'ed25519' || !isBy(signature, key)) continue
      if (!(await key.key.verify(message, signature.bytes))) throw notIts(key, 'text')
      signers.set(key.toString(), key)
    }
  }
  if (signers.size > 0) return { note: read, signers: [...signers.values()] }
  throw new LogError('ERR_LEDGER_NOTE_SIGNATURE', 'no trusted key signed the note')
}

/** Whether a signature names a key. */
export function isBy(signature: NoteSignature, key: NoteKey): boolean {
  return signature.name === key.name && signature.id === key.id
}

/** The fault of a signature that names a key and is not its own. */
export function notIts(key: NoteKey, what: string): LogError {
  const message = `the signature of ${quoted(key.name)} is not that of its key over this ${what}`
  return new LogError('ERR_LEDGER_NOTE_SIGNATURE', message)
}

function readText(note: Uint8Array | string): string {
  if (typeof note === 'string' && loneSurrogate(note) >= 0) throw malformed()
  if ((typeof note === 'string' ? utf8(note) : note).length > MAX_BYTES) throw tooLarge()
  const text = typeof note === 'string' ? note : fromUtf8(note)
  if (text === undefined) throw malformed()
  return text
}

function readSignature(line: string): NoteSignature {
  const space = line.indexOf(' ', DASH.length)
  const name = line.slice(DASH.length, space)
  const bytes = decodeBase64(line.slice(space + 1))
  if (!line.startsWith(DASH) || space < 0 || !isName(name)) throw malformed()
  if (bytes === undefined || bytes.length < 5) throw malformed()
  return { name, id: hex(bytes.subarray(0, 4)), bytes: bytes.slice(4) }
}

function malformed(): LogError {
  return new LogError('ERR_LEDGER_NOTE', 'not a signed note')
}

function tooLarge(): LogError {
  const message = 'a note larger than 1 MiB, or with more than 100 signatures'
  return new LogError('ERR_LEDGER_NOTE', message)
}

const DASH = '\u2014 '
const MAX_BYTES = 1 << 20
const MAX_SIGNATURES = 100
