// SPDX-License-Identifier: Apache-2.0
// Receipts of the `sb` program: `{payload, signature, pubkey}`. The signature, in hex, covers the
// payload as Rust's `serde_json` writes it: its RFC 8785 text as long as names are ASCII and numbers
// plain integers. `pubkey` is trusted for nothing: it must be one of the verifier's own keys.
import { fromHex } from '../bytes.js'
import { isDigest } from '../hash.js'
import { JsonFault } from '../json/fault.js'
import { parsePlainIntegers } from '../json/parse.js'
import { type JsonObject, asObject, asText, hasAsciiNames } from '../json/value.js'
import { write } from '../json/write.js'
import {
  OPEN,
  STRING,
  type Shape,
  TIME,
  checkObject,
  integer,
  may,
  must,
  nullable,
  object,
  oneOf,
  string,
} from '../schema.js'
import { Fault } from '../verdict.js'
import { type Claimed, hexSignature, schemaFault } from './claim.js'

/** Reads a receipt of the program. */
export function readSbRuntime(document: Uint8Array, receipt: JsonObject): Claimed {
  const payload = asObject(receipt.get('payload'))
  if (payload === undefined || ![...receipt.keys()].every((name) => MEMBERS.has(name))) {
    const detail = 'expected `payload`, an object, `pubkey` and `signature`, nothing more'
    throw new Fault('UNKNOWN_FORMAT', detail)
  }
  const signature = hexSignature(receipt)
  const bytes = fromHex(asText(receipt.get('pubkey')) ?? '', 32)
  if (bytes === undefined) {
    throw new Fault('MALFORMED_SIGNATURE', 'pubkey: expected 32 bytes in lowercase hex')
  }
  return {
    key: { by: 'bytes', bytes },
    input: signingInput(document, payload),
    signature,
    rules: () => schemaFault(checkObject(payload, PAYLOAD)),
  }
}

function signingInput(document: Uint8Array, payload: JsonObject): string {
  try {
    parsePlainIntegers(document)
  } catch (fault) {
    if (fault instanceof JsonFault) throw new Fault('NOT_REPRODUCIBLE', fault.detail)
    throw fault
  }
  if (!hasAsciiNames(payload)) {
    throw new Fault('NOT_REPRODUCIBLE', "a member's name is not printable ASCII")
  }
  return write(payload)
}

function isLink(text: string): boolean {
  return text === 'genesis' || isDigest(text)
}

const MEMBERS = new Set(['payload', 'pubkey', 'signature'])

const PAYLOAD: Shape = {
  members: [
    must('type', oneOf('scopeblind.receipt.v1')),
    must('decision', oneOf('allow', 'deny', 'request_approval')),
    must(
      'action',
      object({ members: [must('kind', STRING), must('target', STRING)], others: false }),
    ),
    must('policy_id', nullable(STRING)),
    must('sequence', integer(1)),
    must('prev_hash', string(isLink, '`genesis`, or `sha256:` and 64 lowercase hex digits')),
    must('timestamp', TIME),
    may('context', OPEN),
  ],
  others: false,
}
