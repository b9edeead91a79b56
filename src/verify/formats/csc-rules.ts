// SPDX-License-Identifier: Apache-2.0
// The rules of `csc.receipt.v0.1`: the published schema, and that a receipt does not contradict
// itself.
import { fromHex } from '../bytes.js'
import { type JsonObject, asArray, asInteger, asText } from '../json/value.js'
import {
  BOOLEAN,
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

/** Checks a receipt without its signature. Returns the first fault. */
export function checkReceipt(receipt: JsonObject, keyId: string): string | undefined {
  return checkObject(receipt, RECEIPT) ?? checkOutcome(receipt) ?? checkIds(receipt, keyId)
}

function checkOutcome(receipt: JsonObject): string | undefined {
  const status = asText(receipt.get('status'))
  if (status !== 'success' && status !== 'failed') return undefined
  for (const name of ['exit_code', 'stdout_hash', 'stderr_hash']) {
    if (!receipt.has(name)) return expected(name, 'a required member where a command ran')
  }
  const succeeded = asInteger(receipt.get('exit_code')) === 0
  if (succeeded === (status === 'success')) return undefined
  return expected('exit_code', succeeded ? 'not 0 with status `failed`' : '0 with status `success`')
}

function checkIds(receipt: JsonObject, keyId: string): string | undefined {
  const ids = asArray(receipt.get('completed_command_ids')) ?? []
  if (new Set(ids).size !== ids.length) return expected('completed_command_ids', 'no id twice')
  const named = asText(receipt.get('signing_key_id'))
  if (named === undefined || named === keyId) return undefined
  return expected('signing_key_id', "the signature's key id")
}

/** The schema allows either case. */
function isSha256(text: string): boolean {
  // not `toLowerCase`: that also makes ASCII letters of others
  return text.length === 64 && fromHex(text.replaceAll(UPPER_HEX, lower), 32) !== undefined
}

function lower(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) + 0x20)
}

const UPPER_HEX = /[A-F]/gu

function isPrefixedSha256(text: string): boolean {
  return text.startsWith('sha256:') && isSha256(text.slice('sha256:'.length))
}

/** `/…`, `C:\…`, `C:/…`, `\\host\share…` or `//host/share…`. */
function isAbsolutePath(text: string): boolean {
  return text.startsWith('/') || isOnDrive(text) || isOnShare(text)
}

function isOnDrive(text: string): boolean {
  const letter = text.charCodeAt(0) | 0x20
  return letter >= 0x61 && letter <= 0x7a && text.charAt(1) === ':' && isSlash(text.charAt(2))
}

function isOnShare(text: string): boolean {
  if (!text.startsWith('\\\\')) return false
  let end = 2
  while (end < text.length && !isSlash(text.charAt(end))) end += 1
  return end > 2 && end + 1 < text.length && !isSlash(text.charAt(end + 1))
}

function isSlash(character: string): boolean {
  return character === '\\' || character === '/'
}

const SHA256 = string(isSha256, '64 hex digits')
const PREFIXED_SHA256 = string(isPrefixedSha256, '`sha256:` and 64 hex digits')

const ARTIFACT: Shape = {
  members: [must('path', string(isAbsolutePath, 'an absolute path')), must('sha256', SHA256)],
  others: false,
}

const EFFECT_SUMMARY: Shape = {
  members: [
    may('files_written', integer(0)),
    may('network_used', BOOLEAN),
    may('secrets_used', integer(0)),
  ],
  others: false,
}

const RECEIPT: Shape = {
  members: [
    must('receipt_version', oneOf('csc.receipt.v0.1')),
    must('contract_id', TEXT),
    must('execution_id', TEXT),
    must('contract_sha256', SHA256),
    must('status', oneOf('success', 'failed', 'blocked', 'expired')),
    must('started_at', TIME),
    must('ended_at', TIME),
    must('policy_profile', TEXT),
    may('exit_code', integer()),
    may('stdout_hash', PREFIXED_SHA256),
    may('stderr_hash', PREFIXED_SHA256),
    may('stdout_truncated', BOOLEAN),
    may('stderr_truncated', BOOLEAN),
    may('artifacts', list(object(ARTIFACT))),
    may('policy_schema_version', TEXT),
    may('policy_sha256', SHA256),
    may('runner_version', TEXT),
    may('execution_mode', oneOf('local', 'hardened')),
    may('sandbox_profile_id', TEXT),
    may('signing_key_id', TEXT),
    may('effect_summary', object(EFFECT_SUMMARY)),
    may('completed_command_ids', list(TEXT)),
    may('failed_command_id', nullable(STRING)),
    may('error', STRING),
  ],
  others: false,
}
