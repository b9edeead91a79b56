// SPDX-License-Identifier: Apache-2.0
// Flat receipts, version 1: `{type, …, signature}`. The signature, in hex, covers the RFC 8785 text
// of the document without `signature`.
import { type Json, type JsonObject, asInteger, asText, without } from '../json/value.js'
import { write } from '../json/write.js'
import { type Shape, TEXT, TIME, checkObject, integer, may, must } from '../schema.js'
import { Fault, quoted } from '../verdict.js'
import { type Claimed, checkAlgorithm, hexSignature, schemaFault } from './claim.js'

/** Reads a flat receipt. */
export function readFlat(receipt: JsonObject): Claimed {
  const version = receipt.get('v')
  if (version !== undefined && asInteger(version) !== 1) {
    throw new Fault('UNKNOWN_FORMAT', 'v: expected 1 in a receipt without `payload`')
  }
  checkAlgorithm(receipt)
  const signature = hexSignature(receipt)
  const kid = receipt.get('kid')
  // Where issuer and key are both named they are one, as in an envelope.
  const issuer = receipt.get('issuer_id')
  if (issuer !== undefined && kid !== undefined && !same(issuer, kid)) {
    throw new Fault('ISSUER_MISMATCH', `issuer_id is not the kid ${quoted(asText(kid) ?? '')}`)
  }
  const signed = without(receipt, 'signature')
  return {
    // A `kid` that is no string names no key that can be given.
    key: kid === undefined ? { by: 'any' } : { by: 'id', id: asText(kid) ?? '' },
    input: write(signed),
    signature,
    rules: () => schemaFault(checkObject(signed, RECEIPT)),
  }
}

function same(a: Json, b: Json): boolean {
  return write(a) === write(b)
}

const RECEIPT: Shape = {
  members: [
    must('type', TEXT),
    may('v', integer(1)),
    may('kid', TEXT),
    may('issuer_id', TEXT),
    may('issued_at', TIME),
  ],
  others: true,
}
