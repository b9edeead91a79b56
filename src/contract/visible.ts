// SPDX-License-Identifier: Apache-2.0

// Control, format (bidirectional, zero width), surrogate, private and unassigned characters, and
// the two separators that some terminals read as a new line.
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** Writes one character as `\x1b`, `\u202e` or `\u{e0001}`. */
function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}

/**
 * Makes untrusted text safe to show: every character that a terminal could act on or that a reader
 * cannot see is written as an escape, so that text can neither colour, move nor hide anything.
 *
 * @param text any text, hostile or not
 * @returns one line of visible characters
 */
export function visible(text: string): string {
  return text.replace(INVISIBLE, escapeCharacter)
}

/**
 * Shortens text for people. Counts characters (Unicode scalar values), never half of one.
 *
 * @param text any text
 * @param max the greatest length in characters, the closing `…` included
 */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text
  const characters = Array.from(text.slice(0, max * 2))
  return characters.length <= max && characters.join('').length === text.length
    ? text
    : `${characters.slice(0, max - 1).join('')}…`
}
