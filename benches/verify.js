// SPDX-License-Identifier: Apache-2.0
// How long a set of receipts takes, and how much memory: a ledger as JSON Lines, verified by a
// process of its own through the API, and one receipt at a time. `--receipts N`, `--json`; `--smoke`
// is a quick run whose figures mean nothing.
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  Signer,
  generateKey,
  sha256,
  signReceipt,
  verifyAll,
  verifyReceipt,
} from '../dist/index.js'
import { ScriptError, main, say } from '../scripts/lib/proc.js'
import { machine } from './lib/machine.js'

const HASH = `sha256:${sha256('bench')}`

function payloadOf(seq, previous) {
  return JSON.stringify({
    type: 'ambit:decision',
    issued_at: '2026-01-01T00:00:00.000Z',
    run_id: `run_${seq}`,
    ledger_id: '0123456789abcdef0123456789abcdef',
    seq,
    ...(previous === undefined ? {} : { previousReceiptHash: previous }),
    mode: 'hardened',
    decision: 'deny',
    reason_codes: ['COMMAND_NOT_ALLOWED'],
    contract_id: 'csc_bench',
    contract_hash: HASH,
    policy_name: 'bench',
    policy_hash: HASH,
    classified_effects: [{ command_id: 'cmd_1', effect_type: 'observe' }],
  })
}

/** Writes a ledger of so many receipts; answers with the last one. */
async function writeLedger(file, key, count) {
  const signer = new Signer(key)
  const out = createWriteStream(file)
  let [previous, receipt] = [undefined, Buffer.alloc(0)]
  for (let seq = 1; seq <= count; seq += 1) {
    receipt = Buffer.from(signReceipt(payloadOf(seq, previous), signer))
    previous = `sha256:${sha256(receipt)}`
    if (!out.write(`${receipt}\n`)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
  return receipt
}

/** Verifies a set in this process, and says what it took. */
async function measureSet(file, path) {
  const start = performance.now()
  const results = verifyAll(file, { keys: [{ path }] })
  let next = await results.next()
  while (next.done !== true) next = await results.next()
  const ms = performance.now() - start
  const { code, counts } = next.value
  return { code, receipts: counts.receipts, ms, max_rss_kib: process.resourceUsage().maxRSS }
}

/** Does so in a process of its own: the memory is that of verifying alone. */
async function measureApart(file, path) {
  const self = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, [self, '--measure', file, '--key', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  let text = ''
  for await (const piece of child.stdout) text += piece
  const [code] = await ended
  if (code !== 0) throw new ScriptError(`the process that verifies ended with ${code}`)
  return JSON.parse(text)
}

async function measureOne(receipt, path, times) {
  const trust = { keys: [{ path }] }
  const start = performance.now()
  for (let time = 0; time < times; time += 1) await verifyReceipt(receipt, trust)
  return (1000 * (performance.now() - start)) / times
}

async function bench() {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      key: { type: 'string', default: '' },
      measure: { type: 'string' },
      receipts: { type: 'string', default: '100000' },
      smoke: { type: 'boolean', default: false },
    },
  })
  if (values.measure !== undefined) {
    process.stdout.write(JSON.stringify(await measureSet(values.measure, values.key)))
    return 0
  }
  const count = values.smoke ? 500 : Number(values.receipts)
  if (!Number.isSafeInteger(count) || count < 1) throw new ScriptError('--receipts: a number')
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'ambit-bench-')))
  try {
    const [key, path] = [join(base, 'key.pem'), join(base, 'key.pub.pem')]
    generateKey(key, path)
    const file = join(base, 'ledger.jsonl')
    say(`signing ${count} receipts …`)
    const receipt = await writeLedger(file, key, count)
    const set = await measureApart(file, path)
    if (set.code !== 'OK' || set.receipts !== count) throw new ScriptError(`found ${set.code}`)
    const one = await measureOne(receipt, path, values.smoke ? 20 : 20_000)
    report(values.json, {
      version: 'ambit.bench.v1',
      name: 'verify',
      machine: machine(),
      receipt_bytes: receipt.length,
      receipts: count,
      set_us_each: (1000 * set.ms) / count,
      set_max_rss_mib: set.max_rss_kib / 1024,
      one_us: one,
    })
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
  return 0
}

function report(json, figures) {
  if (json) {
    process.stdout.write(`${JSON.stringify(figures)}\n`)
    return
  }
  const { receipts, receipt_bytes, set_us_each, set_max_rss_mib, one_us } = figures
  say(`receipts of ${receipt_bytes} bytes, with ${figures.machine.cores} cores`)
  say(`a set of ${receipts}: ${set_us_each.toFixed(1)} µs each, ${set_max_rss_mib.toFixed(0)} MiB`)
  say(`verifyReceipt, one after the other, key file read each time: ${one_us.toFixed(1)} µs`)
}

await main(import.meta.url, bench)
