// SPDX-License-Identifier: Apache-2.0
// Own keys, their log, and the keys of others that are trusted, without a process for each step.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type Home,
  Signer,
  findHome,
  generateOwnKey,
  ownKeyLog,
  ownKeys,
  revokeOwnKey,
  rotateOwnKey,
  signReceipt,
  trustKeys,
  trustedKeys,
  verifyReceipt,
} from '../../dist/index.js'

const top = mkdtempSync(join(tmpdir(), 'ambit-own-keys-'))
let homes = 0

afterAll(() => {
  rmSync(top, { recursive: true, force: true })
})

/** A home without keys. */
function empty(): Home {
  homes += 1
  return findHome({ AMBIT_HOME: join(top, `home${homes}`) })
}

/** A receipt by a private key file, dated now. */
function receiptBy(file: string): Uint8Array {
  const payload = { type: 'example:note', issued_at: new Date().toISOString() }
  return Buffer.from(signReceipt(JSON.stringify(payload), new Signer(file)))
}

async function codeIn(home: Home, receipt: Uint8Array): Promise<string> {
  const jwks = trustedKeys(home).map((set) => set.jwks)
  return (await verifyReceipt(receipt, { jwks })).code
}

/** Returns the code of what is thrown, if anything is. */
function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

const standings = (home: Home) =>
  ownKeys(home).keys.map((own) => [own.key.thumbprint, own.standing])

const written = (name: string, bytes: Uint8Array | string): string => {
  const file = join(top, name)
  writeFileSync(file, bytes)
  return file
}

describe('own keys', () => {
  it('are made, rotated, revoked and made again', async () => {
    const home = empty()
    const first = generateOwnKey(home, new Date())
    expect(first.issuer_id).toMatch(/^sb:issuer:[1-9A-HJ-NP-Za-km-z]{12}$/u)
    expect(codeOf(() => generateOwnKey(home, new Date()))).toBe('ERR_KEY_FILE_EXISTS')
    const before = receiptBy(home.signingKey)
    expect(await codeIn(home, before)).toBe('OK')

    const second = rotateOwnKey(home, { now: new Date(Date.now() + 1) })
    expect(standings(home)).toEqual([
      [first.thumbprint, 'retired'],
      [second.thumbprint, 'current'],
    ])
    expect(await codeIn(home, before)).toBe('OK')
    const late = new Date(Date.now() + 5)
    while (new Date() < late);
    const old = join(home.keys, `${first.thumbprint}.pem`)
    expect(await codeIn(home, receiptBy(old))).toBe('KEY_OUTSIDE_WINDOW')
    expect(await codeIn(home, receiptBy(home.signingKey))).toBe('OK')

    const stolen = { now: new Date(), keyId: second.issuer_id, reason: 'stolen' }
    const revoked = revokeOwnKey(home, stolen)
    expect(revoked.keys[1]).toMatchObject({ standing: 'revoked', reason: 'stolen' })
    const by = join(home.keys, `${second.thumbprint}.pem`)
    expect(await codeIn(home, receiptBy(by))).toBe('KEY_REVOKED')
    expect(codeOf(() => rotateOwnKey(home, { now: new Date() }))).toBe('ERR_KEY_REVOKED')
    const third = generateOwnKey(home, new Date())
    expect(standings(home).map(([id]) => id)).toEqual([
      first.thumbprint,
      second.thumbprint,
      third.thumbprint,
    ])
    expect(statSync(home.keys).mode & 0o777).toBe(0o700)
    const isPrivate = (name: string) => !name.endsWith('.pub.pem')
    for (const name of readdirSync(home.keys).filter(isPrivate)) {
      expect([name, statSync(join(home.keys, name)).mode & 0o777]).toEqual([name, 0o600])
    }
  })

  it('are dated when the folder was free, not when that was asked for', async () => {
    const home = empty()
    generateOwnKey(home)
    const freed = join(top, 'freed')
    const script = 'echo held; sleep 0.2; date +%s%3N > "$0"'
    const lock = join(home.keys, '.lock')
    const holder = spawn('/usr/bin/flock', [lock, '/bin/sh', '-c', script, freed])
    await once(holder.stdout, 'data')
    rotateOwnKey(home)
    const from = ownKeys(home).keys[1]?.valid_from ?? ''
    expect(new Date(from).getTime()).toBeGreaterThanOrEqual(Number(readFileSync(freed, 'utf8')))
  })

  it('are not believed after a change of their log', () => {
    const home = empty()
    generateOwnKey(home, new Date(Date.now() - 10))
    rotateOwnKey(home, { now: new Date(), deleteOld: true })
    const log = join(home.keys, 'key-log.jsonl')
    const good = ownKeyLog(home)
    const [one = '', two = ''] = good.split('\n')
    for (const [text, want] of [
      [good, undefined],
      [`${two}\n`, 'ERR_KEY_LOG_GAP'],
      [`${one}\n${one}\n`, 'ERR_KEY_LOG_DUPLICATE'],
      [good.trimEnd(), 'ERR_KEY_LOG_TRUNCATED'],
      [good.replace(/"issued_at":"2/u, '"issued_at":"1'), 'ERR_KEY_LOG_SIGNATURE'],
    ] as const) {
      writeFileSync(log, text)
      expect(codeOf(() => ownKeys(home))).toBe(want)
      expect(codeOf(() => ownKeyLog(home))).toBe(want)
    }
  })

  it('are encrypted under a passphrase that OpenSSL takes too', () => {
    const home = empty()
    const file = written('passphrase', 'correct horse\n')
    chmodSync(file, 0o600)
    const { pem } = generateOwnKey(home, new Date(), { file })
    expect(readFileSync(home.signingKey, 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY')
    const openssl = ['pkey', '-in', home.signingKey, '-passin', `file:${file}`, '-pubout']
    expect(execFileSync('/usr/bin/openssl', openssl, { encoding: 'utf8' })).toBe(pem)
    const wrong = written('wrong', 'wrong')
    chmodSync(wrong, 0o600)
    const late = new Date(Date.now() + 1000)
    for (const [secret, want] of [
      [{}, 'ERR_KEY_ENCRYPTED'],
      [{ file: wrong }, 'ERR_KEY_PASSPHRASE'],
      [{ variable: 'AMBIT_NOT_SET' }, 'ERR_KEY_PASSPHRASE'],
      [{ file }, undefined],
    ] as const) {
      expect(codeOf(() => rotateOwnKey(home, { now: late, secret }))).toBe(want)
    }
    chmodSync(file, 0o644)
    const rotate = () => rotateOwnKey(home, { now: late, secret: { file } })
    expect(codeOf(rotate)).toBe('ERR_KEY_FILE_PERMISSIONS')
  })
})

describe('keys of others', () => {
  it('are trusted in every public form and no private one', async () => {
    const [theirs, ours] = [empty(), empty()]
    const key = generateOwnKey(theirs, new Date())
    const receipt = receiptBy(theirs.signingKey)
    expect(await codeIn(ours, receipt)).toBe('NO_KEY')
    for (const [form, bytes] of Object.entries({
      pem: key.pem,
      jwk: JSON.stringify(key.jwk),
      jwks: ownKeys(theirs).jwks,
      raw: Buffer.from(key.hex, 'hex'),
      hex: key.hex,
    })) {
      const home = empty()
      const file = written(`key.${form}`, bytes)
      const trust = () => trustKeys(home, file, { name: 'them' })
      trust()
      expect([form, codeOf(trust)]).toEqual([form, 'ERR_KEY_FILE_EXISTS'])
      expect(trustedKeys(home).map((set) => set.name)).toEqual(['them'])
      expect(await codeIn(home, receipt)).toBe('OK')
    }
    const trustSecret = (name: string) => () => trustKeys(ours, theirs.signingKey, { name })
    expect(codeOf(trustSecret('secret'))).toBe('ERR_KEY_FORM')
    expect(codeOf(trustSecret('../x'))).toBe('ERR_KEY_NAME')
    expect(trustedKeys(ours)).toEqual([])
  })

  it('keep the window that a single JWK gives itself', async () => {
    const [theirs, ours] = [empty(), empty()]
    const { jwk } = generateOwnKey(theirs, new Date())
    const receipt = receiptBy(theirs.signingKey)
    const revoked = { ...jwk, revoked_at: '2026-01-01T00:00:00Z' }
    const path = written('revoked.jwk', JSON.stringify(revoked))
    trustKeys(ours, path, { name: 'them' })
    expect(await codeIn(ours, receipt)).toBe('KEY_REVOKED')
    expect((await verifyReceipt(receipt, { keys: [{ path }] })).code).toBe('KEY_REVOKED')
  })

  it('are followed by their log from its first key, and only forward', async () => {
    const [theirs, ours] = [empty(), empty()]
    const start = Date.now() - 1000
    const root = written('root.pem', generateOwnKey(theirs, new Date(start)).pem)
    const short = written('short.jsonl', ownKeyLog(theirs))
    const name = 'them'
    expect(codeOf(() => trustKeys(ours, short, { name }))).toBe('ERR_KEY_LOG_ROOT')
    trustKeys(ours, short, { name, roots: [root] })
    const second = rotateOwnKey(theirs, { now: new Date(start + 1) })
    const receipt = receiptBy(theirs.signingKey)
    expect(await codeIn(ours, receipt)).toBe('UNKNOWN_KEY')
    const long = written('long.jsonl', ownKeyLog(theirs))
    trustKeys(ours, long, { name })
    expect(await codeIn(ours, receipt)).toBe('OK')
    expect(codeOf(() => trustKeys(ours, short, { name }))).toBe('ERR_KEY_LOG_ROLLED_BACK')
    const [now, at] = [new Date(), new Date(start + 2)]
    revokeOwnKey(theirs, { now, at, keyId: second.thumbprint })
    trustKeys(ours, written('revoked.jsonl', ownKeyLog(theirs)), { name })
    expect(await codeIn(ours, receipt)).toBe('KEY_REVOKED')
  })

  it('are not believed in a folder that others can write', () => {
    const home = empty()
    const file = written('one.hex', generateOwnKey(empty(), new Date()).hex)
    trustKeys(home, file, { name: 'one' })
    chmodSync(home.trust, 0o777)
    expect(codeOf(() => trustedKeys(home))).toBe('ERR_KEY_FILE_PERMISSIONS')
  })
})
