// SPDX-License-Identifier: Apache-2.0
// The rules of Acta payloads: those of the draft for every type, and all of those of our own types.
import { isDigest, isHexDigest } from '../hash.js'
import { type JsonObject, asArray, asInteger, asText } from '../json/value.js'
import { REPEATED, USED, checkApproval } from './acta-approval.js'
import { DIGEST, DIGEST_WORDS, MODE } from './acta-fields.js'
import {
  BOOLEAN,
  OPEN,
  STRING,
  type Shape,
  TEXT,
  TIME,
  checkObject,
  expected,
  integer,
  list,
  may,
  must,
  nullable,
  object,
  oneOf,
  string,
} from '../schema.js'

/** Checks a payload; members that a type does not have are allowed. Returns the first fault. */
export function checkPayload(payload: JsonObject): string | undefined {
  const type = asText(payload.get('type')) ?? ''
  const shape = SHAPES.get(type)
  const fault = checkObject(payload, ANY)
  if (fault !== undefined) return fault
  if (type === 'ambit:approval') return checkApproval(payload)
  if (shape === undefined) return undefined
  return checkObject(payload, shape) ?? checkLink(payload) ?? checkReasonCodes(payload)
}

/** The first receipt of a ledger names none before it; every other does. */
function checkLink(payload: JsonObject): string | undefined {
  const path = 'previousReceiptHash'
  const hash = asText(payload.get(path))
  if (asInteger(payload.get('seq')) === 1) {
    return hash === undefined ? undefined : expected(path, 'no such member with `seq` 1')
  }
  if (hash === undefined) return expected(path, 'a required member with `seq` above 1')
  // The draft lets other types leave the prefix out.
  return isDigest(hash) ? undefined : expected(path, DIGEST_WORDS)
}

function checkReasonCodes(payload: JsonObject): string | undefined {
  const codes = asArray(payload.get('reason_codes'))?.map((code) => asText(code) ?? '')
  if (codes === undefined) return undefined
  const sorted = codes.every((code, at) => at === 0 || (codes[at - 1] ?? '') < code)
  if (codes.length > 0 && sorted) return undefined
  return expected('reason_codes', 'at least one code, sorted, none twice')
}

/** The draft has verifiers accept a link without its prefix. */
function isLink(text: string): boolean {
  return isDigest(text) || isHexDigest(text)
}

/** Upper-case letters, digits and underscores, a letter first. */
function isCode(text: string): boolean {
  return (
    UPPER.has(text.charAt(0)) && Array.from(text).every((one) => UPPER.has(one) || OTHER.has(one))
  )
}

/** Two parts or more of visible ASCII, with a colon between them. */
function isNamespaced(text: string): boolean {
  const parts = text.split(':')
  return parts.length > 1 && parts.every((part) => part !== '' && Array.from(part).every(isVisible))
}

function isVisible(one: string): boolean {
  return one >= '!' && one <= '~'
}

function isPrintable(one: string): boolean {
  return one >= ' ' && one <= '~'
}

const UPPER: ReadonlySet<string> = new Set('ABCDEFGHIJKLMNOPQRSTUVWXYZ')
const OTHER: ReadonlySet<string> = new Set('0123456789_')
const HEX_DIGEST = string(isHexDigest, '64 lowercase hex digits')
const PATH = string((text) => text.startsWith('/'), 'an absolute path')
/** What a caller chose, to tell this receipt from others. */
const BOUNDED = string(
  (text) => text !== '' && text.length <= 256 && Array.from(text).every(isPrintable),
  '1 to 256 printable ASCII characters',
)
/** Who asked, as the contract says it. */
const ACTOR: Shape = {
  members: [must('agent_id', TEXT), must('session_id', TEXT)],
  others: true,
}
const CHOSEN = [may('actor', object(ACTOR)), may('nonce', BOUNDED), may('audience', BOUNDED)]

/** What the draft asks of every payload (sections 2.2 and 6.7). */
const ANY: Shape = {
  members: [
    must('type', string(isNamespaced, 'a namespaced type, as in `ambit:decision`')),
    must('issued_at', TIME),
    must('issuer_id', TEXT),
    may('previousReceiptHash', string(isLink, DIGEST_WORDS)),
  ],
  others: true,
}

const IN_LEDGER = [
  must('type', TEXT),
  must('issued_at', TIME),
  must('issuer_id', TEXT),
  must('run_id', TEXT),
  must('ledger_id', TEXT),
  must('seq', integer(1)),
  may('previousReceiptHash', DIGEST),
]

const EFFECT: Shape = {
  members: [must('command_id', TEXT), must('effect_type', TEXT)],
  others: true,
}

const FINDING: Shape = {
  members: [
    must('command_id', TEXT),
    must('inspector', TEXT),
    must('code', string(isCode, 'a reason code')),
    must('severity', oneOf('deny', 'warn')),
    must('message', STRING),
  ],
  others: true,
}

const DECISION: Shape = {
  members: [
    ...IN_LEDGER,
    must('mode', MODE),
    must('decision', oneOf('allow', 'deny', 'needs_approval')),
    must('reason_codes', list(string(isCode, 'a reason code'))),
    must('contract_id', TEXT),
    must('contract_hash', DIGEST),
    must('policy_name', TEXT),
    must('policy_hash', DIGEST),
    must('classified_effects', list(object(EFFECT))),
    may('findings', list(object(FINDING))),
    may('approvals', list(object(USED))),
    ...CHOSEN,
  ],
  others: true,
}

const STREAM: Shape = {
  members: [must('sha256', HEX_DIGEST), must('bytes', integer(0)), must('truncated', BOOLEAN)],
  others: true,
}

/** A further program of a pipeline. */
const PROGRAM: Shape = {
  members: [must('argv_hash', DIGEST), must('executable', PATH)],
  others: true,
}

/** A limit that was seen to be reached. */
const REACHED: Shape = { members: [must('limit', TEXT), must('evidence', TEXT)], others: true }

const COMMAND: Shape = {
  members: [
    must('id', TEXT),
    must('argv_hash', DIGEST),
    may('piped_into', list(object(PROGRAM))),
    must('exit_code', nullable(integer())),
    must('signal', nullable(integer(1))),
    must('timed_out', BOOLEAN),
    may('limits_reached', list(object(REACHED))),
    must('duration_ms', integer(0)),
    must('stdout', object(STREAM)),
    must('stderr', object(STREAM)),
  ],
  others: true,
}

/** What a command asks for, or was given. */
const REACH: Shape = {
  members: [
    must('command_id', TEXT),
    must('read_paths', list(TEXT)),
    must('write_paths', list(TEXT)),
    must('network', TEXT),
    must('env_names', list(TEXT)),
    may('secret_names', list(TEXT)),
  ],
  others: true,
}

const OBSERVED: Shape = {
  members: [must('command_id', TEXT), must('executable', PATH), may('executable_hash', DIGEST)],
  others: true,
}

const SCOPE: Shape = {
  members: [
    must('declared', list(object(REACH))),
    must('granted', list(object(REACH))),
    must('observed', list(object(OBSERVED))),
    may('truncated', BOOLEAN),
  ],
  others: true,
}

const ARTIFACT: Shape = {
  members: [must('path', PATH), must('sha256', HEX_DIGEST), must('bytes', integer(0))],
  others: true,
}

/** What was seen to before the first command. */
const OBLIGATION: Shape = {
  members: [must('require', TEXT), must('path', TEXT)],
  others: true,
}

const STATUSES = [
  'success',
  'failed',
  'timed_out',
  'not_started',
  'interrupted',
  'cpu',
  'file_size',
  'oom',
  'output',
  'pids',
] as const

const EXECUTION: Shape = {
  members: [
    ...IN_LEDGER,
    must('decision_hash', DIGEST),
    must('contract_hash', DIGEST),
    must('policy_hash', DIGEST),
    must('mode', MODE),
    must('status', oneOf(...STATUSES)),
    must('commands', list(object(COMMAND))),
    must(
      'enforcement',
      object({
        members: [must('tier', oneOf('full', 'lite', 'none')), must('mechanisms', OPEN)],
        others: true,
      }),
    ),
    may('scope', object(SCOPE)),
    may('artifacts', list(object(ARTIFACT))),
    may('artifacts_truncated', BOOLEAN),
    may('obligations', list(object(OBLIGATION))),
    may('approvals', list(object(REPEATED))),
    ...CHOSEN,
    may('csc_receipt_hash', DIGEST),
    may('error', object({ members: [must('code', TEXT), must('message', STRING)], others: true })),
  ],
  others: true,
}

const SHAPES: ReadonlyMap<string, Shape> = new Map([
  ['ambit:decision', DECISION],
  ['ambit:execution', EXECUTION],
])
