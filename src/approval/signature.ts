// SPDX-License-Identifier: Apache-2.0
import { addon, unwrapJson } from '../native.js'
import type { Policy } from '../policy/index.js'
import type { Approval } from './parse.js'

/** Whom a policy lets approve, and how. */
type Approvals = NonNullable<Policy['document']['approvals']>

/** The same where approvals are signed. */
export type SignedApprovals = Exclude<Approvals, 'unsigned'>

/** Someone whom a policy lets approve. */
export type Approver = SignedApprovals['approvers'][number]

/** A public key of 64 hex digits as a key set that goes by no name but its own ids. */
function keySetOf({ public_key: hex }: Approver): Uint8Array {
  const x = Buffer.from(hex, 'hex').toString('base64url')
  return Buffer.from(JSON.stringify({ keys: [{ kty: 'OKP', crv: 'Ed25519', x }] }))
}

/** What the signature of an approval is worth. */
export type Signed =
  | { readonly kind: 'good'; readonly approver: Approver }
  | { readonly kind: 'bad'; readonly why: string }
  | { readonly kind: 'unknown' }

/**
 * Says whose signature an approval has.
 *
 * @throws {@link KeyError} when a key in the policy is no Ed25519 key, or one that anyone can sign for
 */
export function signatureOf(approval: Approval, approvers: readonly Approver[]): Signed {
  for (const approver of approvers) {
    const answer = addon.verifyReceipt(approval.bytes, [], [keySetOf(approver)])
    const { status, code } = unwrapJson<{ status: string; code: string }>(answer)
    if (status === 'valid') return { kind: 'good', approver }
    // it names this very key
    if (code !== 'UNKNOWN_KEY') return { kind: 'bad', why: code }
  }
  return { kind: 'unknown' }
}
