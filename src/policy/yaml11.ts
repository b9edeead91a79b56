// SPDX-License-Identifier: Apache-2.0
// How YAML 1.1 reads a plain scalar, as PyYAML's resolver does. Ambit reads YAML 1.2 core; where the
// two differ, csc-runner sees another policy and another digest.

const BOOLEAN = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/
const TRUE = /^(?:yes|true|on)$/i
const NULL = /^(?:~|null|Null|NULL|)$/
const INTEGER =
  /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/
const TIMESTAMP =
  /^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)$/

function digits(text: string): bigint {
  if (text.startsWith('0b') || text.startsWith('0x')) return BigInt(text)
  if (text.includes(':')) {
    return text.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n)
  }
  return text.length > 1 && text.startsWith('0') ? BigInt(`0o${text.slice(1)}`) : BigInt(text)
}

/** Reads an integer; undefined for what the resolver takes and no number is, such as `0b_`. */
function integer(source: string): bigint | undefined {
  const plain = source.replaceAll('_', '')
  const unsigned = plain.replace(/^[-+]/, '')
  if (/^0[bx]?$/.test(unsigned)) return unsigned === '0' ? 0n : undefined
  return plain.startsWith('-') ? -digits(unsigned) : digits(unsigned)
}

/** Says in words what YAML 1.1 reads; undefined for a string. */
function reading(source: string): string | undefined {
  if (NULL.test(source)) return 'null'
  if (BOOLEAN.test(source)) return String(TRUE.test(source))
  if (INTEGER.test(source)) return integer(source)?.toString() ?? 'no number at all'
  if (FLOAT.test(source)) return 'a fraction'
  if (TIMESTAMP.test(source)) return 'a date'
  return source === '=' || source === '<<' ? 'no value at all' : undefined
}

/**
 * Says how YAML 1.1 reads a plain scalar where that is not how YAML 1.2 core does.
 *
 * @param source as written, without quotes
 * @param value as YAML 1.2 core reads it: a string, integer, boolean or null
 * @returns what YAML 1.1 reads, in words; undefined where both agree
 */
export function yaml11Differs(source: string, value: unknown): string | undefined {
  const other = reading(source)
  if (typeof value === 'string') return other
  const same = JSON.stringify(value)
  return other === same ? undefined : (other ?? 'text')
}
