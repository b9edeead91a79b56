// SPDX-License-Identifier: Apache-2.0
// What the sandbox costs a command once it runs: open and close, stat and getppid a hundred thousand
// times, and starting a program, outside and inside, in turns. `--rounds N`, `--json`; `--smoke` is a
// quick run whose figures mean nothing.
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { launchPlan } from '../dist/run/launch.js'
import { ScriptError, main, say } from '../scripts/lib/proc.js'
import { ENV, makeFolders, planIn } from './lib/ground.js'
import { compileHelper } from './lib/helper.js'
import { machine } from './lib/machine.js'

const CALLS = 100_000
const KINDS = ['open_close', 'stat', 'getppid', 'spawn']
/** As the research measured them; `stat` asks for no right, so Landlock costs it nothing. */
const AIMS = { open_close: 1.8, stat: 1.15 }

async function inside(plan) {
  const { outcome, stdout } = await launchPlan(JSON.stringify(plan), { mode: 'hardened' })
  const { tier } = outcome.enforcement
  if (outcome.termination.code !== 0) {
    throw new ScriptError(`not measured: ${JSON.stringify(outcome.termination)}`)
  }
  return { tier, figures: JSON.parse(Buffer.from(stdout).toString()) }
}

const outside = (argv) =>
  JSON.parse(execFileSync(argv[0], argv.slice(1), { encoding: 'utf8', env: ENV }))

/** The fastest of each kind: what is slower met other work on the machine. */
function fastest(all) {
  return Object.fromEntries(KINDS.map((kind) => [kind, Math.min(...all.map((one) => one[kind]))]))
}

async function measure(folders, { rounds, calls }) {
  const helper = compileHelper(folders.workspace)
  if (helper.absent !== undefined) throw new ScriptError(helper.absent)
  // the fifth name of its path, as the research has it: Landlock looks at each folder above
  const deep = join(folders.workspace, 'a')
  const file = join(deep, 'file')
  mkdirSync(deep, { recursive: true })
  writeFileSync(file, 'steady\n')
  const argv = [helper.path, 'steady', file, String(calls)]
  const found = { outside: [], inside: [] }
  let tier = 'none'
  for (let round = 0; round < rounds; round += 1) {
    found.outside.push(outside(argv))
    const confined = await inside(planIn(folders, argv))
    found.inside.push(confined.figures)
    tier = confined.tier
  }
  return { tier, outside: fastest(found.outside), inside: fastest(found.inside) }
}

const two = (value) => Math.round(100 * value) / 100

function rowsOf({ outside: bare, inside: confined }) {
  return KINDS.map((kind) => {
    const ratio = two(confined[kind] / bare[kind])
    const most = AIMS[kind]
    const met = most === undefined ? null : ratio <= most
    return {
      kind,
      outside_ns: bare[kind],
      inside_ns: confined[kind],
      ratio,
      most: most ?? null,
      met,
    }
  })
}

function lineOf({ kind, outside_ns: bare, inside_ns: confined, ratio, most, met }) {
  const aim = most === null ? '' : `  ≤ ${most} ${met ? 'met' : 'NOT met'}`
  const cells = [bare, confined, ratio.toFixed(2)].map((cell) => String(cell).padStart(10))
  return `${kind.padEnd(12)}${cells.join('')}${aim}`
}

function print({ machine: about, load_after: after, rounds, tier, rows }) {
  const { kernel, cpu, cores, root, load } = about
  const lines = [
    `Linux ${kernel}, ${cores} x ${cpu}, ${root ? 'as root' : 'unprivileged'}, tier ${tier}`,
    `load ${load} before, ${after} after; the fastest of ${rounds} rounds of ${CALLS} calls`,
    '',
    `${' '.repeat(12)}${['outside', 'inside', 'ratio'].map((name) => name.padStart(10)).join('')}  ns`,
    ...rows.map(lineOf),
  ]
  say(lines.join('\n'))
}

async function bench() {
  const options = {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '10' },
    smoke: { type: 'boolean', default: false },
  }
  const { values } = parseArgs({ options })
  const rounds = values.smoke ? 1 : Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new ScriptError('--rounds takes a whole number from 1')
  const folders = makeFolders()
  try {
    const about = machine()
    const calls = values.smoke ? CALLS / 100 : CALLS
    const { tier, ...figures } = await measure(folders, { rounds, calls })
    const [version, name, after] = ['ambit.bench.v1', 'steady', machine().load]
    const rows = rowsOf(figures)
    const report = { version, name, machine: about, load_after: after, rounds, tier, rows }
    if (values.json) say(JSON.stringify(report))
    else print(report)
  } finally {
    rmSync(folders.base, { recursive: true, force: true })
  }
}

await main(import.meta.url, bench)
