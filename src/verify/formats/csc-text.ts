// SPDX-License-Identifier: Apache-2.0
// The stored form of a csc receipt: `json.dumps(value, indent=2, sort_keys=True)` and a line feed.
import { type Json, isArray, isObject } from '../json/value.js'
import { write } from '../json/write.js'
import { escapeBeyondAscii } from './python.js'

/** Returns the text in which a receipt that keeps the schema is stored. */
export function storedText(receipt: Json): string {
  return `${print(receipt, '\n')}\n`
}

/** Recurses once per level; receipts that keep the schema are flat. */
function print(value: Json, line: string): string {
  const inner = `${line}  `
  if (isArray<Json>(value) && value.length > 0) {
    return `[${value.map((element) => inner + print(element, inner)).join(',')}${line}]`
  }
  if (isObject<Json>(value) && value.size > 0) {
    const members = [...value.keys()]
      .toSorted()
      .map((name) => `${inner}${scalar(name)}: ${print(value.get(name) ?? null, inner)}`)
    return `{${members.join(',')}${line}}`
  }
  return scalar(value)
}

function scalar(value: Json): string {
  return escapeBeyondAscii(write(value))
}
