// SPDX-License-Identifier: Apache-2.0
import { type Signer, handleOf } from '../keys/signer.js'
import { addon, requireText, unwrapText } from '../native.js'

/** How a receipt is signed. */
export interface SignReceiptOptions {
  /**
   * The key's id in `kid` and `issuer_id`: its RFC 7638 thumbprint (default), or `sb:issuer:` and
   * twelve Base58 characters.
   */
  readonly kid?: 'sb-issuer' | 'thumbprint'
  /**
   * Signs what says that nothing confined it: `sandbox_backend` `none`, or a command of an
   * `ambit:execution` that ran in tier `none`. Each such signature comes with a process warning
   * `AMBIT_UNSANDBOXED`.
   */
  readonly allowUnsandboxed?: boolean
}

/**
 * Signs a payload as an envelope of draft-farley-acta-signed-receipts-04 and returns its exact
 * bytes: store them and pass them on as they are.
 *
 * The payload is checked first; a bad one is an error, never a signature. It needs a namespaced
 * `type` and `issued_at`; `issuer_id` is filled in. Our own types must keep all of their rules, and
 * `protectmcp:decision`, `protectmcp:restraint` and `protectmcp:lifecycle` those of the draft.
 *
 * @param payload JSON as text or bytes
 * @throws {@link ReceiptError} `ERR_RECEIPT_SCHEMA` with the member in `details.path`,
 *   `ERR_RECEIPT_MALFORMED`, `ERR_RECEIPT_TOO_LARGE`, `ERR_RECEIPT_ISSUER_MISMATCH`,
 *   `ERR_RECEIPT_UNSANDBOXED`
 * @example
 * ```ts
 * generateKey('agent.pem', 'agent.pub.pem')
 * const payload = {
 *   type: 'protectmcp:decision',
 *   issued_at: new Date().toISOString(),
 *   tool_name: 'read_file',
 *   decision: 'allow',
 * }
 * const receipt = signReceipt(JSON.stringify(payload), new Signer('agent.pem'))
 * const verdict = await verifyReceipt(receipt, { keys: [{ path: 'agent.pub.pem' }] })
 * console.log(verdict.status) // valid
 * ```
 */
export function signReceipt(
  payload: string | Uint8Array,
  signer: Signer,
  options: SignReceiptOptions = {},
): Uint8Array {
  const { kid = 'thumbprint', allowUnsandboxed = false } = options
  if (typeof payload === 'string') requireText(payload)
  const isIssuer = kid === 'sb-issuer'
  const answer = addon.signReceipt(payload, handleOf(signer), isIssuer, false)
  if (!allowUnsandboxed || !isUnsandboxed(answer)) return Buffer.from(unwrapText(answer))
  const message = 'a receipt is signed that says that nothing confined what it reports'
  process.emitWarning(message, { code: 'AMBIT_UNSANDBOXED' })
  return Buffer.from(unwrapText(addon.signReceipt(payload, handleOf(signer), isIssuer, true)))
}

/** Whether only the explicit choice lets this payload through. */
function isUnsandboxed(answer: string | { readonly code: string }): boolean {
  return typeof answer !== 'string' && answer.code === 'ERR_RECEIPT_UNSANDBOXED'
}
