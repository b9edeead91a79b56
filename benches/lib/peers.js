// SPDX-License-Identifier: Apache-2.0
// Other people's signers, installed on demand into node_modules/.cache: none is a dependency of the
// package. What cannot be had is named with its reason, and the benchmark goes on without it.
import { execFileSync, spawn } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { root } from '../../scripts/lib/proc.js'

const CACHE = join(root, 'node_modules/.cache/ambit-bench')
const PACKAGES = ['canonicalize@5.1.0', '@noble/curves@2.4.0']
const PYTHON_PACKAGE = 'csc-runner==0.5.0'
const INSTALL_MS = 180_000

/**
 * Returns the functions of the npm packages, or why they are not there.
 *
 * @param {boolean} install whether to fetch what is missing
 */
export async function packagesOf(install) {
  const folder = join(CACHE, 'npm')
  try {
    if (!existsSync(join(folder, 'node_modules/@noble/curves'))) {
      if (!install) return { absent: 'not installed' }
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{"private":true}')
      const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts']
      execFileSync('npm', [...args, ...PACKAGES], { stdio: 'pipe', timeout: INSTALL_MS })
    }
    const load = async (path) => await import(pathToFileURL(join(folder, 'node_modules', path)))
    const { default: canonical } = await load('canonicalize/lib/canonicalize.js')
    const { ed25519 } = await load('@noble/curves/ed25519.js')
    return { canonical, ed25519 }
  } catch (error) {
    return { absent: firstLine(error) }
  }
}

/** Answers each line `NAME` with the microseconds of one call, measured over a batch. */
const PROGRAM = `
import base64, json, sys, time
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from csc_runner.signing import sign_receipt
work = json.loads(sys.stdin.readline())
seed = bytes.fromhex(work["seed"])
key = Ed25519PrivateKey.from_private_bytes(seed)
receipt = json.loads(work["receipt"])
receipt.pop("signature", None)
payload = json.loads(work["payload"])

def agt(text):
    document = dict(json.loads(text), issuer_id="me")
    data = json.dumps(document, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    sig = base64.urlsafe_b64encode(key.sign(data.encode())).rstrip(b"=").decode()
    return json.dumps({"payload": document, "signature": {"alg": "EdDSA", "kid": "me", "sig": sig}})

def csc():
    return sign_receipt(receipt, private_key_bytes=seed, key_id="me", signed_at="2026-01-01T00:00:00Z")

calls = {"agt_python": lambda: agt(work["payload"]), "csc_python": csc}
print("ready", flush=True)
for line in sys.stdin:
    call, batch = calls[line.strip()], 10
    start = time.perf_counter_ns()
    for _ in range(batch):
        call()
    print((time.perf_counter_ns() - start) / 1000 / batch, flush=True)
`

/**
 * Starts Python with both signers.
 *
 * @param {{ receipt: string, payload: string, key: string }} work
 * @param {boolean} install whether to fetch what is missing
 * @returns rows, and how to end the process behind them
 */
export async function pythonOf(work, install) {
  const names = ['csc_python', 'agt_python']
  const without = (absent) => ({ rows: names.map((name) => ({ name, absent })), stop: () => {} })
  const folder = join(CACHE, PYTHON_PACKAGE)
  try {
    if (!existsSync(join(folder, 'installed'))) {
      if (!install) return without('not installed')
      execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe', timeout: INSTALL_MS })
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
      const args = [...pip, PYTHON_PACKAGE]
      execFileSync(join(folder, 'bin/python'), args, { stdio: 'pipe', timeout: INSTALL_MS })
      writeFileSync(join(folder, 'installed'), '')
    }
    return await started(join(folder, 'bin/python'), work, names)
  } catch (error) {
    return without(firstLine(error))
  }
}

async function started(python, { receipt, payload, key }, names) {
  const stdio = ['pipe', 'pipe', 'inherit']
  const child = spawn(python, ['-c', PROGRAM], { stdio })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error('Python ended')
    return value
  }
  const { d } = createPrivateKey(readFileSync(key)).export({ format: 'jwk' })
  const seed = Buffer.from(d, 'base64url').toString('hex')
  child.stdin.write(`${JSON.stringify({ receipt, payload, seed })}\n`)
  await next()
  const timed = (name) => async () => {
    child.stdin.write(`${name}\n`)
    return Number(await next())
  }
  return {
    rows: names.map((name) => ({ name, timed: timed(name) })),
    stop: () => child.kill(),
  }
}

function firstLine(error) {
  const said = error.stderr?.toString().trim() ?? ''
  return (said === '' ? error.message : said).split('\n')[0].slice(0, 200)
}
