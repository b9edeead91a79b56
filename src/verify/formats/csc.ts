// SPDX-License-Identifier: Apache-2.0
// `csc.receipt.v0.1`. The signature covers the RFC 8785 text of the receipt with `signature` in it,
// but without `signature.signature`. Numbers must be plain integers: csc-runner writes others as
// Python does.
import { fromBase64 } from '../bytes.js'
import { JsonFault } from '../json/fault.js'
import { parsePlainIntegers } from '../json/parse.js'
import { type Json, type JsonObject, asObject, asText, without } from '../json/value.js'
import { write } from '../json/write.js'
import { isDateTime } from '../time.js'
import { Fault, quoted } from '../verdict.js'
import { type Claimed, schemaFault } from './claim.js'
import { checkReceipt } from './csc-rules.js'

interface Signature {
  readonly keyId: string
  readonly encoded: string
  /** The signature object without the signature itself. */
  readonly unsigned: JsonObject
}

/** Reads a csc receipt. */
export function readCsc(document: Uint8Array, receipt: JsonObject): Claimed {
  const { keyId, encoded, unsigned } = readSignature(receipt.get('signature'))
  try {
    parsePlainIntegers(document)
  } catch (fault) {
    if (fault instanceof JsonFault) throw new Fault('NON_CANONICAL', fault.detail)
    throw fault
  }
  const signature = fromBase64(encoded, 64)
  if (signature === undefined) {
    const detail = 'signature.signature: expected padded base64 of 64 bytes'
    throw new Fault('SIGNATURE_ENCODING', detail)
  }
  return {
    key: { by: 'id', id: keyId },
    input: write(new Map([...receipt, ['signature', unsigned]])),
    signature,
    rules: () => schemaFault(checkReceipt(without(receipt, 'signature'), keyId)),
  }
}

function readSignature(signature: Json | undefined): Signature {
  if (signature === undefined || signature === null) {
    throw new Fault('MISSING_SIGNATURE', 'the receipt is not signed')
  }
  const members = asObject(signature)
  if (members === undefined) throw malformed('signature: expected an object')
  checkAlgorithm(members)
  const [keyId = '', encoded = '', signedAt = ''] = TEXTS.map((name) => asText(members.get(name)))
  if ([keyId, encoded, signedAt].includes('')) {
    throw malformed('signature: expected `key_id`, `signature` and `signed_at`, not empty')
  }
  if (!isDateTime(signedAt)) {
    throw malformed('signature.signed_at: expected an RFC 3339 time with its zone')
  }
  if (members.size !== 4) throw malformed('signature: expected no further members')
  return { keyId, encoded, unsigned: without(members, 'signature') }
}

function checkAlgorithm(members: JsonObject): void {
  const algorithm = asText(members.get('algorithm'))
  if (algorithm === undefined) throw malformed('signature.algorithm: expected a string')
  if (algorithm !== ALGORITHM) {
    const detail = `signature.algorithm is ${quoted(algorithm)}; expected \`ed25519\``
    throw new Fault('UNSUPPORTED_ALGORITHM', detail)
  }
}

function malformed(detail: string): Fault {
  return new Fault('MALFORMED_SIGNATURE', detail)
}

const TEXTS = ['key_id', 'signature', 'signed_at']
const ALGORITHM = 'ed25519'
