// SPDX-License-Identifier: Apache-2.0

/** A place in a text: line and column from 1, columns in characters (Unicode scalar values). */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Offsets of a member in a text: of its name, where it has one, and of its value. */
export interface MemberOffset {
  readonly name: number
  readonly value: number
}

/**
 * Returns the line and column of an offset.
 *
 * @param source the whole text; lines end with U+000A
 * @param offset in UTF-16 units from the start
 */
export function positionAt(source: string, offset: number): Position {
  const before = source.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  let line = 1
  for (let at = before.indexOf('\n'); at !== -1; at = before.indexOf('\n', at + 1)) line += 1
  return { line, column: Array.from(before.slice(lineStart)).length + 1 }
}

const SPACE = /[\t\n\r ]*/y
const SCALAR = /[^\t\n\r ,\]}]+/y

function endOf(pattern: RegExp, source: string, start: number): number {
  pattern.lastIndex = start
  return pattern.test(source) ? pattern.lastIndex : start
}

const skipSpace = (source: string, start: number): number => endOf(SPACE, source, start)

/** Returns the offset after the string that starts here; a loop, so that no length can overflow. */
function skipString(source: string, start: number): number {
  let at = start + 1
  while (at < source.length && source[at] !== '"') at += source[at] === '\\' ? 2 : 1
  return at + 1
}

/** Returns the offset after the value that starts here, without recursion. */
function skipValue(source: string, start: number): number {
  let depth = 0
  let at = start
  while (at < source.length) {
    const character = source[at]
    if (character === '"') at = skipString(source, at)
    else if (character === '{' || character === '[') {
      depth += 1
      at += 1
    } else if (character === '}' || character === ']') {
      depth -= 1
      at += 1
    } else at = depth === 0 ? endOf(SCALAR, source, at) : at + 1
    if (depth === 0) return at
  }
  return at
}

/** Returns the offset of the next member or item, or -1 at the end of the container. */
function nextItem(source: string, valueEnd: number): number {
  const comma = skipSpace(source, valueEnd)
  return source[comma] === ',' ? skipSpace(source, comma + 1) : -1
}

function findMember(source: string, open: number, name: PropertyKey): MemberOffset | undefined {
  let at = skipSpace(source, open + 1)
  while (source[at] === '"') {
    const nameEnd = skipString(source, at)
    const value = skipSpace(source, skipSpace(source, nameEnd) + 1)
    if (JSON.parse(source.slice(at, nameEnd)) === name) return { name: at, value }
    at = nextItem(source, skipValue(source, value))
  }
  return undefined
}

function findItem(source: string, open: number, index: PropertyKey): MemberOffset | undefined {
  let at = skipSpace(source, open + 1)
  for (let count = 0; at !== -1 && source[at] !== ']'; count += 1) {
    if (count === index) return { name: at, value: at }
    at = nextItem(source, skipValue(source, at))
  }
  return undefined
}

/**
 * Finds a member in JSON text.
 *
 * @param source text that the strict parser accepted; on other text the answer has no meaning
 * @param path names and indices from the document down
 * @returns the offsets of the member, or of the innermost part of the path that exists
 */
export function locate(source: string, path: readonly PropertyKey[]): MemberOffset {
  const start = skipSpace(source, 0)
  let found: MemberOffset = { name: start, value: start }
  for (const part of path) {
    const opener = source[found.value]
    const next =
      opener === '{'
        ? findMember(source, found.value, part)
        : opener === '['
          ? findItem(source, found.value, part)
          : undefined
    if (next === undefined) return found
    found = next
  }
  return found
}
