// SPDX-License-Identifier: Apache-2.0
// Points of edwards25519 in extended coordinates (RFC 8032 sections 5.1.2 to 5.1.4).
import { littleEndian } from '../bytes.js'
import { P, invert, mod, rootOfRatio } from './field.js'

/** `x = X/Z`, `y = Y/Z`, `x·y = T/Z`. */
export interface Point {
  readonly x: bigint
  readonly y: bigint
  readonly z: bigint
  readonly t: bigint
}

/** The order of the base point, 2^252 + 27742317777372353535851937790883648493. */
export const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n

const D = mod(-121665n * invert(121666n))
const SIGN = 1n << 255n
const IDENTITY: Point = { x: 0n, y: 1n, z: 1n, t: 0n }

/** Returns the sum of two points; the formulas hold for all of them. */
function add(a: Point, b: Point): Point {
  const sum = mod((a.x + a.y) * (b.x + b.y))
  const xx = mod(a.x * b.x)
  const yy = mod(a.y * b.y)
  const c = mod(a.t * D * b.t)
  const d = mod(a.z * b.z)
  const e = sum - xx - yy
  const f = d - c
  const g = d + c
  const h = yy + xx
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) }
}

function double(a: Point): Point {
  const xx = mod(a.x * a.x)
  const yy = mod(a.y * a.y)
  const c = 2n * a.z * a.z
  const h = xx + yy
  const sum = a.x + a.y
  const e = h - mod(sum * sum)
  const g = xx - yy
  const f = mod(c) + g
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) }
}

/** Returns the point with the sign of `x` changed. */
export function negate(a: Point): Point {
  return { x: mod(-a.x), y: a.y, z: a.z, t: mod(-a.t) }
}

/** Returns `a·p + b·q`; both factors are below 2^256 and not negative. */
export function sumOfProducts(a: bigint, p: Point, b: bigint, q: Point): Point {
  const both = add(p, q)
  let result = IDENTITY
  for (let bit = 255n; bit >= 0n; bit -= 1n) {
    result = double(result)
    const ofP = (a >> bit) & 1n
    const ofQ = (b >> bit) & 1n
    if (ofP === 1n) result = add(result, ofQ === 1n ? both : p)
    else if (ofQ === 1n) result = add(result, q)
  }
  return result
}

/** Whether eight times the point is nothing: signatures by such a key say nothing. */
export function isOfSmallOrder(point: Point): boolean {
  const eightfold = double(double(double(point)))
  return eightfold.x === 0n && eightfold.y === eightfold.z
}

/**
 * Reads 32 bytes as a point. It is `canonical` where they are its one encoding: `y` below the prime,
 * and no sign where `x` is 0. Returns nothing for bytes that are no point.
 */
export function decodePoint(
  bytes: Uint8Array,
): { readonly point: Point; readonly canonical: boolean } | undefined {
  if (bytes.length !== 32) return undefined
  const encoded = littleEndian(bytes)
  const sign = encoded >= SIGN
  const written = sign ? encoded - SIGN : encoded
  const y = mod(written)
  const root = rootAt(y)
  if (root === undefined) return undefined
  const x = ((root & 1n) === 1n) === sign ? root : mod(-root)
  const canonical = y === written && !(x === 0n && sign)
  return { point: { x, y, z: 1n, t: mod(x * y) }, canonical }
}

/** Returns an `x` of the points at `y`, if there are any. */
function rootAt(y: bigint): bigint | undefined {
  const yy = mod(y * y)
  return rootOfRatio(mod(yy - 1n), mod(D * yy + 1n))
}

/**
 * Whether 32 bytes may be the one encoding of a point that is not of small order. Whether they are
 * that of any point is not asked.
 */
export function mayEncodeLargePoint(bytes: Uint8Array): boolean {
  const encoded = littleEndian(bytes)
  const y = encoded >= SIGN ? encoded - SIGN : encoded
  return y < P && !SMALL.has(y)
}

/** Whether a point is the one that these 32 bytes encode. */
export function isEncodedAs(point: Point, bytes: Uint8Array): boolean {
  const inverse = invert(point.z)
  const x = mod(point.x * inverse)
  const y = mod(point.y * inverse)
  return littleEndian(bytes) === ((x & 1n) === 1n ? y + SIGN : y)
}

/** The base point: `y = 4/5`, `x` even. */
export const BASE = basePoint()

function basePoint(): Point {
  const y = mod(4n * invert(5n))
  const root = rootAt(y) ?? 0n
  const x = (root & 1n) === 1n ? mod(-root) : root
  return { x, y, z: 1n, t: mod(x * y) }
}

/** A `y` of the points of order 8; the other is its negative. */
const Y_OF_ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n

/** The `y` of the eight points of small order: at each, both signs are of small order. */
const SMALL: ReadonlySet<bigint> = new Set([0n, 1n, P - 1n, Y_OF_ORDER_8, P - Y_OF_ORDER_8])
