// SPDX-License-Identifier: Apache-2.0
import { check, byPlace, headline, placed, type SchemaFault } from '../contract/issues.js'
import { locate, positionAt } from '../contract/locate.js'
import { readRegular, unreadable } from '../contract/read.js'
import { visible } from '../contract/visible.js'
import { ApprovalError, type DocumentIssue } from '../errors.js'
import { parseJson, sha256Hex } from '../native.js'
import type { Mode } from '../policy/index.js'
import {
  type AmbitApproval,
  AmbitApprovalSchema,
  type ApprovalScope,
  type CscApproval,
  CscApprovalSchema,
} from './schema.js'
import { instantOf } from './time.js'

/** The bounds of an approval file. */
const APPROVAL_LIMITS = {
  /** Size of the file in bytes. */
  maxBytes: 65_536,
  /** Nesting of arrays and objects; a valid approval needs 2. */
  maxDepth: 8,
}

/** What an approval is bound to: hashes as 64 lower-case hex digits. */
type Binding =
  | { readonly kind: 'action'; readonly action: string }
  | { readonly kind: 'contract'; readonly contract: string; readonly policy?: string }

/** An approval that was read. Nothing in it is to be believed until it was judged. */
export interface Approval {
  readonly version: 'ambit.approval.v1' | 'csc.approval.v0.1'
  readonly id: string
  /** The thumbprint of the key that it names, or `unsigned`. */
  readonly keyId: string
  /** Who gave it, where the document itself says so: a csc approval's claim. */
  readonly identity?: string
  readonly binding: Binding
  /** The mode in which the run must be; absent where the document does not say. */
  readonly mode?: Mode
  /** The only ledger in which it may be used. */
  readonly ledgerId?: string
  readonly scope: ApprovalScope
  /** Times in milliseconds since 1970-01-01T00:00:00Z. */
  readonly approvedAt: number
  readonly notBefore: number
  readonly expiresAt: number
  /** SHA-256 of the document's RFC 8785 text, 64 hex digits. */
  readonly hash: string
  /** The document, byte for byte. */
  readonly bytes: Uint8Array
  /** What errors and reasons call the document, usually its file. */
  readonly sourceName: string
  /** The document's own members. */
  readonly document: AmbitApproval['payload'] | CscApproval
}

/** The key id of an approval that nobody signed. */
export const UNSIGNED = 'unsigned'

/** How an approval is read apart from its document. */
type Read = Omit<Approval, 'bytes' | 'hash' | 'sourceName'>

const bare = (digest: string | undefined): string => (digest ?? '').replace('sha256:', '')

/** The schema has seen to it that the text is a moment. */
const instant = (text: string): number => instantOf(text) ?? Number.NaN

function ofCsc(document: CscApproval): Read {
  const approvedAt = instant(document.approved_at)
  return {
    version: document.approval_version,
    id: document.approval_id,
    keyId: UNSIGNED,
    identity: document.approver.identity,
    binding: { kind: 'contract', contract: document.contract_sha256.toLowerCase() },
    scope: document.scope,
    approvedAt,
    notBefore: approvedAt,
    expiresAt: instant(document.expires_at),
    document,
  }
}

function ofAmbit({ payload, signature }: AmbitApproval): Read {
  const { bind, action_hash: action, contract_hash: contract, policy_hash: policy } = payload
  return {
    version: payload.approval_version,
    id: payload.approval_id,
    keyId: signature.kid,
    binding:
      bind === 'action'
        ? { kind: 'action', action: bare(action) }
        : { kind: 'contract', contract: bare(contract), policy: bare(policy) },
    mode: payload.mode,
    ...(payload.ledger_id !== undefined && { ledgerId: payload.ledger_id }),
    scope: payload.scope,
    approvedAt: instant(payload.issued_at),
    notBefore: instant(payload.not_before),
    expiresAt: instant(payload.expires_at),
    document: payload,
  }
}

type Result =
  | { readonly ok: true; readonly value: Read }
  | { readonly ok: false; readonly faults: readonly SchemaFault[] }

function readDocument(document: unknown): Result {
  const isEnvelope = typeof document === 'object' && document !== null && 'payload' in document
  if (isEnvelope) {
    const result = check(AmbitApprovalSchema, document)
    return result.ok ? { ok: true, value: ofAmbit(result.value) } : result
  }
  const result = check(CscApprovalSchema, document)
  return result.ok ? { ok: true, value: ofCsc(result.value) } : result
}

function refuse(sourceName: string, issues: readonly DocumentIssue[]): never {
  throw new ApprovalError('ERR_APPROVAL_INVALID', headline(sourceName, issues), {
    details: { issues },
  })
}

/** Gives every fault its place in the text. */
function located(bytes: Uint8Array, faults: readonly SchemaFault[]): readonly DocumentIssue[] {
  const source = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  const place = (fault: SchemaFault) => {
    const offset = locate(source, fault.path)
    return positionAt(source, fault.atName ? offset.name : offset.value)
  }
  return faults.map((fault) => placed(fault, place(fault))).toSorted(byPlace)
}

/**
 * Reads an approval, `csc.approval.v0.1` or `ambit.approval.v1`. Strict: what the schema does not
 * have is refused, duplicate members and times without a zone too. Signature, expiry and what it is
 * for are judged later, against a contract and a policy.
 *
 * @param bytes the document; UTF-8, at most 64 KiB
 * @param sourceName what errors call the document, usually its file
 * @throws {@link ApprovalError} `ERR_APPROVAL_INVALID`
 */
export function parseApproval(bytes: Uint8Array, sourceName: string): Approval {
  const strict = parseJson(bytes, APPROVAL_LIMITS)
  if (!strict.ok) {
    const { message, line, column, code } = strict
    return refuse(sourceName, [{ path: '', message: visible(message), line, column, code }])
  }
  const document: unknown = JSON.parse(strict.canonical)
  const result = readDocument(document)
  if (!result.ok) return refuse(sourceName, located(bytes, result.faults))
  const hash = sha256Hex(Buffer.from(strict.canonical))
  return { ...result.value, hash, bytes, sourceName }
}

/**
 * Reads an approval from a file.
 *
 * @throws {@link ApprovalError} `ERR_APPROVAL_UNREADABLE`, or `ERR_APPROVAL_INVALID`
 */
export async function loadApproval(path: string): Promise<Approval> {
  return parseApproval(await readFile(path), path)
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    return await readRegular(path, APPROVAL_LIMITS.maxBytes)
  } catch (cause) {
    const { issues } = unreadable('the approval', cause)
    const options = { details: { issues }, cause }
    throw new ApprovalError('ERR_APPROVAL_UNREADABLE', headline(path, issues), options)
  }
}
