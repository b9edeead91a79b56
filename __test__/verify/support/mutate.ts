// SPDX-License-Identifier: Apache-2.0
// Changes documents at random places, the same ones for the same seed.

/** Returns numbers of 32 bits, the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

/** Pieces of text at which readers of JSON differ. */
const PIECES = [
  '{', '}', '[', ']', '"', '\\', ',', ':', ' ', '\n', '\t', '\r', '\f', '\0', '\u00a0', '\ufeff', '-', '+',
  '0', '1', '.', 'e', 'E', '-0', '1.0', '1e0', '1E+2', '01', '1.', '.5', '1e400', '-1e400', '1e21', '1e-400',
  '9007199254740991', '9007199254740992', '-9007199254740993', '9007199254740992.0', '1e20', '0.1e17',
  '123456789012345678901234567890', 'null', 'true', 'false', 'NaN', 'nul', '\\u0000', '\\ud800', '\\udc00',
  '\\ud83d\\ude00', '\\ud800\\ud800', '\\u12', '\\x', '\\/', 'é', '😀', '\ufb33', '"__proto__":1,', '"a":1,"a":1,',
  '"\\u0061":1,"a":2,', '"signature":{},', '"payload":{},', '"v":2,', '"v":1,', '"pubkey":"",', '"type":"a:b",',
  '"receipt_version":1,', '"kid":null,', '"issuer_id":"x",', '[[[[[[[[', ']]]]]]]]', '{"a":'.repeat(70),
] // prettier-ignore

/** Returns one of the items. */
export function pick<T>(next: () => number, items: readonly T[]): T {
  const item = items[next() % items.length]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

/** Returns a document with one to three changes. */
export function mutate(bytes: Uint8Array, next: () => number): Uint8Array {
  let document = Buffer.from(bytes)
  for (let count = 1 + (next() % 3); count > 0; count -= 1) document = change(document, next)
  return document
}

function change(document: Buffer<ArrayBuffer>, next: () => number): Buffer<ArrayBuffer> {
  const at = next() % (document.length + 1)
  const end = Math.min(document.length, at + (next() % 12))
  const [before, cut, after] = [
    document.subarray(0, at),
    document.subarray(at, end),
    document.subarray(end),
  ]
  switch (next() % 8) {
    case 0:
      return Buffer.concat([before, Buffer.from([next() & 255]), document.subarray(at + 1)])
    case 1:
      return Buffer.concat([before, after])
    case 2:
      return Buffer.concat([before, cut, cut, after])
    case 3:
      return Buffer.concat([before, Buffer.from(pick(next, PIECES)), document.subarray(at)])
    case 4:
      return Buffer.concat([before, Buffer.from(pick(next, PIECES)), after])
    case 5:
      return Buffer.from(before)
    case 6:
      return Buffer.concat([before, Buffer.from([0x80 + (next() % 128)]), document.subarray(at)])
    default:
      return atMember(document, next)
  }
}

/** Puts a piece behind some opening brace, where a member may stand. */
function atMember(document: Buffer<ArrayBuffer>, next: () => number): Buffer<ArrayBuffer> {
  const braces = [...document.keys()].filter((index) => document[index] === 0x7b)
  if (braces.length === 0) return document
  const at = pick(next, braces) + 1
  const piece = Buffer.from(
    pick(
      next,
      PIECES.filter((text) => text.endsWith(',')),
    ),
  )
  return Buffer.concat([document.subarray(0, at), piece, document.subarray(at)])
}

/** Values that a member may be changed to. */
const VALUES: readonly unknown[] = [
  null, true, 0, 1, -1, 1.5, 2, '', 'x', 'ambit:decision', 'sb-runtime:decision', [], {}, ['A', 'A'], ['A', 'B'],
  ['b'], [null], { a: 1 }, '2026-01-01T00:00:00Z', '2026-01-01t00:00:00z', '2026-01-01T00:00:60Z', '2026-02-30T00:00:00Z',
  '2026-01-01', 'a'.repeat(64), `sha256:${'a'.repeat(64)}`, `sha256:${'A'.repeat(64)}`, 'A'.repeat(64), 'A'.repeat(43),
  '/', 'C:\\x', '\\\\h\\s', '\\\\h\\\\s', 'É', 'a:b', ':', 'a:', 'a:é', 'genesis', 'success', 'failed', 9007199254740991,
  1e21, 1e-7, 'İ', '\u212a'.repeat(64), 'allow', 'deny', 'local', 'full',
] // prettier-ignore

/** Returns a copy of an object with some member, at any depth, changed, removed or added. */
export function remember(value: object, next: () => number): object {
  const copy = structuredClone(value)
  const holders: Record<string, unknown>[] = []
  const collect = (inner: unknown) => {
    if (typeof inner !== 'object' || inner === null) return
    holders.push(inner as Record<string, unknown>)
    Object.values(inner).forEach(collect)
  }
  collect(copy)
  const holder = pick(next, holders)
  const names = Object.keys(holder)
  const name = names.length === 0 ? 'extra' : pick(next, names)
  const kind = next() % 8
  if (kind === 0 && !Array.isArray(holder)) Reflect.deleteProperty(holder, name)
  else if (kind === 1 && !Array.isArray(holder)) holder[`${name}2`] = pick(next, VALUES)
  else holder[name] = structuredClone(pick(next, VALUES))
  return copy
}
