// SPDX-License-Identifier: Apache-2.0
// Receipts of the agent governance toolkit's bilateral extension: `{payload, signature,
// authorization: {hash, sig}, bilateral: true, result}`, `result` `null` or `{hash, sig, sealed_at,
// data}`. The toolkit's own check computes no hash again; here each is. Two things nobody signs: that
// there is no result yet, and `sealed_at`, of which only the order can be checked.
import { fromBase64url } from '../bytes.js'
import { digestOf } from '../hash.js'
import { type JsonObject, asObject, asText, isObject, member } from '../json/value.js'
import {
  BOOLEAN,
  type Shape,
  TEXT,
  TIME,
  checkObject,
  must,
  nullable,
  object,
  oneOf,
} from '../schema.js'
import { isBefore, parseInstant } from '../time.js'
import { Fault } from '../verdict.js'
import { readSignature } from './acta.js'
import { type Claimed, type Verifies, schemaFault } from './claim.js'
import { memberText } from './python.js'

/** Reads a receipt of this form. */
export function readBilateral(document: Uint8Array, receipt: JsonObject): Claimed {
  const payload = asObject(receipt.get('payload'))
  if (payload === undefined || ![...receipt.keys()].every((name) => MEMBERS.has(name))) {
    const detail =
      'expected `payload`, an object, `signature`, `authorization`, `bilateral` and `result`, nothing more'
    throw new Fault('UNKNOWN_FORMAT', detail)
  }
  const { kid, sig } = readSignature(receipt.get('signature'))
  const signature = signatureBytes('signature.sig', sig)
  if (signature instanceof Fault) throw signature
  const text = (...names: readonly string[]) => {
    const found = memberText(document, receipt, ...names)
    if (found !== undefined) return found
    throw new Fault('NOT_REPRODUCIBLE', "Python's text cannot be made again with certainty")
  }
  const input = text('payload')
  const data = isObject(receipt.get('result')) ? text('result', 'data') : undefined
  return {
    key: { by: 'name', id: kid },
    input,
    signature,
    rules: async (by) =>
      schemaFault(checkObject(payload, PAYLOAD) ?? checkObject(receipt, ENVELOPE)) ??
      (await checkAuthorization(receipt, sig, input)) ??
      (data === undefined ? undefined : await checkResult(receipt, data, by)),
  }
}

/** The authorization names the payload and repeats its signature. */
async function checkAuthorization(
  receipt: JsonObject,
  sig: string,
  payload: string,
): Promise<Fault | undefined> {
  if (textOf(receipt, 'authorization', 'hash') !== (await digestOf(payload))) {
    return new Fault('HASH_MISMATCH', 'authorization.hash is not that of the payload')
  }
  if (textOf(receipt, 'authorization', 'sig') !== sig) {
    const detail = 'authorization.sig is not the signature of the payload'
    return new Fault('INVALID_SIGNATURE', detail)
  }
  return receipt.get('bilateral') === true ? undefined : schemaFault('bilateral: expected true')
}

/** The result is what was sealed, for this authorization, by the same key, and not before it. */
async function checkResult(
  receipt: JsonObject,
  data: string,
  by: Verifies,
): Promise<Fault | undefined> {
  const hash = await digestOf(data)
  if (textOf(receipt, 'result', 'hash') !== hash) {
    return new Fault('HASH_MISMATCH', 'result.hash is not that of result.data')
  }
  const signature = signatureBytes('result.sig', textOf(receipt, 'result', 'sig'))
  if (signature instanceof Fault) return signature
  if (!(await by(`${textOf(receipt, 'authorization', 'hash')}:${hash}`, signature))) {
    const detail = "result.sig is not the key's over this authorization and result"
    return new Fault('INVALID_SIGNATURE', detail)
  }
  const issued = parseInstant(textOf(receipt, 'payload', 'issued_at'))
  const sealed = parseInstant(textOf(receipt, 'result', 'sealed_at'))
  const isEarly = issued !== undefined && (sealed === undefined || isBefore(sealed, issued))
  return isEarly ? schemaFault('result.sealed_at: expected no time before `issued_at`') : undefined
}

function textOf(receipt: JsonObject, outer: string, inner: string): string {
  return asText(member(receipt.get(outer), inner)) ?? ''
}

function signatureBytes(name: string, text: string): Fault | Uint8Array<ArrayBuffer> {
  const words = `${name}: expected 64 bytes in base64url without padding`
  return fromBase64url(text, 64) ?? new Fault('SIGNATURE_ENCODING', words)
}

const MEMBERS = new Set(['payload', 'signature', 'authorization', 'bilateral', 'result'])

const PAYLOAD: Shape = {
  members: [
    must('type', TEXT),
    must('decision', oneOf('allow', 'deny')),
    must('phase', oneOf('authorization')),
    must('issued_at', TIME),
  ],
  others: true,
}

/** `data` may be anything, and is there: its text was made. */
const RESULT: Shape = {
  members: [must('hash', TEXT), must('sig', TEXT), must('sealed_at', TIME)],
  others: true,
}

const ENVELOPE: Shape = {
  members: [
    must(
      'authorization',
      object({ members: [must('hash', TEXT), must('sig', TEXT)], others: true }),
    ),
    must('bilateral', BOOLEAN),
    must('result', nullable(object(RESULT))),
  ],
  others: true,
}
