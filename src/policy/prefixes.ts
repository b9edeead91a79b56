// SPDX-License-Identifier: Apache-2.0
import { normalizePath, type NormalPath, type PrefixMatch } from './paths.js'

/** The prefixes of one rule, brought into the form in which paths are compared. */
export interface Prefixes {
  readonly all: readonly Prefix[]
}

interface Prefix {
  /** As the policy writes it. */
  readonly stated: string
  /** Without a closing separator; undefined for a prefix that is not absolute in its flavour. */
  readonly normal: NormalPath | undefined
  readonly inside: string
}

/**
 * Brings prefixes into the form in which paths are compared, once for all paths.
 *
 * @param prefixes of the policy, in order
 */
export function compilePrefixes(prefixes: readonly string[]): Prefixes {
  const all = prefixes.map((stated) => {
    const normal = normalizePath(stated)
    const bare = normal?.path.replace(/\/+$/, '') ?? ''
    return { stated, normal: normal && { ...normal, path: bare }, inside: `${bare}/` }
  })
  return { all }
}

/**
 * Compares a path with prefixes, on separator boundaries and within one flavour.
 *
 * @param path as written in the contract
 * @param prefixes read in order; one that is not absolute stops the comparison
 */
export function matchPrefixes(path: string, { all }: Prefixes): PrefixMatch {
  const normal = normalizePath(path)
  if (normal === undefined) return { kind: 'not_absolute', path }
  for (const { stated, normal: under, inside } of all) {
    if (under === undefined) return { kind: 'not_absolute', path: stated }
    if (under.flavour !== normal.flavour) continue
    if (normal.path === under.path || normal.path.startsWith(inside)) return INSIDE
  }
  return OUTSIDE
}

/**
 * Absolute POSIX paths that are in the form in which paths are compared, hold no glob but a closing
 * `**`, and nothing that could be read in two ways: most paths of most contracts.
 */
const PLAIN = /^(?:\/[\w@%+=,~-][\w@%+=,.~-]*)+(?:\/\*\*)?$/

/**
 * Says in one step of a path that needs no closer look that it is allowed; what comes out otherwise
 * decides nothing.
 *
 * @param path as written in the contract
 * @param prefixes read in order
 */
export function isPlainlyInside(path: string, { all }: Prefixes): boolean {
  if (!PLAIN.test(path)) return false
  const tree = path.endsWith('/**') ? path.slice(0, -3) : path
  for (const { normal: under, inside } of all) {
    if (under === undefined) return false
    if (under.flavour === 'posix' && (tree === under.path || tree.startsWith(inside))) return true
  }
  return false
}

const INSIDE = { kind: 'inside' } as const
const OUTSIDE = { kind: 'outside' } as const
