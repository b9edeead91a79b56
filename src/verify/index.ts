// SPDX-License-Identifier: Apache-2.0
// `ambit/verify`: verifies receipts and logs offline, in a browser as in Node. It uses nothing but
// ECMAScript, TextEncoder, TextDecoder and WebCrypto.
export { type KeyErrorCode, VerifyKeyError } from './keys/error.js'
export { KeySet, type TrustOptions } from './keys/key-set.js'
export type { KeyStatus, KeyWindow } from './keys/window.js'
export { verifyReceipt } from './receipt.js'
export type { Format, Status, Verdict, VerdictCode } from './verdict.js'
