// SPDX-License-Identifier: Apache-2.0
import { visible } from '../contract/visible.js'

const BEFORE = 60
const AFTER = 40

/**
 * Shows the line of a fault with a caret under its column. Long lines are cut around the column.
 *
 * @param source the whole text; lines end with U+000A
 * @param place line and column from 1; nothing is shown without one
 * @returns two lines, each after a line break; empty where there is no place or no text
 */
export function excerpt(
  source: string,
  place: { readonly line: number; readonly column: number } | undefined,
): string {
  if (place === undefined || place.line === 0 || source === '') return ''
  const characters = Array.from((source.split('\n')[place.line - 1] ?? '').replace(/\r$/, ''))
  const at = place.column - 1
  const start = Math.max(0, at - BEFORE)
  const before = visible(characters.slice(start, at).join(''))
  const after = visible(characters.slice(at, at + AFTER).join(''))
  const gutter = `  ${place.line} | `
  const indent = ' '.repeat(gutter.length + Array.from(before).length)
  return `\n${gutter}${before}${after}\n${indent}^`
}
