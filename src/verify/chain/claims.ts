// SPDX-License-Identifier: Apache-2.0
// What a receipt says of its place among others, whether or not its signature holds.
import { fromBase64url, hex, utf8 } from '../bytes.js'
import { memberText } from '../formats/python.js'
import { isDigest, isHexDigest, sha256Text } from '../hash.js'
import {
  type Json,
  type JsonObject,
  asInteger,
  asObject,
  asText,
  member,
  without,
} from '../json/value.js'
import { write } from '../json/write.js'
import type { Examined, Read } from '../receipt.js'
import { microsOf, parseInstant } from '../time.js'
import type { Format } from '../verdict.js'

/** Which receipts may be linked to each other: those of one kind and name. */
export interface ChainId {
  readonly kind: 'ledger' | 'linked' | 'none' | 'sb-runtime'
  readonly name: string
}

/** How a receipt names the one before: a digest in hex, or not at all, or in no known spelling. */
type Previous =
  | { readonly kind: 'bare' | 'named'; readonly digest: string }
  | { readonly kind: 'first' | 'unreadable' }

/** What a receipt of ours is in a run. */
type Role =
  | { readonly kind: 'allow'; readonly run: string }
  | { readonly kind: 'execution'; readonly run: string; readonly decision: string }
  | { readonly kind: 'other' | 'refusal' }

/** What one receipt claims. */
export interface Claims {
  readonly chain: ChainId
  /** Its number in a chain that has numbers, else 0. */
  readonly seq: number
  readonly previous: Previous
  /** The digest by which its successor names it, 64 hex digits. */
  readonly own: string
  /** Digests by which other tools' successors would name it, with the convention's name. */
  readonly others: readonly (readonly [string, string])[]
  /** Microseconds since 1970. */
  readonly issued: bigint | undefined
  readonly role: Role
}

/** Reads the claims of a document that has a format. */
export async function readClaims({ verdict, read }: Examined): Promise<Claims | undefined> {
  const { format, digest } = verdict
  if (format === null || digest === null || read === undefined) return undefined
  return claimsOf(format, read, digest)
}

async function claimsOf(format: Format, read: Read, digest: string): Promise<Claims> {
  switch (format) {
    case 'acta':
      return acta(read.value, digest)
    case 'agt-bilateral':
    case 'csc':
      // Written once for each call or run, and linked to nothing.
      return { ...NO_CLAIMS, own: digest }
    case 'agt-skill':
      return agtSkill(read, digest)
    case 'flat-v1':
      return linked(undefined, read.value, { own: await unsignedDigest(read.value), format })
    case 'sb-runtime':
      return sbRuntime(read.value)
    case 'v2':
      return linked(asObject(member(read.value, 'payload')), read.value, { own: digest, format })
  }
}

/** An envelope of the draft: ours has numbers, every other has links alone. */
async function acta(value: Json, own: string): Promise<Claims> {
  const payload = asObject(member(value, 'payload'))
  const text = (name: string) => asText(payload?.get(name))
  const seq = asInteger(payload?.get('seq')) ?? -1
  const previous = linkOf(payload)
  const common = { ...NO_CLAIMS, previous, own, issued: issuedAt(text('issued_at')) }
  const ledger = text('ledger_id')
  const isOurs = text('type')?.startsWith('ambit:') === true
  if (isOurs && ledger !== undefined && utf8(ledger).length <= MAX_CHAIN_ID && seq >= 0) {
    const chain = { kind: 'ledger', name: ledger } as const
    return { ...common, chain, seq, role: roleOf(payload) }
  }
  const others = [
    ["the payload's digest", await sha256Text(write(member(value, 'payload') ?? null))],
    ['the digest of the receipt without its signature', await unsignedDigest(value)],
  ] as const
  return { ...common, chain: { kind: 'linked', name: 'acta' }, others }
}

/** What a receipt of ours is in its run. */
function roleOf(payload: JsonObject | undefined): Role {
  const text = (name: string) => asText(payload?.get(name))
  const run = JSON.stringify(RUN.map((name) => text(name) ?? ''))
  if (text('type') === 'ambit:decision') {
    return text('decision') === 'allow' ? { kind: 'allow', run } : { kind: 'refusal' }
  }
  if (text('type') !== 'ambit:execution') return { kind: 'other' }
  const named = spelled(text('decision_hash') ?? '')
  return { kind: 'execution', run, decision: 'digest' in named ? named.digest : ZEROS }
}

/** The skill names the Python text of the whole envelope, in base64url. */
async function agtSkill({ bytes, value }: Read, whole: string): Promise<Claims> {
  const payload = asObject(member(value, 'payload'))
  const link = payload?.get('previousReceiptHash')
  const digest = fromBase64url(asText(link) ?? '', 32)
  const named: Previous =
    digest === undefined ? { kind: 'unreadable' } : { kind: 'named', digest: hex(digest) }
  const text = memberText(bytes, value)
  return {
    ...NO_CLAIMS,
    chain: { kind: 'linked', name: 'agt-skill' },
    previous: link === undefined ? { kind: 'first' } : named,
    own: text === undefined ? whole : await sha256Text(text),
    issued: issuedAt(asText(payload?.get('issued_at'))),
  }
}

/** The `sb` program numbers its receipts and names the payload alone. */
async function sbRuntime(value: Json): Promise<Claims> {
  const payload = member(value, 'payload')
  const text = (name: string) => asText(member(payload, name))
  const link = text('prev_hash')
  const key = Array.from(asText(member(value, 'pubkey')) ?? '')
  return {
    ...NO_CLAIMS,
    chain: { kind: 'sb-runtime', name: key.slice(0, MAX_CHAIN_ID).join('') },
    seq: Math.max(asInteger(member(payload, 'sequence')) ?? 0, 0),
    previous: link === 'genesis' ? { kind: 'first' } : spelled(link ?? ''),
    own: await sha256Text(write(payload ?? null)),
    issued: issuedAt(text('timestamp')),
  }
}

/** Receipts of versions 1 and 2: the former name what was signed, the latter the whole. */
function linked(
  payload: JsonObject | undefined,
  value: Json,
  { own, format }: { readonly own: string; readonly format: Format },
): Claims {
  const holder = [asObject(value), payload].find((object) => object?.has(LINK) === true)
  const issued = issuedAt(asText(member(value, 'issued_at')))
  const chain = { kind: 'linked', name: format } as const
  return { ...NO_CLAIMS, chain, previous: linkOf(holder), own, issued }
}

/** Reads a link of the draft. Only a member that is absent makes a receipt the first. */
function linkOf(object: JsonObject | undefined): Previous {
  const link = object?.get(LINK)
  return link === undefined ? { kind: 'first' } : spelled(asText(link) ?? '')
}

function spelled(text: string): Previous {
  if (isDigest(text)) return { kind: 'named', digest: text.slice('sha256:'.length) }
  return isHexDigest(text) ? { kind: 'bare', digest: text } : { kind: 'unreadable' }
}

async function unsignedDigest(value: Json): Promise<string> {
  return sha256Text(write(without(asObject(value) ?? new Map(), 'signature')))
}

function issuedAt(text: string | undefined): bigint | undefined {
  const instant = parseInstant(text ?? '')
  return instant === undefined ? undefined : microsOf(instant)
}

const NO_CLAIMS: Omit<Claims, 'own'> = {
  chain: { kind: 'none', name: '' },
  seq: 0,
  previous: { kind: 'first' },
  others: [],
  issued: undefined,
  role: { kind: 'other' },
}
const LINK = 'previousReceiptHash'
/** What binds an execution to its decision. */
const RUN = ['run_id', 'contract_hash', 'policy_hash']
/** Longest name of a chain; ours have 32 characters. */
const MAX_CHAIN_ID = 64
/** What stands for no digest. */
export const ZEROS = '0'.repeat(64)
