// SPDX-License-Identifier: Apache-2.0
// Signs receipts of every format that is read, whatever stands in them.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalize } from '../../../src/native.js'

/** A key that is published: trust it for nothing. */
export const TEST_KEY = testKey()

/** Signs a text; 64 bytes. */
export type Wrapped = (text: string) => Buffer

/** Puts a signature on a value of one format. */
export interface Sealer {
  readonly name: string
  /** A value that is right. */
  readonly sample: object
  readonly seal: (value: object, sign: Wrapped) => string
}

function testKey() {
  const file = join(import.meta.dirname, '../../vectors/receipts/acta/keys.json')
  const [key] = (JSON.parse(readFileSync(file, 'utf8')) as { keys: Record<string, string>[] }).keys
  const hex = key?.['public_key_hex'] ?? ''
  const x = Buffer.from(hex, 'hex').toString('base64url')
  return {
    hex,
    pem: key?.['pkcs8_pem'] ?? '',
    kid: key?.['kid_rfc7638'] ?? '',
    jwk: { kty: 'OKP', crv: 'Ed25519', x },
  }
}

function canonical(value: unknown): string {
  return canonicalize(JSON.stringify(value))
}

const { kid, hex } = TEST_KEY
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
const stream = { sha256: digest.slice(7), bytes: 0, truncated: false }
const ledger = {
  issued_at: '2026-05-31T22:00:00.000Z',
  issuer_id: kid,
  run_id: 'run_1',
  ledger_id: 'a'.repeat(32),
  seq: 2,
  previousReceiptHash: digest,
  contract_hash: digest,
  policy_hash: digest,
  mode: 'hardened',
}
const used = {
  approval_hash: digest,
  approval_id: 'a',
  approver_key_id: 'k',
  scope: 'single_execution',
}
const approval = {
  type: 'ambit:approval',
  approval_version: 'ambit.approval.v1',
  approval_id: 'a',
  issued_at: '2026-05-31T22:00:00Z',
  issuer_id: kid,
  not_before: '2026-05-31T22:00:00Z',
  expires_at: '2026-05-31T22:15:00Z',
  scope: 'time_window',
  mode: 'local',
}
const command = {
  id: 'a',
  argv_hash: digest,
  executable: '/bin/a',
  tier: 'full',
  termination: 'exited',
  exit_code: 0,
  signal: null,
  timed_out: false,
  limits_reached: [{ limit: 'pids', evidence: 'e' }],
  duration_ms: 1,
  user_us: 1,
  system_us: 1,
  max_rss_kib: 1,
  stdout: stream,
  stderr: stream,
}

/** Python's text of numbers that are plain integers is the RFC 8785 text, ASCII only. */
function python(value: unknown): string {
  return canonical(value).replaceAll(/[^\0-~]/gu, (one) =>
    [...Array(one.length).keys()]
      .map((at) => `\\u${one.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}

function hashOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const envelope = (payload: object, sign: Wrapped) =>
  JSON.stringify({
    payload,
    signature: { alg: 'EdDSA', kid, sig: sign(canonical(payload)).toString('hex') },
  })

const flat = (value: object, sign: Wrapped) =>
  JSON.stringify({ ...value, signature: sign(canonical(value)).toString('hex') })

/** A sealer for each format. */
export const sealers: readonly Sealer[] = [
  {
    name: 'ambit:decision',
    sample: {
      type: 'ambit:decision',
      ...ledger,
      decision: 'allow',
      reason_codes: ['A', 'B'],
      contract_id: 'c',
      policy_name: 'p',
      classified_effects: [{ command_id: 'a', effect_type: 'none' }],
      approvals: [used],
    },
    seal: envelope,
  },
  {
    name: 'ambit:execution',
    sample: {
      type: 'ambit:execution',
      ...ledger,
      decision_hash: digest,
      status: 'success',
      commands: [{ ...command, piped_into: [{ argv_hash: digest, executable: '/bin/b' }] }],
      enforcement: { tier: 'full', mechanisms: { landlock: { state: 'enforced' } } },
      scope: {
        declared: [
          { command_id: 'a', read_paths: ['/a'], write_paths: [], network: 'deny', env_names: [] },
        ],
        granted: [],
        observed: [{ command_id: 'a', executable: '/bin/a', executable_hash: digest }],
        truncated: false,
      },
      artifacts: [{ path: '/a', sha256: digest.slice(7), bytes: 0 }],
      artifacts_truncated: false,
      approvals: [used, { approval_hash: digest, approver_key_id: 'k' }],
      actor: { agent_id: 'a', session_id: 's' },
      nonce: 'n',
      audience: 'a',
      csc_receipt_hash: digest,
      error: { code: 'E', message: '' },
    },
    seal: envelope,
  },
  {
    name: 'ambit:approval of a contract',
    sample: { ...approval, bind: 'contract', contract_hash: digest, policy_hash: digest },
    seal: envelope,
  },
  {
    name: 'ambit:approval of an action',
    sample: { ...approval, bind: 'action', action_hash: digest, ledger_id: 'l', reason: '' },
    seal: envelope,
  },
  {
    name: 'protectmcp:decision',
    sample: {
      type: 'protectmcp:decision',
      tool_name: 't',
      decision: 'allow',
      issued_at: '2026-05-31T22:00:00Z',
      issuer_id: kid,
      policy_digest: digest,
      previousReceiptHash: digest.slice(7),
    },
    seal: envelope,
  },
  {
    name: "the draft's envelope, the skill's payload",
    sample: {
      type: 'sb-runtime:decision',
      action: 'a',
      decision: 'allow',
      issued_at: '2026-05-31T22:00:00Z',
      issuer_id: kid,
    },
    seal: envelope,
  },
  {
    name: 'agt-skill',
    sample: {
      type: 'sb-runtime:decision',
      decision: 'allow',
      sandbox_backend: 'nono',
      policy_id: '',
      policy_digest: '',
      issuer_id: 'x',
      issued_at: '2026-05-31T22:00:00Z',
      action: { b: 'é', a: 1 },
    },
    seal: (payload, sign) => {
      const sig = sign(python(payload)).toString('base64url')
      return JSON.stringify({ payload, signature: { alg: 'EdDSA', kid, sig } })
    },
  },
  {
    name: 'agt-bilateral',
    sample: {
      payload: {
        type: 'sb-runtime:decision',
        decision: 'allow',
        phase: 'authorization',
        issued_at: '2026-05-31T22:00:00Z',
      },
      authorization: {},
      bilateral: true,
      result: { sealed_at: '2026-05-31T22:00:01Z', data: { é: 1 } },
    },
    seal: (value, sign) => {
      const given: Readonly<Record<string, unknown>> = { ...value }
      const { payload = {}, authorization, bilateral, result, ...others } = given
      const sig = sign(python(payload)).toString('base64url')
      const hash = hashOf(python(payload))
      const data =
        typeof result === 'object' && result !== null && 'data' in result ? result.data : 1
      const sealed = {
        hash: hashOf(python(data)),
        sig: sign(`${hash}:${hashOf(python(data))}`).toString('base64url'),
      }
      return JSON.stringify({
        ...others,
        payload,
        signature: { alg: 'EdDSA', kid, sig },
        authorization: isPlain(authorization) ? { hash, sig, ...authorization } : authorization,
        bilateral,
        result: isPlain(result) ? { ...sealed, ...result } : result,
      })
    },
  },
  {
    name: 'csc',
    sample: {
      receipt_version: 'csc.receipt.v0.1',
      contract_id: 'c',
      execution_id: 'e',
      contract_sha256: digest.slice(7),
      status: 'success',
      started_at: '2026-05-31T22:00:00Z',
      ended_at: '2026-05-31T22:00:00Z',
      policy_profile: 'p',
      exit_code: 0,
      stdout_hash: digest,
      stderr_hash: digest,
      artifacts: [{ path: '/a', sha256: digest.slice(7) }],
      signing_key_id: 'k',
      effect_summary: { files_written: 0 },
      completed_command_ids: ['a', 'b'],
      error: '',
    },
    seal: (receipt, sign) => {
      const unsigned = { algorithm: 'ed25519', key_id: 'k', signed_at: '2026-05-31T22:00:00Z' }
      const signature = sign(canonical({ ...receipt, signature: unsigned })).toString('base64')
      return JSON.stringify({ ...receipt, signature: { ...unsigned, signature } })
    },
  },
  {
    name: 'flat-v1',
    sample: {
      type: 'decision',
      v: 1,
      kid: 'k',
      issuer_id: 'k',
      issued_at: '2026-05-31T22:00:00Z',
      algorithm: 'ed25519',
    },
    seal: flat,
  },
  {
    name: 'v2',
    sample: {
      v: 2,
      type: 't',
      algorithm: 'ed25519',
      kid: 'k',
      issuer: 'i',
      issued_at: '2026-05-31T22:00:00Z',
      payload: { a: [1] },
    },
    seal: flat,
  },
  {
    name: 'sb-runtime',
    sample: {
      type: 'scopeblind.receipt.v1',
      decision: 'allow',
      action: { kind: 'exec', target: 'ls' },
      policy_id: null,
      sequence: 1,
      prev_hash: 'genesis',
      timestamp: '2026-05-31T22:00:00Z',
      context: { a: 1 },
    },
    seal: (payload, sign) =>
      JSON.stringify({ payload, signature: sign(canonical(payload)).toString('hex'), pubkey: hex }),
  },
]
