// SPDX-License-Identifier: Apache-2.0
// How long a decision takes: a small contract (one command, one path), a large one (20 commands with
// 10 paths each), loading a policy, and `check` as a whole process; each also with csc-runner, in the
// same run on the same documents. `--rounds N`, `--json`; `--smoke` is a quick run whose figures mean
// nothing.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { evaluate, parseContract, parsePolicy } from '../dist/index.js'
import { ScriptError, main, root, say } from '../scripts/lib/proc.js'
import { cscCommand, installCscRunner, measureInPython } from './lib/csc-runner.js'
import { machine } from './lib/machine.js'
import { ratio, shuffled, summarize } from './lib/stats.js'

const POLICY = join(root, 'policies/dev-readonly/policy.yaml')
const IN_PROCESS = ['evaluate_small', 'evaluate_large', 'load_policy']

function command(id, paths) {
  const read = Array.from({ length: paths }, (_, at) => `/workspace/app/part-${at}/**`)
  return {
    id,
    exec: { argv: ['git', 'status', '--short'] },
    cwd: '/workspace/app',
    read_paths: read,
    write_paths: [],
    network: 'deny',
    env_allow: [],
    secret_refs: [],
    timeout_sec: 10,
    proposed_effect_type: 'observe',
  }
}

function contract(commands, paths) {
  const who = 'bench'
  return JSON.stringify({
    version: 'csc.v0.1',
    contract_id: 'csc_bench',
    intent: 'measure',
    actor: {
      agent_id: who,
      session_id: who,
      initiating_user: who,
      delegation_scope: who,
    },
    commands: Array.from({ length: commands }, (_, at) => command(`cmd_${at}`, paths)),
    risk_class: 'low',
    approval_mode: 'policy_only',
    justification: 'a benchmark',
  })
}

function makeDocuments() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ambit-bench-')))
  const contracts = [join(folder, 'small.json'), join(folder, 'large.json')]
  writeFileSync(contracts[0], contract(1, 1))
  writeFileSync(contracts[1], contract(20, 10))
  return { folder, contracts }
}

/** Returns microseconds for one call, batch by batch. */
function timed(work, { batches, calls }) {
  for (let at = 0; at < calls; at += 1) work()
  return Array.from({ length: batches }, () => {
    const start = performance.now()
    for (let at = 0; at < calls; at += 1) work()
    return ((performance.now() - start) * 1000) / calls
  })
}

function measureHere({ contracts }, counts) {
  const bytes = readFileSync(POLICY)
  const policy = parsePolicy(bytes, 'policy.yaml')
  const decisions = contracts.map((path) => {
    const asked = parseContract(readFileSync(path), path)
    const decide = () => evaluate(asked, policy, { mode: 'hardened' })
    if (decide().decision !== 'allow') throw new ScriptError('the contract is not allowed')
    return timed(decide, counts)
  })
  return [...decisions, timed(() => parsePolicy(bytes, 'policy.yaml'), { ...counts, calls: 5 })]
}

/** Returns the microseconds until a process that has to succeed has ended. */
function spawned([program, ...args]) {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'] })
    child.once('error', reject)
    child.once('close', (code) => {
      const took = (performance.now() - start) * 1000
      if (code === 0) resolve(took)
      else reject(new ScriptError(`\`${program}\` ended with ${code}`))
    })
  })
}

async function measureProcesses({ contracts }, commands, rounds) {
  const times = new Map(commands.map(({ name }) => [name, []]))
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, argv } of shuffled(commands)) {
      const took = await spawned(name === 'node' ? argv : [...argv, 'check', contracts[0], POLICY])
      if (round >= 0) times.get(name).push(took)
    }
  }
  return times
}

/** Sums up microseconds. */
function figures(times) {
  const { min_ms, median_ms, p95_ms } = summarize(times)
  return { min_us: min_ms, median_us: median_ms, p95_us: p95_ms }
}

async function measure(documents, { rounds, counts }) {
  const absent = installCscRunner()
  const ours = { name: 'check', argv: [process.execPath, join(root, 'bin/ambit.js')] }
  const theirs = { name: 'csc_check', argv: cscCommand() }
  // a process that does nothing: what no command of ours can be faster than
  const bare = { name: 'node', argv: [process.execPath, '-e', '0'] }
  const commands = absent === undefined ? [bare, ours, theirs] : [bare, ours]
  const here = measureHere(documents, counts)
  const there =
    absent === undefined ? measureInPython({ ...documents, policy: POLICY, ...counts }) : []
  const processes = await measureProcesses(documents, commands, rounds)
  const row = (name, times) => (times ? { name, ...figures(times) } : { name, absent })
  return [
    ...IN_PROCESS.flatMap((name, at) => [row(name, here[at]), row(`csc_${name}`, there[at])]),
    row('node', processes.get('node')),
    row('check', processes.get('check')),
    row('csc_check', processes.get('csc_check')),
  ]
}

function ratiosOf(rows) {
  const median = (name) => rows.find((row) => row.name === name)?.median_us
  const names = [...IN_PROCESS, 'check']
  const ratios = names.map((name) => [`csc_to_${name}`, ratio(median(`csc_${name}`), median(name))])
  return Object.fromEntries([...ratios, ['check_to_node', ratio(median('check'), median('node'))]])
}

const NAME_WIDTH = 20

function lineOf({ name, absent, min_us: min, median_us: median, p95_us: p95 }) {
  const cells = [min, median, p95].map((us) => us?.toFixed(2).padStart(12)).join('')
  return `${name.padEnd(NAME_WIDTH)}${absent ?? cells}`
}

function print({ machine: about, load_after: after, rounds, rows, ratios }) {
  const { kernel, cpu, cores, node, load } = about
  const head = ['min', 'median', 'p95'].map((name) => name.padStart(12)).join('')
  const lines = [
    `Linux ${kernel}, ${cores} x ${cpu}, Node ${node}`,
    `load ${load} before, ${after} after; ${rounds} rounds`,
    '',
    `${' '.repeat(NAME_WIDTH)}${head}  us`,
    ...rows.map(lineOf),
    '',
    ...Object.entries(ratios).map(([name, value]) => `${name}: ${value ?? 'not measured'}`),
  ]
  say(lines.join('\n'))
}

async function bench() {
  const options = {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '30' },
    smoke: { type: 'boolean', default: false },
  }
  const { values } = parseArgs({ options })
  const rounds = values.smoke ? 2 : Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1) {
    throw new ScriptError('--rounds takes a whole number from 1')
  }
  const documents = makeDocuments()
  try {
    const about = machine()
    const counts = values.smoke ? { batches: 3, calls: 20 } : { batches: 50, calls: 500 }
    const rows = await measure(documents, { rounds, counts })
    const [version, name, after] = ['ambit.bench.v1', 'evaluate', machine().load]
    const ratios = ratiosOf(rows)
    const report = { version, name, machine: about, load_after: after, rounds, rows, ratios }
    if (values.json) say(JSON.stringify(report))
    else print(report)
  } finally {
    rmSync(documents.folder, { recursive: true, force: true })
  }
}

await main(import.meta.url, bench)
