// SPDX-License-Identifier: Apache-2.0
// Receipts and envelopes of ours before other people's code, and receipts of theirs before ours:
// Python's `cryptography` and OpenSSL. csc-runner has a file of its own.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  Signer,
  canonicalize,
  exportReceipt,
  generateKey,
  run,
  signReceipt,
  verifyReceipt,
} from '../../dist/index.js'
import { installCscRunner, python } from './support/csc-runner.js'
import { commandOf, contractOf, policyOf } from './support/documents.js'
import { entriesIn } from './support/ledger.js'
import { type Ended, finish } from './support/processes.js'
import { PYTHON } from './support/range.js'
import { Stage, publicKeyIn, withoutPrograms } from './support/stage.js'
import { SELF } from './support/users.js'

const OPENSSL = '/usr/bin/openssl'
// csc-runner brings `cryptography`
const noPython = withoutPrograms(PYTHON) || installCscRunner() !== undefined
const noOpenssl = withoutPrograms(OPENSSL)

let stage: Stage
let home: string
let signer: Signer

beforeAll(() => {
  stage = new Stage()
  home = stage.home()
  signer = new Signer(join(home, 'keys/default.pem'))
})

afterAll(() => stage.dispose())

interface Envelope {
  readonly payload: Record<string, unknown>
  readonly signature: { readonly kid: string; readonly sig: string }
}

/** A receipt of each kind that we write. */
async function receipts(): Promise<string[]> {
  const payload = {
    type: 'protectmcp:decision',
    issued_at: '2026-01-01T00:00:00Z',
    tool_name: 'naïve ☃ 𝄞\n"\\',
    decision: 'deny',
    hook_latency_ms: 12,
  }
  const contract = contractOf([commandOf({ argv: ['rm', '-rf', '/'], cwd: '/' })])
  await run({
    contract: Buffer.from(JSON.stringify(contract)),
    policy: Buffer.from(JSON.stringify(policyOf(['true']))),
    env: { AMBIT_HOME: home },
  })
  const denied = entriesIn(home).map(({ document }) => document)
  const signed = ['thumbprint', 'sb-issuer'] as const
  const own = signed.map((kid) =>
    Buffer.from(signReceipt(JSON.stringify(payload), signer, { kid })).toString(),
  )
  return [...denied, ...own]
}

/** `VALID` or what went wrong, for a receipt and a public key. */
const CHECK = `
import json, sys
from cryptography.hazmat.primitives.serialization import load_pem_public_key
receipt = json.load(open(sys.argv[1], encoding="utf-8"))
key = load_pem_public_key(open(sys.argv[2], "rb").read())
payload = json.dumps(receipt["payload"], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
assert receipt["signature"]["alg"] == "EdDSA"
assert receipt["signature"]["kid"] == receipt["payload"]["issuer_id"]
key.verify(bytes.fromhex(receipt["signature"]["sig"]), payload.encode())
print("VALID")
`

/** Makes a key, writes its public half and a receipt that it signs. */
const SIGN = `
import base64, hashlib, json, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
key = Ed25519PrivateKey.generate()
public = key.public_key()
raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
b64 = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
text = lambda value: json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
kid = b64(hashlib.sha256(text({"crv": "Ed25519", "kty": "OKP", "x": b64(raw)}).encode()).digest())
payload = {"type": "example:note", "issued_at": "2026-01-01T00:00:00Z", "issuer_id": kid,
           "text": "naïve ☃ 𝄞\\n", "list": [1, -2, {"a": None, "b": True}]}
sig = key.sign(text(payload).encode()).hex()
receipt = {"signature": {"sig": sig, "kid": kid, "alg": "EdDSA"}, "payload": payload}
open(sys.argv[1], "w", encoding="utf-8").write(json.dumps(receipt, indent=2))
open(sys.argv[2], "wb").write(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
`

describe.skipIf(noPython)('cryptography for Python', () => {
  it('verifies our receipts, and none with a changed letter', async () => {
    const all = await receipts()
    expect(all.length).toBeGreaterThanOrEqual(3)
    for (const receipt of all) {
      const file = join(stage.folder(), 'receipt.json')
      writeFileSync(file, receipt)
      const valid = await python(CHECK, file, publicKeyIn(home))
      expect(valid).toMatchObject({ code: 0, stdout: 'VALID\n' })
      writeFileSync(file, receipt.replace('"deny"', '"denY"'))
      const invalid = await python(CHECK, file, publicKeyIn(home))
      expect(invalid).toMatchObject({ code: 1, stdout: '' })
      expect(invalid.stderr).toContain('InvalidSignature')
    }
  })

  it('writes receipts that we verify', async () => {
    const [file, path] = [join(stage.folder(), 'receipt.json'), join(stage.folder(), 'key.pem')]
    expect(await python(SIGN, file, path)).toMatchObject({ code: 0 })
    const keys = [{ path }]
    const receipt = readFileSync(file)
    expect(await verifyReceipt(receipt, { keys })).toMatchObject({ status: 'valid', code: 'OK' })
    const other = join(stage.folder(), 'other.pem')
    generateKey(`${other}.key`, other)
    expect(await verifyReceipt(receipt, { keys: [{ path: other }] })).toMatchObject({
      code: 'UNKNOWN_KEY',
    })
  })
})

/** Asks OpenSSL whether a signature is that of our key. */
async function openssl(message: Uint8Array, signature: Uint8Array): Promise<Ended> {
  const [text, sig] = [join(stage.folder(), 'message'), join(stage.folder(), 'signature')]
  writeFileSync(text, message)
  writeFileSync(sig, signature)
  const key = ['-pubin', '-inkey', publicKeyIn(home)]
  const argv = ['pkeyutl', '-verify', ...key, '-rawin', '-in', text, '-sigfile', sig]
  return await finish(OPENSSL, argv, { user: SELF })
}

const VERIFIED = { code: 0, stdout: 'Signature Verified Successfully\n' }

/** The bytes that a DSSE signature covers. */
function pae(type: string, body: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `
  return Buffer.concat([Buffer.from(head), body])
}

describe.skipIf(noOpenssl)('OpenSSL', () => {
  it('verifies the signature of a receipt, and not over anything else', async () => {
    for (const receipt of await receipts()) {
      const { payload, signature } = JSON.parse(receipt) as Envelope
      const message = Buffer.from(canonicalize(JSON.stringify(payload)))
      const sig = Buffer.from(signature.sig, 'hex')
      expect(await openssl(message, sig)).toMatchObject(VERIFIED)
      const changed = await openssl(Buffer.concat([message, Buffer.from(' ')]), sig)
      expect(changed).toMatchObject({ code: 1 })
      expect(changed.stdout + changed.stderr).toContain('Signature Verification Failure')
    }
  })

  it('verifies the signature of an exported receipt', async () => {
    const [receipt = ''] = await receipts()
    const keys = [{ path: publicKeyIn(home) }]
    const envelope = exportReceipt({ receipt: Buffer.from(receipt), keys, signer })
    const { payload, payloadType, signatures } = JSON.parse(envelope) as {
      payload: string
      payloadType: string
      signatures: [{ sig: string }]
    }
    const body = Buffer.from(payload, 'base64')
    const sig = Buffer.from(signatures[0].sig, 'base64')
    expect(await openssl(pae(payloadType, body), sig)).toMatchObject(VERIFIED)
    expect(await openssl(body, sig)).toMatchObject({ code: 1 })
  })
})
