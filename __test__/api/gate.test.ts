// SPDX-License-Identifier: Apache-2.0
// The production-readiness gate: each point, held and not, and the document about it.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  GATE_POINTS,
  type GateName,
  type GateOptions,
  Ledger,
  Signer,
  findHome,
  gate,
  generateKey,
  probe,
} from '../../src/index.js'
import { ambitPolicy } from '../policy/support.js'

const TMPFS = 0x01021994
const top = realpathSync(mkdtempSync(join(tmpdir(), 'ambit-gate-')))
const home = findHome({ AMBIT_HOME: join(top, 'home') })
const [policy, checkpoint, secret] = ['policy.yaml', 'checkpoint', 'passphrase'].map((name) =>
  join(top, name),
) as [string, string, string]
const good: GateOptions = {
  env: { AMBIT_HOME: home.folder },
  policies: [policy],
  checkpoint,
  passphrase: { file: secret },
  now: () => new Date('2040-01-01T00:00:00Z'),
}

beforeAll(async () => {
  mkdirSync(home.folder, { mode: 0o700 })
  mkdirSync(home.keys, { mode: 0o700 })
  writeFileSync(secret, 'correct-horse\n', { mode: 0o600 })
  writeFileSync(policy, JSON.stringify(ambitPolicy()))
  generateKey(home.signingKey, home.publicKey, { file: secret })
  const signer = new Signer({ folder: home.keys }, { file: secret })
  using ledger = new Ledger(home.ledger)
  await ledger.append(signer, {
    phase: 'refusal',
    runId: 'r',
    createdAtMs: Date.UTC(2030, 0, 1),
    payload: JSON.stringify(PAYLOAD),
  })
  writeFileSync(checkpoint, (await ledger.checkpoint(signer)).note)
})

afterAll(() => rmSync(top, { recursive: true, force: true }))

const HASH = `sha256:${'ab'.repeat(32)}`
const PAYLOAD = {
  type: 'ambit:decision',
  issued_at: '2030-01-01T00:00:00.000Z',
  run_id: 'r',
  mode: 'hardened',
  decision: 'deny',
  reason_codes: ['COMMAND_NOT_ALLOWED'],
  contract_id: 'c',
  contract_hash: HASH,
  policy_name: 'p',
  policy_hash: HASH,
  classified_effects: [],
}

/** The points that do not hold. */
async function openPoints(changes: Partial<GateOptions> = {}): Promise<readonly string[]> {
  const { points, ok } = await gate({ ...good, ...changes })
  const open = points.filter((point) => !point.ok).map(({ name }) => name)
  expect(ok).toBe(open.length === 0)
  expect(points.map(({ name }) => name)).toEqual(Object.keys(GATE_POINTS))
  return open
}

/** What this machine itself does not have. */
async function lacking(): Promise<readonly GateName[]> {
  const { tier } = await probe()
  return [
    ...(tier === 'full' ? [] : (['sandbox'] as const)),
    ...(statfsSync(top).type === TMPFS ? (['ledger-place'] as const) : []),
  ]
}

describe('the gate', () => {
  it('holds where everything is as it should be, and leaves no file of its own', async () => {
    expect(await openPoints()).toEqual(await lacking())
    expect(readdirSync(home.ledger).filter((name) => name.startsWith('gate-'))).toEqual([])
  })

  const other = join(top, 'other')
  const expired = { expires_at: '2026-01-01T00:00:00Z' }
  it.each<[string, GateName, () => Partial<GateOptions>]>([
    ['an old Node', 'node', () => ({ node: '20.18.9' })],
    ['no checkpoint', 'checkpoint', () => ({ checkpoint: join(top, 'none') })],
    ['no policy', 'policies', () => ({ policies: [] })],
    ['a wrong passphrase', 'signing-key', () => ({ passphrase: { file: policy } })],
    ['a clock before the ledger', 'clock', () => ({ now: () => new Date('2029-01-01T00:00:00Z') })],
    [
      'a policy that is not valid',
      'policies',
      () => {
        writeFileSync(other, 'name: x\n')
        return { policies: [policy, other] }
      },
    ],
    [
      'a policy that has expired',
      'policies',
      () => {
        writeFileSync(other, JSON.stringify(ambitPolicy(expired)))
        return { policies: [other] }
      },
    ],
  ])('does not hold with %s', async (_, name, changesOf) => {
    expect(await openPoints(changesOf())).toEqual([...(await lacking()), name].toSorted(byOrder))
  })

  it('does not hold with a folder that others can enter, or a key that they can read', async () => {
    chmodSync(home.folder, 0o755)
    expect(await openPoints()).toContain('home')
    chmodSync(home.folder, 0o700)
    chmodSync(home.signingKey, 0o640)
    expect(await openPoints()).toContain('signing-key')
    chmodSync(home.signingKey, 0o600)
  })

  it('does not hold with a key in the clear, or through a link', async () => {
    const env = { AMBIT_HOME: join(top, 'clear') }
    const clear = findHome(env)
    mkdirSync(clear.keys, { recursive: true, mode: 0o700 })
    generateKey(clear.signingKey, clear.publicKey)
    const open = await openPoints({ env })
    expect(open).toContain('key-protection')
    expect(open).not.toContain('signing-key')
    copyFileSync(clear.signingKey, join(top, 'moved'))
    rmSync(clear.signingKey)
    symlinkSync(join(top, 'moved'), clear.signingKey)
    expect(await openPoints({ env })).toContain('signing-key')
  })

  it('holds in nothing that is not there but what is of the machine', async () => {
    const open = await openPoints({ env: { AMBIT_HOME: join(top, 'nothing') } })
    const machine = Object.keys(GATE_POINTS).filter((name) => !open.includes(name))
    expect(
      machine.filter((name) => !['node', 'sandbox', 'trust', 'policies'].includes(name)),
    ).toEqual([])
  })
})

const ORDER = Object.keys(GATE_POINTS)
const byOrder = (one: string, two: string): number => ORDER.indexOf(one) - ORDER.indexOf(two)

it('docs/production-readiness.md has each point with its words', () => {
  const path = join(import.meta.dirname, '../../docs/production-readiness.md')
  const rows = readFileSync(path, 'utf8').matchAll(/^\| `([\w-]+)` +\| (.+?) +\|$/gmu)
  expect([...rows].map(([, name, words]) => [name, words])).toEqual(Object.entries(GATE_POINTS))
})
