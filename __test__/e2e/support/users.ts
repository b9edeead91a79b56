// SPDX-License-Identifier: Apache-2.0
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  mkdirSync,
  mkdtempSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Somebody as whom programs are started. */
export interface User {
  readonly name: string
  /** Absent: as whom the tests themselves run. */
  readonly ids?: { readonly uid: number; readonly gid: number }
}

const NOBODY = 65_534

/** As whom the tests run. */
export const SELF: User = { name: process.getuid?.() === 0 ? 'root' : 'an unprivileged user' }

/** As whom a test that must hold for everybody runs: root and a user without rights, where it can. */
export const USERS: readonly User[] =
  SELF.name === 'root'
    ? [SELF, { name: 'an unprivileged user', ids: { uid: NOBODY, gid: NOBODY } }]
    : [SELF]

/** A user without rights. */
export const UNPRIVILEGED: User = USERS.at(-1) ?? SELF

export const isRoot = (user: User): boolean => user.name === 'root'

/** Gives files to their user. */
export function give(path: string, user: User): string {
  if (user.ids) chownSync(path, user.ids.uid, user.ids.gid)
  return path
}

/** Makes a new folder that everybody can enter. */
export function newTop(above = tmpdir()): string {
  const top = mkdtempSync(join(above, 'ambit-e2e-'))
  chmodSync(top, 0o755)
  return top
}

/** Makes a folder of a user; the one above it exists. */
export function folder(path: string, user: User, mode = 0o755): string {
  mkdirSync(path)
  chmodSync(path, mode)
  return give(path, user)
}

/** Says whether everybody can reach and execute a file. */
export function isExecutableForAll(path: string): boolean {
  accessSync(path, constants.X_OK)
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
  }
  return true
}
