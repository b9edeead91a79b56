// SPDX-License-Identifier: Apache-2.0
// The report of the launch benchmark, for people.

const NAME_WIDTH = 17
const FIGURES = ['min', 'median', 'p95']

const wide = (text) => text.padEnd(NAME_WIDTH)
const head = (title) => wide(title) + FIGURES.map((name) => name.padStart(10)).join('')

function lineOf({ name, absent, ...figures }) {
  const cells = FIGURES.map((kind) => figures[`${kind}_ms`]?.toFixed(3).padStart(10)).join('')
  return wide(name) + (absent ?? cells)
}

const crowdLine = ({ name, per_s: perSecond }) =>
  wide(name) +
  Object.values(perSecond)
    .map((value) => String(value).padStart(8))
    .join('')

function aimLine({ aim, want, got, met }) {
  const word = { true: 'met', false: 'NOT met' }[met] ?? 'not measured'
  return `${aim.padEnd(48)} ${want.padStart(8)} ${String(got ?? '-').padStart(8)}  ${word}`
}

/** Returns the lines of a report. */
export function launchLines(report) {
  const { kernel, cpu, cores, node, root, load } = report.machine
  const [first] = report.throughput
  return [
    `Linux ${kernel}, ${cores} x ${cpu}, Node ${node}, ${root ? 'as root' : 'unprivileged'}`,
    `load ${load} before, ${report.load_after} after; ${report.rounds} rounds`,
    '',
    head(`ms, ${report.rss_mib} MB`),
    report.rows.map(lineOf),
    '',
    head(`ms, ${report.large_rss_mib} MB`),
    report.large_rows.map(lineOf),
    '',
    head('ms, commands'),
    report.commands.map(lineOf),
    '',
    wide('launches/s') +
      Object.keys(first.per_s)
        .map((n) => n.padStart(8))
        .join(''),
    report.throughput.map(crowdLine),
    '',
    report.aims.map(aimLine),
    '',
    Object.entries(report.ratios).map(([name, value]) => `${name}: ${value ?? 'not measured'}`),
  ].flat()
}
