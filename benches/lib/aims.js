// SPDX-License-Identifier: Apache-2.0
// What a launch is meant to cost, as ratios within one run.

const two = (value) => Math.round(100 * value) / 100

const medianOf = (rows) => (name) => rows.find((row) => row.name === name)?.median_ms

function aim(text, { a, b, most, least }) {
  const want = most === undefined ? `≥ ${least}` : `≤ ${most}`
  const known = a !== undefined && b !== undefined
  const got = known ? two(a / b) : null
  const met = known ? (most === undefined ? a / b >= least : a / b <= most) : null
  return { aim: text, want, got, met }
}

/**
 * Compares what was measured with the aims.
 *
 * @param {{ rows: object[], large_rows: object[], commands: object[], throughput: object[] }} parts
 * @returns {readonly { aim: string, want: string, got: number | null, met: boolean | null }[]} `null`:
 *   not measured
 */
export function aimsOf({ rows, large_rows: large, commands, throughput }) {
  const [small, big, command] = [medianOf(rows), medianOf(large), medianOf(commands)]
  const atSixteen = (name) => throughput.find((row) => row.name === name)?.per_s[16]
  return [
    aim('tier lite to bare clone+exec', { a: small('launch_lite'), b: small('exec'), most: 1.4 }),
    aim('tier full to an unconfined spawn, small Node', {
      a: small('launch'),
      b: small('spawn'),
      most: 1.25,
    }),
    aim('tier full to an unconfined spawn, Node of 350 MB', {
      a: big('launch'),
      b: big('spawn'),
      most: 0.2,
    }),
    aim('bubblewrap with our mounts to tier full', {
      a: small('bwrap'),
      b: small('launch'),
      least: 2.5,
    }),
    aim('launches/s at 16 at once, ours to bubblewrap', {
      a: atSixteen('launch'),
      b: atSixteen('bwrap'),
      least: 4,
    }),
    aim('csc-runner hardened to ours, both as commands', {
      a: command('csc_hardened'),
      b: command('command'),
      least: 3,
    }),
    aim('csc-runner hardened to a launch in process', {
      a: command('csc_hardened'),
      b: small('launch'),
      least: 100,
    }),
  ]
}
