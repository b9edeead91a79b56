// SPDX-License-Identifier: Apache-2.0

/** The family of rules that a path follows. */
type PathFlavour = 'posix' | 'windows'

/** A path in the form in which paths are compared. */
export interface NormalPath {
  readonly flavour: PathFlavour
  /** With `/` as separator; lower case in the windows flavour. `..` is kept. */
  readonly path: string
}

function isWindows(path: string): boolean {
  return path.startsWith('\\\\') || path.startsWith('//') || /^.:[\\/]/su.test(path)
}

function withoutDots(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}

/** What normalizing would change in a POSIX path that is absolute. */
const NOT_NORMAL = /\/(?:\/|$|\.(?:\/|$))/

/** Splits `//server/share/rest` as Python's ntpath does: drive `//server/share`, then the rest. */
function splitUnc(path: string): [drive: string, rest: string] {
  const start = /^\/\/\?\/unc\//i.test(path) ? 8 : 2
  const server = path.indexOf('/', start)
  const share = server === -1 ? -1 : path.indexOf('/', server + 1)
  return share === -1 ? [path, ''] : [path.slice(0, share), path.slice(share)]
}

/** Says whether a UNC drive without a rest is a root of its own, as `//server/share` is. */
function isUncRoot(drive: string): boolean {
  const parts = drive.split('/')
  if (parts.length === 4) return !['', '?', '.'].includes(parts[2] ?? '')
  return parts.length === 6
}

function normalWindows(path: string): string | undefined {
  const slashed = path.replaceAll('\\', '/')
  if (!slashed.startsWith('//')) {
    const drive = slashed.slice(0, 2)
    return `${drive}/${withoutDots(slashed.slice(2)).join('/')}`.toLowerCase()
  }
  const [drive, rest] = splitUnc(slashed)
  if (rest === '' && !isUncRoot(drive)) return undefined
  return `${drive}/${withoutDots(rest).join('/')}`.toLowerCase()
}

/**
 * Brings a path into the form in which it is compared, as csc-runner does: `.`, doubled and
 * trailing separators go, `..` stays (resolving it by text would be wrong with symbolic links).
 *
 * @param path any text
 * @returns undefined when the path is not absolute in its flavour
 */
export function normalizePath(path: string): NormalPath | undefined {
  if (isWindows(path)) {
    const normal = normalWindows(path)
    return normal === undefined ? undefined : { flavour: 'windows', path: normal }
  }
  if (!path.startsWith('/')) return undefined
  if (!NOT_NORMAL.test(path)) return { flavour: 'posix', path }
  return { flavour: 'posix', path: `/${withoutDots(path).join('/')}` }
}

/**
 * Returns the part of a scope before its first `*`, `?` or `[`, cut at the separator before it: the
 * tree that a glob can reach. `{a,b}` is no glob.
 *
 * @param path a path that may hold globs
 * @returns the path itself without globs; empty when no directory stands before the first glob
 */
export function literalPrefix(path: string): string {
  const glob = path.search(/[*?[]/)
  if (glob === -1) return path
  const before = path.slice(0, glob)
  const separator = Math.max(before.lastIndexOf('/'), before.lastIndexOf('\\'))
  return separator === -1 ? '' : path.slice(0, separator)
}

/** Says whether some part of a path is `..`, behind a glob or not. */
export function climbs(path: string): boolean {
  return path.includes('..') && path.split(/[\\/]/).includes('..')
}

/**
 * Says whether a path holds characters that cannot be seen: controls, directions, zero widths and
 * line separators. Such a path shows as another one.
 */
export function hasInvisible(path: string): boolean {
  return !PLAIN.test(path) && INVISIBLE.test(path)
}

const PLAIN = /^[\x20-\x7e]*$/
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** Says whether a normal path is a tree or lies in it; both are of one flavour. */
function contains(tree: NormalPath, path: NormalPath): boolean {
  if (tree.flavour !== path.flavour) return false
  const bare = tree.path.replace(/\/+$/, '')
  return path.path === bare || path.path.startsWith(`${bare}/`)
}

/**
 * Says whether a path is a tree or lies in it, by text.
 *
 * @param path without `..`
 * @param tree without globs
 */
export function isUnder(path: string, tree: string): boolean {
  const [inner, outer] = [normalizePath(path), normalizePath(tree)]
  return inner !== undefined && outer !== undefined && contains(outer, inner)
}

/** What comparing a path with the prefixes of a policy says. */
export type PrefixMatch =
  { readonly kind: 'inside' | 'outside' } | { readonly kind: 'not_absolute'; readonly path: string }
