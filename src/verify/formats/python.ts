// SPDX-License-Identifier: Apache-2.0
// JSON as Python writes it: `json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",",
// ":"))`. Python tells `1` from `1.0`, so numbers are read again from the document's text. It writes
// a float by `repr`: the shortest digits that read back the same, with an exponent below 1e-4 and
// from 1e16.
import { parseSource } from '../json/parse.js'
import {
  type Json,
  NumberText,
  type SourceJson,
  hasAsciiNames,
  hasNoStringFrom,
  isArray,
  isObject,
} from '../json/value.js'

/**
 * Returns the text of the member that `names` lead to, or of the whole document without any; nothing
 * if there is none, if Python would not have signed it, or if its text is uncertain.
 *
 * @param value what the document parses to
 */
export function memberText(
  document: Uint8Array,
  value: Json,
  ...names: readonly string[]
): string | undefined {
  let source = certain(document, value)
  for (const name of names) source = isObject<SourceJson>(source) ? source.get(name) : undefined
  return source === undefined ? undefined : write(source)
}

/**
 * The skill signs nothing with other names than ASCII; and of these the order is the same everywhere.
 * A string that starts with U+0001 is left undecided, as by crates/receipt.
 */
function certain(document: Uint8Array, value: Json): SourceJson | undefined {
  const isCertain = hasAsciiNames(value) && hasNoStringFrom(value, '\u0001')
  return isCertain ? parseSource(document) : undefined
}

/** Recurses once per level; a parsed value has at most 64. */
function write(value: SourceJson): string {
  if (value instanceof NumberText) return writeNumber(value.text)
  if (typeof value === 'string') return writeString(value)
  if (isArray<SourceJson>(value)) return `[${value.map(write).join(',')}]`
  if (!isObject<SourceJson>(value)) return String(value)
  const names = [...value.keys()].toSorted()
  const members = names.map((name) => `${writeString(name)}:${write(value.get(name) ?? null)}`)
  return `{${members.join(',')}}`
}

/** ECMAScript's text has the same short escapes. */
function writeString(text: string): string {
  return escapeBeyondAscii(JSON.stringify(text))
}

/** Escapes, in a JSON text, what is beyond `~` by its UTF-16 code units. */
export function escapeBeyondAscii(json: string): string {
  let out = ''
  for (let at = 0; at < json.length; at += 1) {
    const unit = json.charCodeAt(at)
    out += unit <= 0x7e ? json.charAt(at) : `\\u${unit.toString(16).padStart(4, '0')}`
  }
  return out
}

function writeNumber(text: string): string {
  const isFloat = text.includes('.') || text.includes('e') || text.includes('E')
  // Python has no `-0` among its integers
  return isFloat ? float(Number(text)) : text === '-0' ? '0' : text
}

/** Returns Python's `repr` of a finite float. */
export function float(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const { digits, exponent } = shortest(Math.abs(value))
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    const mantissa = digits.length > 1 ? `${digits.slice(0, 1)}.${digits.slice(1)}` : digits
    const power = String(Math.abs(exponent)).padStart(2, '0')
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${power}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const fraction = digits.slice(exponent + 1)
  return `${sign}${whole}.${fraction === '' ? '0' : fraction}`
}

/** The digits of a number, without zeros at the end, and the power of ten of the first. */
interface Digits {
  readonly digits: string
  readonly exponent: number
}

/**
 * Returns the shortest digits that read back the same. Where the value lies in the middle of two
 * such, Python takes the even one; ECMAScript leaves that choice open.
 */
function shortest(value: number): Digits {
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e')
  const found = { digits: mantissa.replace('.', ''), exponent: Number(exponent) }
  if (value === 0) return found
  const even = nearest(value, found)
  const same = Number(`${even}e${found.exponent - found.digits.length + 1}`) === value
  return same && even.length === found.digits.length ? { ...found, digits: even } : found
}

/** Returns as many digits that are nearest to the value, the even ones where two are as near. */
function nearest(value: number, { digits, exponent }: Digits): string {
  const { numerator, denominator } = ratio(value)
  const scale = exponent - digits.length + 1
  const top = scale < 0 ? numerator * 10n ** BigInt(-scale) : numerator
  const bottom = scale < 0 ? denominator : denominator * 10n ** BigInt(scale)
  const below = top / bottom
  const rest = 2n * (top % bottom)
  const up = rest > bottom || (rest === bottom && (below & 1n) === 1n)
  return String(up ? below + 1n : below)
}

/** Returns a positive double as the ratio of two integers, exactly. */
function ratio(value: number): { readonly numerator: bigint; readonly denominator: bigint } {
  let whole = value
  let power = 0n
  // Doubling and halving are exact here: the value has at most 53 significant bits.
  for (; !Number.isInteger(whole); power += 1n) whole *= 2
  return { numerator: BigInt(whole), denominator: 1n << power }
}
