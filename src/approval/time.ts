// SPDX-License-Identifier: Apache-2.0

const RFC3339 =
  /^(?<date>\d{4}-\d\d-\d\d)[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/u

/**
 * Reads an RFC 3339 time with its zone, to the millisecond below. A leap second, and a day that its
 * month does not have, have no place.
 *
 * @param text such as `2026-06-01T02:00:00+02:00`
 * @returns milliseconds since 1970-01-01T00:00:00Z; undefined for every other text
 */
export function instantOf(text: string): number | undefined {
  const date = RFC3339.exec(text)?.groups?.['date']
  if (date === undefined) return undefined
  // Date.parse moves 30 February to March
  const day = Date.parse(`${date}T00:00:00Z`)
  if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== date) return undefined
  const time = Date.parse(text.toUpperCase())
  return Number.isNaN(time) ? undefined : time
}
