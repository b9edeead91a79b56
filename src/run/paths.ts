// SPDX-License-Identifier: Apache-2.0

/** Returns whether a plain absolute path is a tree or lies in it. */
export function isWithin(path: string, tree: string): boolean {
  return path === tree || tree === '/' || path.startsWith(`${tree}/`)
}
