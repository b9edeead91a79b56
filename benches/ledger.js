// SPDX-License-Identifier: Apache-2.0
// How many durable, signed appends a second from inside Node: one submitter, and 64 that each wait for
// theirs before they ask for the next. `--seconds N`, `--json`; `--smoke` is a quick run whose figures
// mean nothing. What the store does without JavaScript and signatures: `cargo bench -p ambit-store`.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Ledger, Signer, generateKey } from '../dist/index.js'
import { ScriptError, main, say } from '../scripts/lib/proc.js'
import { machine } from './lib/machine.js'
import { summarize } from './lib/stats.js'

const HASH = `sha256:${'a'.repeat(64)}`

function payloadOf(signer) {
  return JSON.stringify({
    type: 'ambit:decision',
    issued_at: '2026-11-20T12:00:00.000Z',
    issuer_id: signer.publicKey.thumbprint,
    run_id: 'run_bench',
    contract_hash: HASH,
    policy_hash: HASH,
    mode: 'hardened',
    decision: 'deny',
    reason_codes: ['COMMAND_NOT_ALLOWED'],
    contract_id: 'contract-0001',
    policy_name: 'bench',
    classified_effects: [{ command_id: 'cmd_1', effect_type: 'observe' }],
  })
}

/** Appends from as many submitters for as long; returns appends per second. */
async function rate(folder, signer, { submitters, seconds }) {
  const ledger = new Ledger(folder)
  const submission = {
    phase: 'refusal',
    runId: 'run_bench',
    createdAtMs: 0,
    payload: payloadOf(signer),
  }
  const start = performance.now()
  let count = 0
  const one = async () => {
    do {
      await ledger.append(signer, submission)
      count += 1
    } while (performance.now() - start < seconds * 1000)
  }
  await Promise.all(Array.from({ length: submitters }, one))
  const took = performance.now() - start
  const { entries } = await ledger.status()
  ledger.close()
  if (entries !== count) throw new ScriptError(`${count} acknowledged, ${entries} in the ledger`)
  return Math.round(count / (took / 1000))
}

/** What the disk takes for a kilobyte and its sync: the floor of one append alone. */
function syncs(folder, rounds) {
  const file = openSync(join(folder, 'sync'), 'w', 0o600)
  const times = []
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now()
    writeSync(file, Buffer.alloc(1024, round))
    fdatasyncSync(file)
    times.push(performance.now() - start)
  }
  closeSync(file)
  return summarize(times)
}

function print({ machine: about, load_after: after, rows, sync }) {
  const { kernel, cpu, cores, node, load } = about
  say(`Linux ${kernel}, ${cores} x ${cpu}, Node ${node}, load ${load} before, ${after} after\n`)
  for (const { submitters, per_second: perSecond } of rows) {
    say(`${String(submitters).padStart(3)} submitters ${String(perSecond).padStart(8)} appends/s`)
  }
  say(`\n1 KiB written and synced: median ${sync.median_ms} ms`)
}

async function bench() {
  const options = {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '3' },
    smoke: { type: 'boolean', default: false },
  }
  const { values } = parseArgs({ options })
  const seconds = values.smoke ? 0.05 : Number(values.seconds)
  if (!(seconds > 0 && seconds <= 600)) throw new ScriptError('--seconds takes a number up to 600')
  const folder = mkdtempSync(join(tmpdir(), 'ambit-bench-'))
  try {
    const about = machine()
    generateKey(join(folder, 'key.pem'), join(folder, 'key.pub.pem'))
    const signer = new Signer(join(folder, 'key.pem'))
    const sync = syncs(folder, values.smoke ? 5 : 300)
    const rows = []
    for (const submitters of [1, 64]) {
      const place = join(folder, `ledger-${submitters}`)
      rows.push({ submitters, per_second: await rate(place, signer, { submitters, seconds }) })
    }
    const [version, name, after] = ['ambit.bench.v1', 'ledger', machine().load]
    const report = { version, name, machine: about, load_after: after, seconds, rows, sync }
    if (values.json) say(JSON.stringify(report))
    else print(report)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

await main(import.meta.url, bench)
