// SPDX-License-Identifier: Apache-2.0
// Numbers about numbers, for the benchmarks.

/**
 * Sums up times in milliseconds; each figure is one of the times measured (nearest rank), rounded
 * to whole microseconds.
 *
 * @param {readonly number[]} times at least one
 * @returns {{ min_ms: number, median_ms: number, p95_ms: number }}
 */
export function summarize(times) {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share) => micro(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)])
  return { min_ms: at(0), median_ms: at(0.5), p95_ms: at(0.95) }
}

/**
 * Sums up times in microseconds; each figure is one of the times measured (nearest rank), rounded to
 * 10 nanoseconds.
 *
 * @param {readonly number[]} times at least one
 * @returns {{ min_us: number, median_us: number, p95_us: number }}
 */
export function summarizeMicro(times) {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  return { min_us: tenNano(at(0)), median_us: tenNano(at(0.5)), p95_us: tenNano(at(0.95)) }
}

function tenNano(us) {
  return Math.round(us * 100) / 100
}

/** Returns a / b with two decimals; `null` where one of them was not measured. */
export function ratio(a, b) {
  return a === undefined || b === undefined ? null : Math.round((100 * a) / b) / 100
}

/** Returns a copy in random order, so that no row always follows the same other one. */
export function shuffled(items) {
  const out = [...items]
  for (let last = out.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[out[last], out[other]] = [out[other], out[last]]
  }
  return out
}

function micro(ms) {
  return Math.round(ms * 1000) / 1000
}
