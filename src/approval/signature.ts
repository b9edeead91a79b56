// SPDX-License-Identifier: Apache-2.0
import { addon, unwrapJson } from '../native.js'
import { isUsableKey, keySetOf } from '../policy/approver.js'
import type { Policy } from '../policy/index.js'
import type { Approval } from './parse.js'

/** Whom a policy lets approve, and how. */
type Approvals = NonNullable<Policy['document']['approvals']>

/** The same where approvals are signed. */
type SignedApprovals = Exclude<Approvals, 'unsigned'>

/** Someone whom a policy lets approve. */
export type Approver = SignedApprovals['approvers'][number]

/** What the signature of an approval is worth. */
export type Signed =
  | { readonly kind: 'good'; readonly approver: Approver }
  | { readonly kind: 'bad'; readonly why: string }
  | { readonly kind: 'unknown' }

/**
 * Says whose signature an approval has. An approver whose key cannot be verified with has signed
 * none; `policy lint` finds it.
 */
export function signatureOf(approval: Approval, approvers: readonly Approver[]): Signed {
  for (const approver of approvers.filter(({ public_key: key }) => isUsableKey(key))) {
    const answer = addon.verifyReceipt(approval.bytes, [], [keySetOf(approver.public_key)])
    const { status, code } = unwrapJson<{ status: string; code: string }>(answer)
    if (status === 'valid') return { kind: 'good', approver }
    // it names this very key
    if (code !== 'UNKNOWN_KEY') return { kind: 'bad', why: code }
  }
  return { kind: 'unknown' }
}
