// SPDX-License-Identifier: Apache-2.0
// How long it takes to canonicalise a receipt and to sign one from JavaScript: with us, with
// node:crypto and @noble/curves behind the npm package `canonicalize`, and with csc-runner's and an
// AGT-like signer's Python. Every round measures each of them once, in random order, in small batches.
// `--rounds N`, `--json`; `--smoke` is a quick run whose figures mean nothing, without the packages
// that are not installed yet. Those are fetched once into node_modules/.cache.
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Signer, canonicalize, generateKey, sha256, signReceipt } from '../dist/index.js'
import { ScriptError, main, root, say } from '../scripts/lib/proc.js'
import { machine } from './lib/machine.js'
import { packagesOf, pythonOf } from './lib/peers.js'
import { ratio, shuffled, summarizeMicro } from './lib/stats.js'

const VECTORS = join(root, '__test__/vectors/receipts')

/** A csc receipt as compact JSON, members in the order in which a program writes them. */
function receiptText() {
  return JSON.stringify(JSON.parse(readFileSync(join(VECTORS, 'csc/runs/multi.json'), 'utf8')))
}

/** The payload of a decision, without its issuer. */
function payloadText() {
  const file = JSON.parse(readFileSync(join(VECTORS, 'acta/worked-example-04.json'), 'utf8'))
  const { issuer_id: _issuer, ...payload } = file.receipts[0].receipt.payload
  return JSON.stringify(payload)
}

/** Rows of ours: they are always there. */
function ownRows({ receipt, payload, key }) {
  const signer = new Signer(key)
  const bytes = Buffer.from(receipt)
  const { thumbprint } = signer.publicKey
  const message = Buffer.from(
    canonicalize(JSON.stringify({ ...JSON.parse(payload), issuer_id: thumbprint })),
  )
  const privateKey = createPrivateKey(readFileSync(key))
  return [
    { name: 'canonicalize', batch: 100, once: () => canonicalize(receipt) },
    { name: 'canonicalize_bytes', batch: 100, once: () => canonicalize(bytes) },
    { name: 'sha256', batch: 100, once: () => sha256(bytes) },
    {
      name: 'node_sha256',
      batch: 100,
      once: () => createHash('sha256').update(bytes).digest('hex'),
    },
    { name: 'sign', batch: 20, once: () => signReceipt(payload, signer) },
    { name: 'node_signature', batch: 20, once: () => sign(null, message, privateKey) },
  ]
}

/** Rows of other people's JavaScript. */
async function peerRows({ receipt, payload, key }, install) {
  const names = ['npm_canonicalize', 'node_crypto', 'noble']
  const found = await packagesOf(install)
  if (found.absent !== undefined) return names.map((name) => ({ name, absent: found.absent }))
  const { canonical, ed25519 } = found
  const privateKey = createPrivateKey(readFileSync(key))
  const { d } = privateKey.export({ format: 'jwk' })
  const seed = new Uint8Array(Buffer.from(d, 'base64url'))
  const kid = thumbprintOf(privateKey)
  const envelope = (signed) => {
    const document = { ...JSON.parse(payload), issuer_id: kid }
    const sig = Buffer.from(signed(Buffer.from(canonical(document)))).toString('hex')
    return canonical({ payload: document, signature: { alg: 'EdDSA', kid, sig } })
  }
  return [
    { name: names[0], batch: 50, once: () => canonical(JSON.parse(receipt)) },
    {
      name: names[1],
      batch: 20,
      once: () => envelope((message) => sign(null, message, privateKey)),
    },
    { name: names[2], batch: 2, once: () => envelope((message) => ed25519.sign(message, seed)) },
  ]
}

function thumbprintOf(privateKey) {
  const { crv, kty, x } = createPublicKey(privateKey).export({ format: 'jwk' })
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url')
}

/** One batch's time for one call, in microseconds. */
async function batchOf({ batch, once, timed }) {
  if (timed !== undefined) return await timed()
  const start = performance.now()
  for (let call = 0; call < batch; call += 1) once()
  return ((performance.now() - start) * 1000) / batch
}

async function measure(rows, { rounds, warmUp }) {
  const present = rows.filter(({ absent }) => absent === undefined)
  const times = new Map(present.map(({ name }) => [name, []]))
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const row of shuffled(present)) {
      const took = await batchOf(row)
      if (round >= 0) times.get(row.name).push(took)
    }
  }
  return rows.map(({ name, absent }) =>
    absent === undefined ? { name, ...summarizeMicro(times.get(name)) } : { name, absent },
  )
}

const RATIOS = [
  ['npm_canonicalize', 'canonicalize'],
  ['node_signature', 'sign'],
  ['node_crypto', 'sign'],
  ['noble', 'sign'],
  ['csc_python', 'sign'],
  ['agt_python', 'sign'],
]

/** How many times as long as ours the others take, by their medians. */
function ratiosOf(rows) {
  const median = (name) => rows.find((row) => row.name === name)?.median_us
  return Object.fromEntries(RATIOS.map(([a, b]) => [`${a}_to_${b}`, ratio(median(a), median(b))]))
}

function print({ machine: about, load_after: after, rounds, rows, ratios }) {
  const { kernel, cpu, cores, node, load } = about
  const head = ['min', 'median', 'p95'].map((name) => name.padStart(10)).join('')
  say(
    [
      `Linux ${kernel}, ${cores} x ${cpu}, Node ${node}`,
      `load ${load} before, ${after} after; ${rounds} rounds`,
      '',
      `${' '.repeat(NAME_WIDTH)}${head}  µs`,
      ...rows.map(lineOf),
      '',
      ...Object.entries(ratios).map(([name, value]) => `${name}: ${value ?? 'not measured'}`),
    ].join('\n'),
  )
}

const NAME_WIDTH = 20

function lineOf({ name, absent, min_us: min, median_us: median, p95_us: p95 }) {
  const figures = [min, median, p95].map((us) => us?.toFixed(2).padStart(10)).join('')
  return `${name.padEnd(NAME_WIDTH)}${absent ?? figures}`
}

async function bench() {
  const options = {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '300' },
    smoke: { type: 'boolean', default: false },
  }
  const { values } = parseArgs({ options })
  const rounds = values.smoke ? 5 : Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new ScriptError('--rounds takes a whole number from 1')
  const folder = mkdtempSync(join(tmpdir(), 'ambit-bench-'))
  const key = join(folder, 'key.pem')
  generateKey(key, join(folder, 'key.pub.pem'))
  const work = { receipt: receiptText(), payload: payloadText(), key }
  const python = await pythonOf(work, !values.smoke)
  try {
    const about = machine()
    const all = [...ownRows(work), ...(await peerRows(work, !values.smoke)), ...python.rows]
    const rows = await measure(all, { rounds, warmUp: values.smoke ? 1 : 30 })
    const [version, name, after] = ['ambit.bench.v1', 'receipts', machine().load]
    const ratios = ratiosOf(rows)
    const report = { version, name, machine: about, load_after: after, rounds, rows, ratios }
    if (values.json) say(JSON.stringify(report))
    else print(report)
  } finally {
    python.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

await main(import.meta.url, bench)
