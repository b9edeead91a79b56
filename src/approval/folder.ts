// SPDX-License-Identifier: Apache-2.0
// Approvals as files in a folder, each named by its id.
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ApprovalError } from '../errors.js'
import { type Approval, loadApproval } from './parse.js'

const SUFFIX = '.json'

/** A file in a folder of approvals: what it holds, or why it cannot be read. */
type ListedApproval =
  | { readonly path: string; readonly approval: Approval }
  | { readonly path: string; readonly error: ApprovalError }

/** Returns where an approval stands in a folder. */
export function approvalPath(folder: string, id: string): string {
  return join(folder, `${id}${SUFFIX}`)
}

/**
 * Writes an approval into a new file that only its owner can read; one that is there is never
 * replaced.
 *
 * @throws {@link ApprovalError} `ERR_APPROVAL_UNWRITABLE`
 */
export function writeApproval(approval: Approval, path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, approval.bytes, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `\`${path}\` cannot be written: ${reason}`
    throw new ApprovalError('ERR_APPROVAL_UNWRITABLE', message, { cause })
  }
}

/** Reads the approvals of a folder, in the order of their names; none where there is no folder. */
export async function approvalsIn(folder: string): Promise<readonly ListedApproval[]> {
  const found: ListedApproval[] = []
  for (const name of namesIn(folder)) {
    const path = join(folder, name)
    try {
      requireFile(path)
      found.push({ path, approval: await loadApproval(path) })
    } catch (error) {
      if (!(error instanceof ApprovalError)) throw error
      found.push({ path, error })
    }
  }
  return found
}

/** Refuses what is no file: to open a pipe with a name waits for its other end. */
function requireFile(path: string): void {
  let isFile: boolean
  try {
    isFile = statSync(path).isFile()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ApprovalError('ERR_APPROVAL_UNREADABLE', `\`${path}\`: ${reason}`, { cause })
  }
  if (!isFile) throw new ApprovalError('ERR_APPROVAL_UNREADABLE', `\`${path}\` is not a file`)
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(SUFFIX))
      .toSorted()
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return []
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ApprovalError('ERR_APPROVAL_UNREADABLE', `\`${folder}\`: ${reason}`, { cause })
  }
}
