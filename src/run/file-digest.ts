// SPDX-License-Identifier: Apache-2.0
import { addon, unwrapJson } from '../native.js'

/**
 * Returns digest and size of a regular file whose path has no symbolic link in it.
 *
 * @param most largest size, bytes
 * @throws {@link ReceiptError} when there is no such file, or it cannot be read, or is larger
 */
export async function digestOf(
  path: string,
  most: number,
): Promise<{ sha256: string; bytes: number }> {
  return unwrapJson<{ sha256: string; bytes: number }>(await addon.digestArtifact(path, most))
}
