// SPDX-License-Identifier: Apache-2.0

// csc-runner's messages hold Python's repr() of an argv. Python calls a character printable when
// it is neither in a category of C or Z, the space excepted.
const NOT_PRINTABLE = /[\p{C}\p{Z}]/u

const ESCAPES = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

function reprCharacter(character: string, quote: string): string {
  const escape = ESCAPES.get(character)
  if (escape !== undefined) return escape
  if (character === quote) return `\\${quote}`
  if (character === ' ' || !NOT_PRINTABLE.test(character)) return character
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

function reprString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const body = Array.from(text, (character) => reprCharacter(character, quote)).join('')
  return `${quote}${body}${quote}`
}

/**
 * Writes a list of strings as Python does: `['git', 'push']`.
 *
 * @param items any strings
 */
export function pythonList(items: readonly string[]): string {
  return `[${items.map(reprString).join(', ')}]`
}
