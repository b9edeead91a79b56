// SPDX-License-Identifier: Apache-2.0
// Envelopes of the agent governance toolkit's sb-runtime skill. The signature, in base64url, covers
// the payload as Python writes it. `kid` is not signed, so it counts only where it is the key's own
// id, or the id under which the verifier was given the key.
import { fromBase64url } from '../bytes.js'
import type { Json } from '../json/value.js'
import { STRING, type Shape, TEXT, TIME, checkObject, may, must, oneOf, string } from '../schema.js'
import { Fault } from '../verdict.js'
import { readEnvelope, refuseSignatureMember } from './acta.js'
import { type Claimed, schemaFault } from './claim.js'
import { memberText } from './python.js'

/** Reads an envelope of the skill. */
export function readAgt(document: Uint8Array, value: Json): Claimed {
  const { payload, kid, sig } = readEnvelope(value)
  const signature = fromBase64url(sig, 64)
  if (signature === undefined) {
    const detail = 'signature.sig: expected 64 bytes in base64url without padding'
    throw new Fault('SIGNATURE_ENCODING', detail)
  }
  refuseSignatureMember(payload)
  const input = memberText(document, value, 'payload')
  if (input === undefined) {
    const detail = "the payload's Python text cannot be made again with certainty"
    throw new Fault('NOT_REPRODUCIBLE', detail)
  }
  return {
    key: { by: 'name', id: kid },
    input,
    signature,
    rules: () => schemaFault(checkObject(payload, PAYLOAD)),
  }
}

function isLink(text: string): boolean {
  return fromBase64url(text, 32) !== undefined
}

/** `action` and `agent_id` may be anything: the skill signs what its caller gave. */
const PAYLOAD: Shape = {
  members: [
    must('type', TEXT),
    must('decision', oneOf('allow', 'deny')),
    must('sandbox_backend', oneOf('none', 'sb_runtime_builtin', 'nono', 'openshell')),
    must('policy_id', STRING),
    must('policy_digest', STRING),
    must('issuer_id', TEXT),
    must('issued_at', TIME),
    // An authorization has more around it: see `bilateral`.
    may(
      'phase',
      string((text) => text !== 'authorization', 'no authorization alone'),
    ),
    may('previousReceiptHash', string(isLink, '32 bytes in base64url without padding')),
  ],
  others: true,
}
