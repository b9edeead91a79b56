// SPDX-License-Identifier: Apache-2.0
// What commands write, made harmless: neither words nor JSON holds anything a terminal acts on.

/** What a terminal could act on, or nobody sees. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Makes every such character visible. */
export function oneLine(text: string): string {
  return text.replaceAll(INVISIBLE, (character) => {
    const hex = (character.codePointAt(0) ?? 0).toString(16)
    return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`
  })
}

/** Writes JSON that, as text too, holds nothing a terminal acts on. */
export function jsonText(value: object): string {
  return JSON.stringify(value).replaceAll(INVISIBLE, jsonEscape)
}

/** Makes every line of a text harmless. */
export function safeLines(text: string): string {
  return text.split('\n').map(oneLine).join('\n')
}

/** Writes a character as JSON may, so that reading gives the same. */
function jsonEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
