// SPDX-License-Identifier: Apache-2.0
// How long one launch of `/usr/bin/true` takes from inside Node: plain, with bubblewrap, with us,
// and as a whole `run` with policy, ledger and receipts. Every round measures each of them once, in
// random order. `--rounds N`, `--json`; `--smoke` is a quick run whose figures mean nothing.
//
// Both of ours end when the last process of the sandbox is gone and all output is read and hashed;
// the others are given less: their time ends with `exit`.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generateKey, parseContract, parsePolicy, run } from '../dist/index.js'
import { launchPlan } from '../dist/run/launch.js'
import { ScriptError, main, say } from '../scripts/lib/proc.js'
import { bwrapArguments, findBwrap, withoutEtc } from './lib/bwrap.js'
import { machine } from './lib/machine.js'
import { ratio, shuffled, summarize } from './lib/stats.js'

const COMMAND = '/usr/bin/true'
const ENV = { HOME: '/tmp', PATH: '/usr/bin:/bin' }
const TIMEOUT_SEC = 60

/** Folders of one benchmark: a workspace with one writable folder in it, and a home of its own. */
function makeFolders() {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'ambit-bench-')))
  const folders = { base, workspace: join(base, 'workspace'), home: join(base, 'home') }
  for (const path of [join(folders.workspace, 'out'), join(folders.home, 'keys')]) {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  }
  const key = join(folders.home, 'keys', 'default')
  generateKey(`${key}.pem`, `${key}.pub.pem`)
  return folders
}

function planIn({ workspace }, argv) {
  return {
    executable: argv[0],
    argv,
    env: ENV,
    cwd: workspace,
    read_paths: [workspace],
    write_paths: [join(workspace, 'out')],
    network: 'deny',
    timeout_ms: TIMEOUT_SEC * 1000,
  }
}

function contractIn({ workspace }) {
  const command = {
    id: 'cmd_1',
    exec: { argv: [COMMAND] },
    cwd: workspace,
    read_paths: [`${workspace}/**`],
    write_paths: [`${workspace}/out/**`],
    network: 'deny',
    env_allow: [],
    secret_refs: [],
    timeout_sec: TIMEOUT_SEC,
    proposed_effect_type: 'observe',
  }
  return {
    version: 'csc.v0.1',
    contract_id: 'csc_bench',
    intent: 'measure',
    actor: {
      agent_id: 'bench',
      session_id: 'bench',
      initiating_user: 'bench',
      delegation_scope: 'bench',
    },
    commands: [command],
    risk_class: 'low',
    approval_mode: 'policy_only',
    justification: 'a benchmark',
  }
}

function policyIn({ workspace }) {
  return {
    policy_schema_version: 'csc.policy.v0.1',
    name: 'bench',
    allow_commands: [COMMAND, 'true'],
    allowed_effect_types: ['observe', 'transform_local'],
    allowed_risk_classes: ['low'],
    max_timeout_sec: TIMEOUT_SEC,
    network: 'deny',
    allow_secret_refs: false,
    require_write_paths_empty: false,
    allowed_cwd_prefixes: [workspace],
    allowed_read_prefixes: [workspace],
    allowed_write_prefixes: [workspace],
  }
}

/** Returns the milliseconds until `exit`, and comes back once the streams are closed too. */
function spawned(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    let took = Number.NaN
    const child = spawn(command, args, { cwd, env: ENV, stdio: ['ignore', 'pipe', 'pipe'] })
    let complaint = ''
    child.stdout.resume()
    child.stderr.on('data', (piece) => (complaint += piece))
    child.once('error', reject)
    child.once('exit', () => (took = performance.now() - start))
    child.once('close', (code) => {
      if (code === 0) resolve(took)
      else reject(new ScriptError(`\`${command}\` ended with ${code}: ${complaint.trim()}`))
    })
  })
}

async function launched(plan) {
  const start = performance.now()
  const { outcome } = await launchPlan(plan, {})
  const took = performance.now() - start
  if (outcome.termination.code !== 0 || outcome.enforcement.tier !== 'full') {
    throw new ScriptError(`not a full launch: ${JSON.stringify(outcome)}`)
  }
  return took
}

async function pipeline(options) {
  const start = performance.now()
  const result = await run(options)
  const took = performance.now() - start
  if (result.status !== 'success') throw new ScriptError(`not a success: ${result.status}`)
  return took
}

/** Returns what is measured: a name and a function that does it once. */
async function rowsIn(folders) {
  const plan = JSON.stringify(planIn(folders, [COMMAND]))
  const options = {
    contract: parseContract(Buffer.from(JSON.stringify(contractIn(folders))), 'contract'),
    policy: parsePolicy(Buffer.from(JSON.stringify(policyIn(folders))), 'policy'),
    env: { AMBIT_HOME: folders.home },
  }
  return [
    { name: 'spawn', once: () => spawned(COMMAND, [], folders.workspace) },
    ...(await bwrapRows(folders)),
    { name: 'launch', once: () => launched(plan) },
    { name: 'run', once: () => pipeline(options) },
  ]
}

async function bwrapRows(folders) {
  const names = ['bwrap', 'bwrap_small']
  const without = (absent) => names.map((name) => ({ name, absent }))
  const bwrap = findBwrap()
  if (bwrap === undefined) return without('not installed: apt-get install bubblewrap')
  const plan = planIn(folders, ['/usr/bin/cat', '/proc/self/mountinfo'])
  const { stdout } = await launchPlan(JSON.stringify(plan), {})
  const args = bwrapArguments(plan, Buffer.from(stdout).toString())
  const onceWith = (profile) => () => spawned(bwrap, [...profile, COMMAND], folders.workspace)
  const rows = [onceWith(args), onceWith(withoutEtc(args))]
  try {
    await rows[0]()
  } catch (error) {
    return without(error.message)
  }
  return rows.map((once, index) => ({ name: names[index], once }))
}

async function measure(rows, { rounds, warmUp }) {
  const present = rows.filter(({ once }) => once !== undefined)
  const times = new Map(present.map(({ name }) => [name, []]))
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const { name, once } of shuffled(present)) {
      const took = await once()
      if (round >= 0) times.get(name).push(took)
    }
  }
  return rows.map(({ name, absent }) =>
    absent === undefined ? { name, ...summarize(times.get(name)) } : { name, absent },
  )
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

function print({ machine: about, load_after: after, rounds, rows, ratios }) {
  const { kernel, cpu, cores, node, root, load } = about
  const head = ['min', 'median', 'p95'].map((name) => name.padStart(10)).join('')
  const lines = [
    `Linux ${kernel}, ${cores} x ${cpu}, Node ${node}, ${root ? 'as root' : 'unprivileged'}`,
    `load ${load} before, ${after} after; ${rounds} rounds`,
    '',
    `${' '.repeat(NAME_WIDTH)}${head}  ms`,
    ...rows.map(lineOf),
    '',
    ...Object.entries(ratios).map(([name, value]) => `${name}: ${value ?? 'not measured'}`),
  ]
  say(lines.join('\n'))
}

const NAME_WIDTH = 12

function lineOf({ name, absent, min_ms: min, median_ms: median, p95_ms: p95 }) {
  const figures = [min, median, p95].map((ms) => ms?.toFixed(3).padStart(10)).join('')
  return `${name.padEnd(NAME_WIDTH)}${absent ?? figures}`
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
    const about = machine()
    const rows = await measure(await rowsIn(folders), { rounds, warmUp: values.smoke ? 2 : 20 })
    const [version, name, after] = ['ambit.bench.v1', 'launch', machine().load]
    const ratios = ratiosOf(rows)
    const report = { version, name, machine: about, load_after: after, rounds, rows, ratios }
    if (values.json) say(JSON.stringify(report))
    else print(report)
  } finally {
    rmSync(folders.base, { recursive: true, force: true })
  }
}

await main(import.meta.url, bench)
