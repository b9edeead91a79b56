// SPDX-License-Identifier: Apache-2.0
// `ambit keys`: what it makes, shows, changes and refuses.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Signer, findHome, signReceipt, trustedKeys, verifyReceipt } from '../../dist/index.js'
import { oneObject } from '../e2e/support/json.js'
import { Stage } from '../e2e/support/stage.js'

let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

interface Description {
  readonly thumbprint: string
  readonly issuer_id: string
  readonly hex: string
  readonly pem: string
}

interface Answer {
  readonly key: Description
  readonly keys: readonly {
    key: Description
    standing: string
    valid_until: string | null
    revoked_at: string | null
    reason: string | null
  }[]
  readonly trusted: readonly string[]
  readonly error?: { readonly code: string }
  readonly text: string
  readonly base64: string
  readonly file: string
}

/** Runs `ambit keys …` in a home; returns the exit code and the one object. */
async function keys(home: string, argv: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout } = await stage.ambit(['keys', ...argv, '--json'], { home, env })
  return { code, answer: oneObject(stdout) as unknown as Answer }
}

/** An empty home. */
const empty = (): string => join(stage.folder(), 'home')

/** A receipt by a private key file, dated now. */
function receiptBy(file: string): Uint8Array {
  const payload = { type: 'example:note', issued_at: new Date().toISOString() }
  return Buffer.from(signReceipt(JSON.stringify(payload), new Signer(file)))
}

async function codeIn(home: string, receipt: Uint8Array): Promise<string> {
  const sets = trustedKeys(findHome({ AMBIT_HOME: home }))
  const { code } = await verifyReceipt(receipt, { jwks: sets.map((set) => set.jwks) })
  return code
}

describe('ambit keys', () => {
  it('makes a key, rotates it, revokes it, and makes the next', async () => {
    const home = empty()
    const made = await keys(home, ['generate'])
    expect(made.code).toBe(0)
    const first = made.answer.key
    expect(first.issuer_id).toMatch(/^sb:issuer:[1-9A-HJ-NP-Za-km-z]{12}$/u)
    expect(await keys(home, ['generate'])).toMatchObject({
      code: 1,
      answer: { error: { code: 'ERR_KEY_FILE_EXISTS' } },
    })
    expect((await keys(home, ['show'])).answer.key).toEqual(first)
    const before = receiptBy(join(home, 'keys', 'default.pem'))
    expect(await codeIn(home, before)).toBe('OK')

    const second = (await keys(home, ['rotate'])).answer.key
    const list = await keys(home, ['list'])
    expect(list.answer.keys.map((own) => [own.key.thumbprint, own.standing])).toEqual([
      [first.thumbprint, 'retired'],
      [second.thumbprint, 'current'],
    ])
    expect(await codeIn(home, before)).toBe('OK')
    const old = join(home, 'keys', `${first.thumbprint}.pem`)
    expect(await codeIn(home, receiptBy(old))).toBe('KEY_OUTSIDE_WINDOW')
    expect(await codeIn(home, receiptBy(join(home, 'keys', 'default.pem')))).toBe('OK')

    const revoked = await keys(home, ['revoke', second.issuer_id, '--reason', 'stolen'])
    expect(revoked.answer.keys[1]).toMatchObject({ standing: 'revoked', reason: 'stolen' })
    const stolen = receiptBy(join(home, 'keys', `${second.thumbprint}.pem`))
    expect(await codeIn(home, stolen)).toBe('KEY_REVOKED')
    const again = await keys(home, ['rotate'])
    expect(again).toMatchObject({ code: 1, answer: { error: { code: 'ERR_KEY_REVOKED' } } })
    const third = (await keys(home, ['generate'])).answer.key
    expect((await keys(home, ['list'])).answer.keys.map((own) => own.key.thumbprint)).toEqual([
      first.thumbprint,
      second.thumbprint,
      third.thumbprint,
    ])
    const folder = join(home, 'keys')
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    const isPrivate = (name: string) => !name.endsWith('.pub.pem')
    for (const name of readdirSync(folder).filter(isPrivate)) {
      expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600])
    }
  })

  it('finds that the key log was changed', async () => {
    const home = empty()
    await keys(home, ['generate'])
    await keys(home, ['rotate', '--delete-old'])
    const log = join(home, 'keys', 'key-log.jsonl')
    const good = readFileSync(log, 'utf8')
    const [one = '', two = ''] = good.split('\n')
    for (const [text, want] of [
      [good, undefined],
      [`${two}\n`, 'ERR_KEY_LOG_GAP'],
      [`${one}\n${one}\n`, 'ERR_KEY_LOG_DUPLICATE'],
      [good.trimEnd(), 'ERR_KEY_LOG_TRUNCATED'],
      [good.replace(/"issued_at":"2/u, '"issued_at":"1'), 'ERR_KEY_LOG_SIGNATURE'],
    ] as const) {
      writeFileSync(log, text)
      const { code, answer } = await keys(home, ['list'])
      expect([code, answer.error?.code]).toEqual([want === undefined ? 0 : 5, want])
    }
  })

  it('encrypts private keys under a passphrase that OpenSSL takes too', async () => {
    const home = empty()
    const folder = stage.folder()
    const passphrase = join(folder, 'passphrase')
    writeFileSync(passphrase, 'correct horse\n', { mode: 0o600 })
    const made = await keys(home, ['generate', '--passphrase-file', passphrase])
    const file = join(home, 'keys', 'default.pem')
    expect(readFileSync(file, 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY')
    const openssl = ['pkey', '-in', file, '-passin', `file:${passphrase}`, '-pubout']
    expect(execFileSync('/usr/bin/openssl', openssl, { encoding: 'utf8' })).toBe(
      made.answer.key.pem,
    )
    for (const [argv, env, want] of [
      [[], {}, 'ERR_KEY_ENCRYPTED'],
      [['--passphrase-env', 'PW'], { PW: 'wrong' }, 'ERR_KEY_PASSPHRASE'],
      [['--passphrase-env', 'PW'], {}, 'ERR_KEY_PASSPHRASE'],
      [['--passphrase-env', 'PW'], { PW: 'correct horse' }, undefined],
    ] as const) {
      const { answer } = await keys(home, ['rotate', ...argv], env)
      expect(answer.error?.code).toBe(want)
    }
    chmodSync(passphrase, 0o644)
    const { answer } = await keys(home, ['rotate', '--passphrase-file', passphrase])
    expect(answer.error?.code).toBe('ERR_KEY_FILE_PERMISSIONS')
  })

  it('exports public keys in every form, and trusts those of others', async () => {
    const [theirs, ours] = [empty(), empty()]
    const { key } = (await keys(theirs, ['generate'])).answer
    const receipt = receiptBy(join(theirs, 'keys', 'default.pem'))
    expect(await codeIn(ours, receipt)).toBe('NO_KEY')
    const tryFormat = async (format: string) => {
      const { base64 } = (await keys(theirs, ['export', '--format', format])).answer
      const file = join(stage.folder(), `key.${format}`)
      writeFileSync(file, Buffer.from(base64, 'base64'))
      const home = empty()
      const trusted = await keys(home, ['trust', file, '--name', 'them'])
      const twice = await keys(home, ['trust', file, '--name', 'them'])
      const list = await keys(home, ['list'])
      const code = await codeIn(home, receipt)
      return [trusted.code, twice.answer.error?.code, list.answer.trusted, code]
    }
    const formats = ['pem', 'jwk', 'jwks', 'raw', 'hex']
    const found = await Promise.all(formats.map(tryFormat))
    const want = [0, 'ERR_KEY_FILE_EXISTS', ['them'], 'OK']
    expect(found).toEqual(formats.map(() => want))
    const secret = join(theirs, 'keys', 'default.pem')
    const refused = await keys(ours, ['trust', secret, '--name', 'secret'])
    expect(refused.answer.error?.code).toBe('ERR_KEY_FORM')
    const named = await keys(ours, ['trust', secret, '--name', '../x'])
    expect(named.answer.error?.code).toBe('ERR_KEY_NAME')
    expect(existsSync(join(ours, 'trust', 'secret.jwks.json'))).toBe(false)
    expect(key.hex).toHaveLength(64)
  })

  it('lets verify believe, without a key named, the own key and those that were trusted', async () => {
    const [theirs, ours] = [empty(), empty()]
    await keys(theirs, ['generate'])
    await keys(ours, ['generate'])
    const file = join(stage.folder(), 'receipt.json')
    writeFileSync(file, receiptBy(join(theirs, 'keys', 'default.pem')))
    const judge = async (home: string) => (await stage.ambit(['verify', file], { home })).code
    expect(await judge(theirs)).toBe(0)
    expect(await judge(ours)).toBe(5)
    await keys(ours, ['trust', join(theirs, 'keys', 'default.pub.pem'), '--name', 'them'])
    expect(await judge(ours)).toBe(0)
  })

  it('names what it cannot do', async () => {
    const home = empty()
    for (const [argv, code, want] of [
      [['rotate'], 1, 'ERR_KEY_MISSING'],
      [['revoke', 'x'], 1, 'ERR_KEY_MISSING'],
      [['show'], 1, 'ERR_KEY_FILE_UNREADABLE'],
      [['revoke', 'x', '--at', 'noon'], 64, 'ERR_CONFIG_USAGE'],
      [['trust', '/dev/null'], 1, 'ERR_KEY_FILE_UNUSABLE'],
    ] as const) {
      const got = await keys(home, argv)
      expect([argv, got.code, got.answer.error?.code]).toEqual([argv, code, want])
    }
    expect(existsSync(join(home, 'keys'))).toBe(false)
    await keys(home, ['generate'])
    const unknown = await keys(home, ['revoke', 'x'])
    expect([unknown.code, unknown.answer.error?.code]).toEqual([5, 'ERR_KEY_UNKNOWN'])
    const { thumbprint } = (await keys(home, ['show'])).answer.key
    const future = await keys(home, ['revoke', thumbprint, '--at', '2999-01-01T00:00:00Z'])
    expect([future.code, future.answer.error?.code]).toEqual([5, 'ERR_KEY_LOG_EVENT'])
  })
})
