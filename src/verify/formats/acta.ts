// SPDX-License-Identifier: Apache-2.0
// Acta envelopes: draft-farley-acta-signed-receipts-04, section 6.6.
import { fromHex } from '../bytes.js'
import { type Json, type JsonObject, asObject, asText, member } from '../json/value.js'
import { write } from '../json/write.js'
import { Fault, quoted } from '../verdict.js'
import { checkPayload } from './acta-rules.js'
import { type Claimed, schemaFault } from './claim.js'

/** What an envelope says. */
interface Envelope {
  readonly payload: JsonObject
  readonly kid: string
  readonly sig: string
}

/**
 * Reads an envelope whose signature is in hex and covers the RFC 8785 text of its payload.
 *
 * @throws {@link Fault}
 */
export function readActa(value: Json): Claimed {
  const { payload, kid, sig } = readEnvelope(value)
  const signature = fromHex(sig, 64)
  if (signature === undefined) {
    throw new Fault('SIGNATURE_ENCODING', 'signature.sig: expected 64 bytes in lowercase hex')
  }
  refuseSignatureMember(payload)
  const issuer = payload.get('issuer_id')
  if (issuer !== undefined && issuer !== kid) {
    throw new Fault('ISSUER_MISMATCH', `issuer_id is not the kid ${quoted(kid)}`)
  }
  return {
    key: { by: 'id', id: kid },
    input: write(payload),
    signature,
    rules: () => schemaFault(checkPayload(payload)),
  }
}

/** Refuses a payload that has a member `signature` of its own. */
export function refuseSignatureMember(payload: JsonObject): void {
  if (payload.has('signature')) {
    throw new Fault('SIGNATURE_IN_PAYLOAD', 'the payload has a member `signature`')
  }
}

/**
 * Returns the payload, the key id and the encoded signature of an envelope.
 *
 * @throws {@link Fault}
 */
export function readEnvelope(value: Json): Envelope {
  const payload = asObject(member(value, 'payload'))
  if (payload === undefined) throw new Fault('UNKNOWN_FORMAT', 'payload: expected an object')
  const names = [...(asObject(value)?.keys() ?? [])]
  if (names.some((name) => name !== 'payload' && name !== 'signature')) {
    const detail = 'an envelope has no members but `payload` and `signature`'
    throw new Fault('UNKNOWN_FORMAT', detail)
  }
  return { payload, ...readSignature(member(value, 'signature')) }
}

/**
 * Returns the key id and the encoded signature.
 *
 * @throws {@link Fault}
 */
export function readSignature(signature: Json | undefined): {
  readonly kid: string
  readonly sig: string
} {
  if (signature === undefined || signature === null) {
    throw new Fault('MISSING_SIGNATURE', 'the envelope is not signed')
  }
  const members = asObject(signature)
  if (members === undefined) throw new Fault('MALFORMED_SIGNATURE', 'signature: expected an object')
  checkAlgorithm(members)
  const kid = asText(members.get('kid')) ?? ''
  const sig = asText(members.get('sig')) ?? ''
  if (kid === '' || sig === '') {
    const detail = 'signature: expected `kid` and `sig`, not empty'
    throw new Fault('MALFORMED_SIGNATURE', detail)
  }
  if (members.size !== 3) {
    throw new Fault('MALFORMED_SIGNATURE', 'signature: expected no further members')
  }
  return { kid, sig }
}

function checkAlgorithm(members: JsonObject): void {
  const alg = asText(members.get('alg'))
  if (alg === undefined) throw new Fault('MALFORMED_SIGNATURE', 'signature.alg: expected a string')
  if (alg !== ALGORITHM) {
    const detail = `signature.alg is ${quoted(alg)}; expected \`EdDSA\``
    throw new Fault('UNSUPPORTED_ALGORITHM', detail)
  }
}

const ALGORITHM = 'EdDSA'
