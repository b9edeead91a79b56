// SPDX-License-Identifier: Apache-2.0
// What members of several payloads must be.
import { isDigest } from '../hash.js'
import { oneOf, string } from '../schema.js'

export const DIGEST_WORDS = '`sha256:` and 64 lowercase hex digits'
export const DIGEST = string(isDigest, DIGEST_WORDS)
export const MODE = oneOf('local', 'hardened')
