// SPDX-License-Identifier: Apache-2.0

/** What is wrong with a key or a set of keys; codes are those of crates/receipt. */
export type KeyErrorCode =
  'ERR_KEY_DUPLICATE' | 'ERR_KEY_FORM' | 'ERR_KEY_MALFORMED' | 'ERR_KEY_SMALL_ORDER'

/** A key that cannot be used. */
export class VerifyKeyError extends Error {
  override readonly name = 'VerifyKeyError'
  readonly code: KeyErrorCode
  constructor(code: KeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
