// SPDX-License-Identifier: Apache-2.0
// Fields that a receipt commits to and that are shown apart from it:
// draft-farley-acta-signed-receipts-04, sections 6.1 to 6.5. Codes are those of crates/receipt.
import { decodeBase64url, fromHex, sameBytes, utf8 } from './bytes.js'
import { JsonFault } from './json/fault.js'
import { documentBytes, parse } from './json/parse.js'
import { type Json, asArray, asInteger, asObject, asText, isArray, member } from './json/value.js'
import { write } from './json/write.js'
import type { KeySet } from './keys/key-set.js'
import { examine } from './receipt.js'
import { LogError } from './tlog/error.js'
import { inclusionRoot, leafHash } from './tlog/merkle.js'
import { type Status, type Verdict, quoted } from './verdict.js'

/** What each code means for a field. */
const STATUS = {
  FIELD_CONFLICT: 'invalid',
  MALFORMED_DISCLOSURE: 'undecidable',
  NO_COMMITTED_ROOT: 'undecidable',
  OK: 'valid',
  PROOF_INVALID: 'invalid',
  RECEIPT_NOT_VALID: 'undecidable',
  ROOT_MISMATCH: 'invalid',
  SALT_ENCODING: 'invalid',
  SALT_TOO_SHORT: 'invalid',
} as const satisfies Record<string, Status>

/** Why a field is what it is said to be, or not. */
export type DisclosureCode = keyof typeof STATUS

/** What was found of one field. */
export interface Disclosed {
  readonly status: Status
  readonly code: DisclosureCode
  /** For people; hostile text in it is escaped and cut. */
  readonly detail: string
  /** The field's name, where it could be read: a claim unless the field is valid. */
  readonly name: string | null
}

/**
 * Verifies a receipt, and fields that are shown with it against the root that it signs. Nothing is
 * said of the fields unless the receipt is a valid envelope of the draft.
 *
 * There is one answer for each field, in their order; a document that shows none is one answer, and an
 * empty list none. That no more fields were committed than are shown, nothing here proves.
 *
 * @param shown one disclosure `{name, salt, value, proof}`, an array of them, or an object with an
 *   array `disclosures`, as bytes or text
 */
export async function verifyDisclosed(
  receipt: Uint8Array | string,
  keys: KeySet,
  shown: Uint8Array | string,
): Promise<{ readonly receipt: Verdict; readonly fields: readonly Disclosed[] }> {
  const { verdict, read } = await examine(receipt, keys)
  const alone = (code: DisclosureCode, detail: string) => ({
    receipt: verdict,
    fields: [answer(null, new FieldFault(code, detail))],
  })
  if (verdict.status !== 'valid' || verdict.format !== 'acta') {
    return alone('RECEIPT_NOT_VALID', `the receipt is not a valid envelope: ${verdict.code}`)
  }
  const root = fromHex(asText(member(member(read?.value, 'payload'), ROOT)) ?? '', 32)
  if (root === undefined) {
    return alone('NO_COMMITTED_ROOT', `the receipt has no \`${ROOT}\` of 64 lowercase hex digits`)
  }
  return { receipt: verdict, fields: await verifyFields(root, shown) }
}

async function verifyFields(
  root: Uint8Array,
  shown: Uint8Array | string,
): Promise<readonly Disclosed[]> {
  const list = readList(shown)
  if (list instanceof FieldFault) return [answer(null, list)]
  const found = await Promise.all(list.map(async (field) => checkField(field, root)))
  const conflict = conflictOf(found.filter((it): it is Shown => !(it instanceof FieldFault)))
  return found.map((it, at) => {
    const fault = it instanceof FieldFault ? it : conflict
    return answer(asText(member(list[at], 'name')) ?? null, fault)
  })
}

/** A reason that is not `OK`. */
class FieldFault extends Error {
  readonly code: DisclosureCode
  constructor(code: DisclosureCode, detail: string) {
    super(detail)
    this.code = code
  }
}

function answer(name: string | null, fault: FieldFault | undefined): Disclosed {
  const code = fault?.code ?? 'OK'
  const detail = fault?.message ?? 'the receipt commits to the field'
  return { status: STATUS[code], code, detail, name }
}

function readList(shown: Uint8Array | string): readonly Json[] | FieldFault {
  try {
    const value = parse(documentBytes(shown))
    if (isArray<Json>(value)) return value
    const inner = member(value, 'disclosures')
    if (inner === undefined) return [value]
    return asArray(inner) ?? malformed('disclosures', 'an array')
  } catch (fault) {
    if (fault instanceof JsonFault) return new FieldFault('MALFORMED_DISCLOSURE', fault.detail)
    throw fault
  }
}

/** A field that is shown, and where. */
interface Shown {
  readonly name: string
  readonly index: number
  readonly size: number
}

async function checkField(value: Json, root: Uint8Array): Promise<FieldFault | Shown> {
  try {
    const { leaf, siblings, ...shown } = readField(value)
    const place = { index: shown.index, size: shown.size, leaf: await leafHash(utf8(leaf)) }
    if (sameBytes(await inclusionRoot(place, siblings), root)) return shown
    const detail = 'the field is not the one that the receipt commits to'
    return new FieldFault('ROOT_MISMATCH', detail)
  } catch (fault) {
    if (fault instanceof FieldFault) return fault
    if (fault instanceof LogError) return new FieldFault('PROOF_INVALID', `proof: ${fault.message}`)
    throw fault
  }
}

function readField(value: Json) {
  const [name, salt] = ['name', 'salt'].map((text) => asText(member(value, text)))
  if (name === undefined) throw malformed('name', 'a string')
  if (salt === undefined) throw malformed('salt', 'a string')
  const shown = member(value, 'value')
  if (shown === undefined) throw malformed('value', 'a required member')
  const proof = asObject(member(value, 'proof'))
  if (proof === undefined) throw malformed('proof', 'an object')
  checkSalt(salt)
  const [index, size] = [placeOf(proof, 'index'), placeOf(proof, 'tree_size')]
  const siblings = asArray(proof.get('siblings'))?.map((it) => fromHex(asText(it) ?? '', 32))
  const hashes = siblings?.filter((hash) => hash !== undefined)
  if (hashes === undefined || hashes.length !== siblings?.length) {
    throw malformed('proof.siblings', 'digests in 64 lowercase hex digits each')
  }
  const leaf = write(
    new Map<string, Json>([
      ['name', name],
      ['salt', salt],
      ['value', shown],
    ]),
  )
  return { name, index, size, leaf, siblings: hashes }
}

function checkSalt(salt: string): void {
  const bytes = decodeBase64url(salt)
  if (bytes === undefined) {
    throw new FieldFault('SALT_ENCODING', 'salt: expected base64url without padding')
  }
  if (bytes.length < MIN_SALT_BYTES) {
    throw new FieldFault('SALT_TOO_SHORT', `salt: expected at least ${MIN_SALT_BYTES} bytes`)
  }
}

function placeOf(proof: ReadonlyMap<string, Json>, name: string): number {
  const number = asInteger(proof.get(name))
  if (number === undefined) throw malformed(`proof.${name}`, 'an integer')
  if (number >= 0) return number
  throw new FieldFault('PROOF_INVALID', `proof.${name}: expected no negative number`)
}

/** Says why fields that each lead to the root cannot all be in one tree, if so. */
function conflictOf(fields: readonly Shown[]): FieldFault | undefined {
  const sorted = fields.toSorted((a, b) => a.index - b.index)
  for (const [at, after] of sorted.entries()) {
    const before = sorted[at - 1]
    if (before === undefined) continue
    const same = before.index === after.index && before.name === after.name
    const ordered = before.index < after.index && isBefore(utf8(before.name), utf8(after.name))
    if (before.size === after.size && (same || ordered)) continue
    const names = `${quoted(before.name)} and ${quoted(after.name)}`
    const detail = `the fields ${names} cannot stand in one tree as they are shown`
    return new FieldFault('FIELD_CONFLICT', detail)
  }
  return undefined
}

/** Whether some bytes sort before others. */
function isBefore(a: Uint8Array, b: Uint8Array): boolean {
  const at = a.findIndex((byte, index) => byte !== b[index])
  return at < 0 ? a.length < b.length : (a[at] ?? 0) < (b[at] ?? -1)
}

function malformed(path: string, words: string): FieldFault {
  return new FieldFault('MALFORMED_DISCLOSURE', `${path}: expected ${words}`)
}

const ROOT = 'committed_fields_root'
const MIN_SALT_BYTES = 16
