// SPDX-License-Identifier: Apache-2.0
import { constants, accessSync, statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path/posix'

/** Where a program is looked for. */
export interface Search {
  /** Folders, separated by `:`; relative and empty ones are passed over. */
  readonly path: string
  /** Working directory of the command. */
  readonly cwd: string
  /** Whether programs in a folder can be trusted to be what they were when the policy was made. */
  readonly isTrusted: (folder: string) => boolean
}

/**
 * Returns the absolute path of a program. A name with a slash is a path; another is looked for in
 * the search path, never in what a command may write. One that is not found gets the path of the
 * last folder, so that the sandbox says `not found`.
 */
export function findExecutable(name: string, search: Search): string {
  if (name.includes('/')) return resolve(search.cwd, name)
  const folders = search.path
    .split(':')
    .filter(isAbsolute)
    .map((folder) => resolve(folder))
    .filter((folder) => search.isTrusted(folder))
  const found = folders.map((folder) => resolve(folder, name)).find(isProgram)
  return found ?? resolve(folders.at(-1) ?? '/usr/bin', name === '' ? '.' : name)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false // not there, or not ours to run: the next folder decides
  }
}
