// SPDX-License-Identifier: Apache-2.0
// The rules of `ambit:approval`: what an approver signs, and how receipts name it.
import { type JsonObject, asText } from '../json/value.js'
import {
  type Shape,
  TEXT,
  TIME,
  checkObject,
  expected,
  may,
  must,
  oneOf,
  string,
} from '../schema.js'
import { DIGEST, MODE } from './acta-fields.js'

/** Checks an approval. It binds a contract and a policy, or an action, and never both. */
export function checkApproval(payload: JsonObject): string | undefined {
  const fault = checkObject(payload, APPROVAL)
  if (fault !== undefined) return fault
  const bindsAction = asText(payload.get('bind')) === 'action'
  for (const name of ['action_hash', 'contract_hash', 'policy_hash']) {
    const isWanted = bindsAction === (name === 'action_hash')
    const isThere = payload.get(name) !== undefined
    if (isThere && !isWanted) return expected(name, 'no such member with this `bind`')
    if (isWanted && !isThere) return expected(name, 'a required member with this `bind`')
  }
  return undefined
}

function isSized(text: string, min: number, max: number): boolean {
  const bytes = new TextEncoder().encode(text).length
  return bytes >= min && bytes <= max
}

const SCOPE = oneOf('single_execution', 'time_window')
const ID = string((text) => isSized(text, 1, 256), 'a string of 1 to 256 bytes')

const APPROVAL: Shape = {
  members: [
    must('type', TEXT),
    must('approval_version', oneOf('ambit.approval.v1')),
    must('approval_id', ID),
    must('issued_at', TIME),
    must('issuer_id', TEXT),
    must('not_before', TIME),
    must('expires_at', TIME),
    must('scope', SCOPE),
    must('mode', MODE),
    must('bind', oneOf('action', 'contract')),
    may('action_hash', DIGEST),
    may('contract_hash', DIGEST),
    may('policy_hash', DIGEST),
    may('ledger_id', TEXT),
    may('ticket_id', ID),
    may(
      'reason',
      string((text) => isSized(text, 0, 16_000), 'at most 16,000 bytes'),
    ),
  ],
  others: true,
}

/** An approval that a decision used. */
export const USED: Shape = {
  members: [
    must('approval_hash', DIGEST),
    must('approval_id', TEXT),
    must('approver_key_id', TEXT),
    must('scope', SCOPE),
  ],
  others: true,
}

/** The same in an execution, where older receipts say less. */
export const REPEATED: Shape = {
  members: [
    must('approval_hash', DIGEST),
    may('approval_id', TEXT),
    must('approver_key_id', TEXT),
    may('scope', SCOPE),
  ],
  others: true,
}
