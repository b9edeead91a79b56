// SPDX-License-Identifier: Apache-2.0
// How long a launch of `/usr/bin/true` takes, in one run: bare, by `child_process.spawn`, with
// bubblewrap, with us, with other tools that are installed; from a small Node and from one of 350 MB; 1,
// 2, 16 and 64 at once; and as a command of its own, against csc-runner hardened. Every round measures
// each of them once, in random order. `--rounds N`, `--json`; `--smoke` is a quick run whose figures
// mean nothing. Ours end when the last process of the sandbox is gone and all output is read and hashed;
// the others are given less: their time ends with `exit`.
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ScriptError, main, say } from '../scripts/lib/proc.js'
import { aimsOf } from './lib/aims.js'
import { makeFolders } from './lib/ground.js'
import { compileHelper } from './lib/helper.js'
import { commandsIn, waysIn } from './lib/launches.js'
import { machine } from './lib/machine.js'
import { launchLines } from './lib/print.js'
import { ratio, shuffled, summarize } from './lib/stats.js'

const LARGE_MIB = 350
const AT_ONCE = [1, 2, 16, 64]
const CROWD = new Set(['spawn', 'bwrap', 'launch'])
const LARGE = new Set(['exec', 'spawn', 'launch', 'launch_lite'])

async function measure(ways, { rounds, warmUp }) {
  const present = ways.filter(({ once }) => once !== undefined)
  const times = new Map(present.map(({ name }) => [name, []]))
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const { name, once, every = 1 } of shuffled(present)) {
      if (round % every !== 0) continue
      const took = await once()
      if (round >= 0) times.get(name).push(took)
    }
  }
  return ways.map(({ name, absent }) =>
    absent === undefined ? { name, ...summarize(times.get(name)) } : { name, absent },
  )
}

/** Launches a second, so many at once. */
async function crowd({ once }, atOnce, total) {
  let left = total
  const lane = async () => {
    while (left > 0) {
      left -= 1
      await once()
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: atOnce }, lane))
  return Math.round((1000 * total) / (performance.now() - start))
}

async function crowds(ways, smoke) {
  const rows = []
  for (const way of ways.filter(({ name, once }) => once !== undefined && CROWD.has(name))) {
    const perSecond = {}
    for (const atOnce of AT_ONCE) {
      perSecond[atOnce] = await crowd(way, atOnce, smoke ? atOnce : Math.max(200, 6 * atOnce))
    }
    rows.push({ name: way.name, per_s: perSecond })
  }
  return rows
}

function ratiosOf(rows) {
  const median = (name) => rows.find((row) => row.name === name)?.median_ms
  return {
    launch_to_bwrap: ratio(median('launch'), median('bwrap')),
    launch_to_bwrap_small: ratio(median('launch'), median('bwrap_small')),
    launch_to_spawn: ratio(median('launch'), median('spawn')),
    run_to_launch: ratio(median('run'), median('launch')),
  }
}

const rssMib = () => Math.round(process.memoryUsage.rss() / 1024 ** 2)

/** Measures again with so much memory in use that a fork of this process is dear. */
async function measureLarge(ways, options) {
  const missing = Math.max(0, LARGE_MIB - rssMib()) * 1024 ** 2
  // filled: memory that was never touched costs a fork nothing
  const ballast = Buffer.alloc(missing, 1)
  const rows = await measure(
    ways.filter(({ name }) => LARGE.has(name)),
    options,
  )
  return { rss_mib: rssMib(), held: ballast.length, rows }
}

/** As commands; csc-runner hides all of `/tmp`, and so what lies in it. */
async function measureCommands({ rounds, smoke }) {
  const folders = makeFolders('/var/tmp')
  try {
    const few = { rounds: smoke ? 1 : Math.ceil(rounds / 10), warmUp: 1 }
    return await measure(await commandsIn(folders, !smoke), few)
  } finally {
    rmSync(folders.base, { recursive: true, force: true })
  }
}

async function reportOn(folders, { rounds, smoke }) {
  const about = machine()
  const ways = await waysIn(folders, compileHelper(folders.base))
  try {
    const options = { rounds, warmUp: smoke ? 2 : 20 }
    const rss_mib = rssMib()
    const rows = await measure(ways, options)
    const throughput = await crowds(ways, smoke)
    const { held: _, ...large } = await measureLarge(ways, options)
    const commands = await measureCommands({ rounds, smoke })
    const parts = { rows, large_rows: large.rows, throughput, commands }
    const [version, name, after] = ['ambit.bench.v1', 'launch', machine().load]
    const sizes = { rss_mib, large_rss_mib: large.rss_mib }
    const [ratios, aims] = [ratiosOf(rows), aimsOf(parts)]
    const head = { version, name, machine: about, load_after: after, rounds }
    return { ...head, ...sizes, ...parts, ratios, aims }
  } finally {
    for (const { close } of ways) await close?.()
  }
}

async function bench() {
  const options = {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '200' },
    smoke: { type: 'boolean', default: false },
  }
  const { values } = parseArgs({ options })
  const rounds = values.smoke ? 20 : Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new ScriptError('--rounds takes a whole number from 1')
  const folders = makeFolders()
  try {
    const report = await reportOn(folders, { rounds, smoke: values.smoke })
    if (values.json) say(JSON.stringify(report))
    else say(launchLines(report).join('\n'))
  } finally {
    rmSync(folders.base, { recursive: true, force: true })
  }
}

await main(import.meta.url, bench)
