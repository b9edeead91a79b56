// SPDX-License-Identifier: Apache-2.0
import type { Contract } from '../contract/index.js'
import { canonicalize, sha256Hex } from '../native.js'

/**
 * Returns the digest of what a contract does: all members of its commands in their order, argvs and
 * scopes, but not their ids. Who asks, why, and the contract's own id are not in it.
 *
 * @returns 64 lower-case hex digits
 */
export function actionHash(contract: Contract): string {
  const commands = contract.commands.map(({ id: _name, ...rest }) => rest)
  const action = JSON.stringify({ version: 'ambit.action.v1', commands })
  return sha256Hex(Buffer.from(canonicalize(action)))
}
