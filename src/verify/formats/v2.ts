// SPDX-License-Identifier: Apache-2.0
// Receipts of version 2. The signature, in hex, covers the RFC 8785 text of the whole document
// without `signature`. A `public_key` in it is signed and not used.
import { type JsonObject, asInteger, asText, without } from '../json/value.js'
import { write } from '../json/write.js'
import { OPEN, type Shape, TEXT, TIME, checkObject, must } from '../schema.js'
import { Fault } from '../verdict.js'
import { type Claimed, checkAlgorithm, hexSignature, schemaFault } from './claim.js'

/** Reads a receipt of version 2. */
export function readV2(receipt: JsonObject): Claimed {
  if (asInteger(receipt.get('v')) !== 2) {
    throw new Fault('UNKNOWN_FORMAT', 'v: expected 2 in a receipt with `payload`')
  }
  checkAlgorithm(receipt)
  const signature = hexSignature(receipt)
  const kid = asText(receipt.get('kid')) ?? ''
  if (kid === '') {
    throw new Fault('MALFORMED_SIGNATURE', 'kid: expected a string that is not empty')
  }
  const signed = without(receipt, 'signature')
  return {
    key: { by: 'id', id: kid },
    input: write(signed),
    signature,
    rules: () => schemaFault(checkObject(signed, RECEIPT)),
  }
}

const RECEIPT: Shape = {
  members: [
    must('type', TEXT),
    must('algorithm', TEXT),
    must('issuer', TEXT),
    must('issued_at', TIME),
    must('payload', OPEN),
  ],
  others: true,
}
