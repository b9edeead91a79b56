// SPDX-License-Identifier: Apache-2.0
// Globs of whole paths: `**` spans folders, `*` and `?` stay in one name, `[a-z]` and `[!a-z]` are one
// character. Matching takes steps in proportion to pattern times name and never goes back.

/** Where in a glob the path so far may have come to. */
export type Positions = ReadonlySet<number>

/** A glob, to be followed name by name from the root. */
export class Glob {
  readonly #parts: readonly (readonly Piece[] | '**')[]

  /** @param pattern an absolute path, with or without wildcards */
  constructor(pattern: string) {
    const names = pattern.split('/').filter((name) => name !== '')
    this.#parts = names.map((name) => (name === '**' ? name : piecesOf(name)))
  }

  /** The positions before the first name. */
  get start(): Positions {
    return this.#settled([0])
  }

  /** Returns where a path comes to with one name more; nothing at all when it cannot match any more. */
  step(positions: Positions, name: string): Positions {
    const next: number[] = []
    for (const position of positions) {
      const part = this.#parts[position]
      if (part === '**') next.push(position)
      else if (part !== undefined && isLike(name, part)) next.push(position + 1)
    }
    return this.#settled(next)
  }

  /** Returns whether a path that came to these positions is matched whole. */
  isMatch(positions: Positions): boolean {
    return positions.has(this.#parts.length)
  }

  /** `**` may also be no name at all. */
  #settled(positions: readonly number[]): Positions {
    const out = new Set<number>()
    for (let position of positions) {
      out.add(position)
      while (this.#parts[position] === '**') {
        position += 1
        out.add(position)
      }
    }
    return out
  }
}

/** Any text, or a test for one character. */
type Piece = '*' | ((character: string) => boolean)

function piecesOf(pattern: string): readonly Piece[] {
  const characters = Array.from(pattern)
  const pieces: Piece[] = []
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? ''
    const end = character === '[' ? endOfSet(characters, at) : -1
    if (end !== -1) {
      pieces.push(setOf(characters.slice(at + 1, end)))
      at = end
    } else if (character === '*') {
      if (pieces.at(-1) !== '*') pieces.push('*')
    } else {
      pieces.push(character === '?' ? () => true : (found) => found === character)
    }
  }
  return pieces
}

/** Returns where the set that begins here ends; a `]` that stands first is of the set. */
function endOfSet(characters: readonly string[], start: number): number {
  const first = characters[start + 1] === '!' ? start + 2 : start + 1
  return characters.indexOf(']', first + 1)
}

function setOf(content: readonly string[]): (character: string) => boolean {
  const negated = content[0] === '!'
  const members = negated ? content.slice(1) : content
  const ranges: (readonly [number, number])[] = []
  for (let at = 0; at < members.length; at += 1) {
    const low = codeOf(members[at])
    const isRange = members[at + 1] === '-' && at + 2 < members.length
    ranges.push([low, isRange ? codeOf(members[at + 2]) : low])
    if (isRange) at += 2
  }
  return (character) => {
    const code = codeOf(character)
    return ranges.some(([low, high]) => low <= code && code <= high) !== negated
  }
}

function codeOf(character = ''): number {
  return character.codePointAt(0) ?? 0
}

/** Matches a name greedily: when it fails, only the last `*` takes one character more. */
function isLike(name: string, pieces: readonly Piece[]): boolean {
  const characters = Array.from(name)
  let [at, piece, star, taken] = [0, 0, -1, 0]
  while (at < characters.length) {
    const test = pieces[piece]
    if (test === '*') {
      star = piece
      taken = at
      piece += 1
    } else if (test?.(characters[at] ?? '') === true) {
      at += 1
      piece += 1
    } else if (star === -1) {
      return false
    } else {
      piece = star + 1
      taken += 1
      at = taken
    }
  }
  return pieces.slice(piece).every((rest) => rest === '*')
}
