// SPDX-License-Identifier: Apache-2.0
// Verifies a receipt of whatever format.
import { fromUtf8, utf8 } from './bytes.js'
import { detect } from './detect.js'
import { readActa } from './formats/acta.js'
import { readAgt } from './formats/agt.js'
import { readBilateral } from './formats/bilateral.js'
import type { Claimed, KeyClaim, Verifies } from './formats/claim.js'
import { storedText } from './formats/csc-text.js'
import { readCsc } from './formats/csc.js'
import { readFlat } from './formats/flat.js'
import { memberText } from './formats/python.js'
import { readSbRuntime } from './formats/sb-runtime.js'
import { readV2 } from './formats/v2.js'
import { hex } from './bytes.js'
import { sha256Text } from './hash.js'
import { JsonFault } from './json/fault.js'
import { documentBytes, parse } from './json/parse.js'
import { type Json, type JsonObject, asText, member } from './json/value.js'
import { write } from './json/write.js'
import type { KeySet, Trusted } from './keys/key-set.js'
import type { KeyStatus } from './keys/window.js'
import { parseInstant } from './time.js'
import {
  Fault,
  type Format,
  type Status,
  type Verdict,
  type VerdictCode,
  quoted,
  statusOf,
} from './verdict.js'

/**
 * Verifies one receipt of any {@link Format}, offline. A bad receipt is a verdict, not an error.
 *
 * The format is told by the document's shape; one with the shape of none or of two is undecidable.
 * The keys come from `keys` alone; a key inside the receipt is never used.
 *
 * Where more than one thing is wrong, the first of these is reported: JSON, shape, signature member,
 * algorithm, encoding, issuer, key, signature, the rules of the format, the key's window and
 * revocation. A time that a window cannot be applied to is reported before the rules.
 *
 * @param document the receipt's exact bytes or text, at most 1 MiB
 */
export async function verifyReceipt(document: Uint8Array | string, keys: KeySet): Promise<Verdict> {
  return (await examine(document, keys)).verdict
}

/** A verdict, and what the document parses to for whoever asks what it says. */
export interface Examined {
  readonly verdict: Verdict
  readonly read: Read | undefined
}

/** A document that is strict JSON. */
export interface Read {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly value: Json
}

/** Verifies a receipt, and returns what it parses to. */
export async function examine(document: Uint8Array | string, keys: KeySet): Promise<Examined> {
  const read = readDocument(document)
  if (read instanceof JsonFault) {
    const verdict = { ...told(null, null, 'MALFORMED_JSON', read.detail), digest: null }
    return { verdict, read: undefined }
  }
  const text = write(read.value)
  const digest = await sha256Text(text)
  return { verdict: { ...(await check(read, text, keys)), digest }, read }
}

async function check({ bytes, value }: Read, text: string, keys: KeySet): Promise<Told> {
  let format: Format | null = null
  try {
    const found = detect(value)
    format = found.format
    const claimed = claim(format, bytes, found.receipt)
    const proven = await prove(claimed, keys)
    const by: Verifies = async (signed, signature) =>
      (await proven[0]?.key.verify(utf8(signed), signature)) ?? false
    const rules = await claimed.rules(by)
    const verdict = judge(format, value, { rules, proven, keys })
    return named(verdict, isCanonical(format, bytes, { value, text }))
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    return told(format, value, fault.code, fault.message)
  }
}

function readDocument(document: Uint8Array | string): JsonFault | Read {
  try {
    const bytes = documentBytes(document)
    return { bytes, value: parse(bytes) }
  } catch (fault) {
    if (fault instanceof JsonFault) return fault
    throw fault
  }
}

function claim(format: Format, document: Uint8Array, receipt: JsonObject): Claimed {
  switch (format) {
    case 'acta':
      return readActa(receipt)
    case 'agt-bilateral':
      return readBilateral(document, receipt)
    case 'agt-skill':
      return readAgt(document, receipt)
    case 'csc':
      return readCsc(document, receipt)
    case 'flat-v1':
      return readFlat(receipt)
    case 'sb-runtime':
      return readSbRuntime(document, receipt)
    case 'v2':
      return readV2(receipt)
  }
}

/** Returns the entries of the one trusted key that made the signature. */
async function prove(claimed: Claimed, keys: KeySet): Promise<readonly Trusted[]> {
  if (keys.isEmpty) throw new Fault('NO_KEY', 'no key was given to verify with')
  const candidates = candidatesOf(claimed.key, keys)
  if (candidates.length === 0) {
    const detail = `the receipt ${wordsOf(claimed.key)}, which was not given`
    throw new Fault('UNKNOWN_KEY', detail)
  }
  const message = utf8(claimed.input)
  for (const { key } of candidates) {
    if (await key.verify(message, claimed.signature)) {
      return candidates.filter((other) => other.key.thumbprint === key.thumbprint)
    }
  }
  const detail = "the signature is not the given key's over this document"
  throw new Fault('INVALID_SIGNATURE', detail)
}

function candidatesOf(key: KeyClaim, keys: KeySet): readonly Trusted[] {
  switch (key.by) {
    case 'any':
      return keys.all()
    case 'bytes':
      return keys.withBytes(key.bytes)
    case 'id':
      return keys.candidates(key.id)
    case 'name':
      return keys.named(key.id)
  }
}

function wordsOf(key: KeyClaim): string {
  if (key.by === 'any') return 'names no key'
  return key.by === 'bytes'
    ? `carries the key ${hex(key.bytes)}`
    : `names the key ${quoted(key.id)}`
}

/** A document whose signature is by a trusted key. */
interface Signed {
  readonly rules: Fault | undefined
  readonly proven: readonly Trusted[]
  readonly keys: KeySet
}

function judge(format: Format, value: Json, { rules, proven, keys }: Signed) {
  const written = issueTime(format, value)
  const issued = written === undefined ? undefined : parseInstant(written)
  const key_status = keys.place(proven, issued)
  const unplaced = key_status === 'undecidable' && written !== undefined && issued === undefined
  const verdict =
    rules !== undefined && !unplaced
      ? told(format, value, rules.code, rules.message)
      : told(format, value, ...placed(key_status, keys.isRevoked(proven)))
  const detail = verdict.detail + unsigned(format, value, verdict.status)
  return { ...verdict, detail, key_status }
}

/** Returns what a valid receipt of the format says without signing it. */
function unsigned(format: Format, value: Json, status: Status): string {
  if (format !== 'agt-bilateral' || status !== 'valid') return ''
  return member(value, 'result') === null
    ? '; an authorization alone: that no result was taken away, nobody signs'
    : '; when the result was sealed, nobody signs'
}

/** What follows from the key's status for a receipt that is right otherwise. */
function placed(status: KeyStatus, revoked: boolean): [VerdictCode, string] {
  switch (status) {
    case 'outside':
      return ['KEY_OUTSIDE_WINDOW', "the receipt is dated outside of the key's window of validity"]
    case 'revoked':
      return ['KEY_REVOKED', "the receipt is dated at or after the key's revocation"]
    case 'undecidable':
      return ['KEY_WINDOW_UNDECIDABLE', UNDECIDABLE]
    case 'inside':
      return ['OK', revoked ? REVOKED_LATER : `${HOLDS}; dated within the key's window`]
    case 'not_established':
      return ['OK', revoked ? REVOKED_LATER : HOLDS]
  }
}

/** Returns the time at which the receipt says it was issued, from among its signed members. */
function issueTime(format: Format, value: Json): string | undefined {
  switch (format) {
    case 'acta':
    case 'agt-bilateral':
    case 'agt-skill':
      return asText(member(member(value, 'payload'), 'issued_at'))
    case 'csc':
      return asText(member(member(value, 'signature'), 'signed_at'))
    case 'flat-v1':
    case 'v2':
      return asText(member(value, 'issued_at'))
    case 'sb-runtime':
      return asText(member(member(value, 'payload'), 'timestamp'))
  }
}

/** Whether a document is the canonical text of its format. */
function isCanonical(
  format: Format,
  bytes: Uint8Array,
  { value, text }: { readonly value: Json; readonly text: string },
): boolean {
  const document = fromUtf8(bytes)
  if (format === 'csc') return document === storedText(value)
  const isPython = format === 'agt-skill' || format === 'agt-bilateral'
  return document === (isPython ? memberText(bytes, value) : text)
}

type Told = Omit<Verdict, 'digest'>

/** Says of a valid receipt whether it stands in its canonical text. */
function named(verdict: Told, isCanonicalText: boolean): Told {
  if (verdict.status !== 'valid') return verdict
  const detail = isCanonicalText ? verdict.detail : `${verdict.detail}; ${OTHER_TEXT}`
  return { ...verdict, detail, canonical: isCanonicalText }
}

/** A verdict of what the document says of itself, without digest and without a key's word. */
function told(format: Format | null, value: Json, code: VerdictCode, detail: string): Told {
  const [key, type] = selfNames(format, value)
  return {
    status: statusOf(code, format),
    code,
    detail,
    format,
    key_id: asText(key) ?? null,
    payload_type: asText(type) ?? null,
    key_status: null,
    canonical: false,
  }
}

/** Returns the members that name the key and the type. */
function selfNames(format: Format | null, value: Json): [Json | undefined, Json | undefined] {
  const signature = member(value, 'signature')
  const payloadType = member(member(value, 'payload'), 'type')
  switch (format) {
    case null:
      return [undefined, undefined]
    case 'acta':
    case 'agt-bilateral':
    case 'agt-skill':
      return [member(signature, 'kid'), payloadType]
    case 'csc':
      return [member(signature, 'key_id'), member(value, 'receipt_version')]
    case 'flat-v1':
    case 'v2':
      return [member(value, 'kid'), member(value, 'type')]
    case 'sb-runtime':
      return [member(value, 'pubkey'), payloadType]
  }
}

const HOLDS = 'signature and format hold'
const REVOKED_LATER = `${HOLDS}; the key was revoked later, and that the receipt is older is the signer's own word`
const UNDECIDABLE =
  "the key's window cannot be applied: one of its bounds or the receipt's own time cannot be read or placed, or it ends before it begins"
const OTHER_TEXT =
  'the text differs from the canonical one only in white space, order of members, or equal spellings'
