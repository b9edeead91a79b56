// SPDX-License-Identifier: Apache-2.0
// Tells the formats apart by their shape alone.
import { type Json, type JsonObject, asObject, asText, isObject, member } from './json/value.js'
import { Fault, type Format } from './verdict.js'

/**
 * Returns the one format whose shape the document has. Each has a mark of its own; a document with
 * two marks is ambiguous, whoever signed it.
 *
 * @throws {@link Fault} `UNKNOWN_FORMAT` or `AMBIGUOUS_FORMAT`
 */
export function detect(value: Json): { readonly format: Format; readonly receipt: JsonObject } {
  const receipt = asObject(value)
  if (receipt === undefined) throw new Fault('UNKNOWN_FORMAT', 'a receipt is an object')
  const marks: readonly (readonly [(object: JsonObject) => boolean, Format])[] = [
    [isCsc, 'csc'],
    [isActa, 'acta'],
    [isAgt, 'agt-skill'],
    [isBilateral, 'agt-bilateral'],
    [isSbRuntime, 'sb-runtime'],
    [isV2, 'v2'],
    [isFlat, 'flat-v1'],
  ]
  const [format, second] = marks.filter(([fits]) => fits(receipt)).map(([, name]) => name)
  if (format === undefined) {
    throw new Fault('UNKNOWN_FORMAT', 'the document has the shape of no receipt format')
  }
  if (second !== undefined) {
    const detail = `the document has the shapes of \`${format}\` and \`${second}\``
    throw new Fault('AMBIGUOUS_FORMAT', detail)
  }
  return { format, receipt }
}

/** A version of its own, or a signature that names its `algorithm`. */
function isCsc(object: JsonObject): boolean {
  return object.has('receipt_version') || member(object.get('signature'), 'algorithm') !== undefined
}

/**
 * An envelope that does not have the shape of the AGT skill's, or that keeps the draft's rule that
 * issuer and key id are one.
 */
function isActa(object: JsonObject): boolean {
  const isOther = isAgt(object) && !namesItsIssuer(object)
  return isEnvelope(object) && !isBilateral(object) && !isOther
}

/**
 * An envelope whose payload has the skill's type and its `action`, where the draft has `tool_name`;
 * but not one that is the draft's in issuer and signature, which the skill never writes.
 */
function isAgt(object: JsonObject): boolean {
  const payload = object.get('payload')
  const sig = asText(member(object.get('signature'), 'sig'))
  const isDrafts = namesItsIssuer(object) && sig !== undefined && /^[0-9a-f]{128}$/u.test(sig)
  return (
    !isDrafts &&
    isEnvelope(object) &&
    member(payload, 'type') === 'sb-runtime:decision' &&
    member(payload, 'action') !== undefined &&
    member(payload, 'tool_name') === undefined &&
    !isBilateral(object)
  )
}

/** Whether issuer and key id are one. */
function namesItsIssuer(object: JsonObject): boolean {
  const issuer = asText(member(object.get('payload'), 'issuer_id'))
  return issuer !== undefined && issuer === asText(member(object.get('signature'), 'kid'))
}

/** An envelope with an authorization, or the word that there is one, beside its payload. */
function isBilateral(object: JsonObject): boolean {
  return isEnvelope(object) && (object.has('authorization') || object.has('bilateral'))
}

/** A payload, and the signer's public key beside it. */
function isSbRuntime(object: JsonObject): boolean {
  return object.has('payload') && object.has('pubkey')
}

/** A payload, and a version beside it. */
function isV2(object: JsonObject): boolean {
  return object.has('payload') && object.has('v')
}

/** A type and the signature's text among the signed members, without a payload. */
function isFlat(object: JsonObject): boolean {
  const signature = object.get('signature')
  const inObject = isObject(signature)
  return !object.has('payload') && object.has('type') && signature !== undefined && !inObject
}

/** A payload whose signature stands in an object of its own, if it is signed. */
function isEnvelope(object: JsonObject): boolean {
  const inObject = isObject(object.get('signature'))
  return object.has('payload') && (inObject || !(isSbRuntime(object) || isV2(object)))
}
