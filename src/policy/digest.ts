// SPDX-License-Identifier: Apache-2.0
import { addon, requireText, unwrap } from '../native.js'

/** A policy's file by its name, as bytes or as text. */
export interface PolicyFile {
  readonly name: string
  readonly content: string | Uint8Array
}

/**
 * Returns the `acta-policy-digest-v1` of a policy's files (draft-farley-acta-signed-receipts-04,
 * section 6.8): it covers every byte of them, but not the order in which an engine tries rules.
 *
 * @param engine the language, as in `cedar`
 * @returns `sha256:` and 64 hex digits
 * @throws {@link AmbitError} `ERR_POLICY_BUNDLE_INVALID`
 * @example
 * ```ts
 * const files = [{ name: 'policy.cedar', content: 'permit(principal, action, resource);' }]
 * console.log(policyDigest(files, 'cedar').length) // 71
 * ```
 */
export function policyDigest(files: readonly PolicyFile[], engine: string): string {
  return unwrap(addon.digestPolicy(engine, files.map(bytesOf))).value
}

/**
 * Returns the digest of compiled rules in the order in which they are tried.
 *
 * @param rules a JSON array
 * @returns `sha256:` and 64 hex digits
 * @throws {@link AmbitError} `ERR_POLICY_BUNDLE_INVALID`
 */
export function compiledPolicyDigest(rules: string, engine: string): string {
  requireText(rules)
  return unwrap(addon.digestCompiledPolicy(engine, rules)).value
}

/**
 * Returns the document in which a policy is published, `acta.policy-bundle.v1`.
 *
 * @throws {@link AmbitError} `ERR_POLICY_BUNDLE_INVALID`, for a file that is not UTF-8 too
 */
export function policyBundle(
  files: readonly PolicyFile[],
  engine: string,
  generatedAt: Date,
): string {
  const at = generatedAt.toISOString()
  return unwrap(addon.bundlePolicy(engine, files.map(bytesOf), at)).value
}

/**
 * Checks that a published policy is what it says.
 *
 * @returns its digest, to be compared with a receipt's: `sha256:` and 64 hex digits
 * @throws {@link AmbitError} `ERR_POLICY_BUNDLE_INVALID`, `ERR_POLICY_BUNDLE_MISMATCH`
 */
export function checkPolicyBundle(bundle: Uint8Array): string {
  return unwrap(addon.checkBundle(bundle)).value
}

function bytesOf({ name, content }: PolicyFile): { name: string; content: Uint8Array } {
  requireText(name)
  if (typeof content !== 'string') return { name, content }
  requireText(content)
  return { name, content: Buffer.from(content) }
}
