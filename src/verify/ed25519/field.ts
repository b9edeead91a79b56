// SPDX-License-Identifier: Apache-2.0
// The field of 2^255 − 19. Everything here is public, so nothing needs constant time.

/** The prime, 2^255 − 19. */
export const P = (1n << 255n) - 19n

/** Returns the value within 0 and P − 1. */
export function mod(value: bigint): bigint {
  const rest = value % P
  return rest < 0n ? rest + P : rest
}

/** Returns `base` to the power of `exponent`, which is not negative. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = mod(base)
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % P
    square = (square * square) % P
  }
  return result
}

/** Returns the inverse; that of 0 is 0. */
export function invert(value: bigint): bigint {
  return power(value, P - 2n)
}

/** A square root of −1. */
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n)

/** Returns a square root of `u / v`, or nothing where there is none (RFC 8032 section 5.1.3). */
export function rootOfRatio(u: bigint, v: bigint): bigint | undefined {
  const v3 = mod(v * v * v)
  const root = mod(u * v3 * power(mod(u * v3 * v3 * v), (P - 5n) / 8n))
  const square = mod(v * root * root)
  if (square === mod(u)) return root
  if (square === mod(-u)) return mod(root * ROOT_OF_MINUS_ONE)
  return undefined
}
