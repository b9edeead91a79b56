// SPDX-License-Identifier: Apache-2.0
// Runs that sign with a key under a passphrase, and with one that stays in a token.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKey, verifyReceipt } from '../../dist/index.js'
import { commandOf, contractOf, policyOf, writeDocuments } from './support/documents.js'
import { oneObject } from './support/json.js'
import { Stage, withoutPrograms, withoutSandbox } from './support/stage.js'

/** What lies in what must stay hidden is not granted. */
const REFUSED = { code: 'ERR_SANDBOX_PATH_REFUSED' }
const MODULE = '/usr/lib/softhsm/libsofthsm2.so'
const noSandbox = await withoutSandbox()
const noToken = noSandbox || withoutPrograms('/usr/bin/softhsm2-util')
let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

/** Runs `cat` on a file and returns how the run ended, and the csc receipt's file. */
async function signedRun(argv: readonly string[], file: string, env: Record<string, string> = {}) {
  const folder = stage.folder()
  const command = commandOf({ argv: ['cat', file], cwd: folder, read: [folder, file] })
  const documents = writeDocuments(folder, contractOf([command]), policyOf(['cat']))
  const receipt = join(folder, 'receipt.json')
  const ended = await stage.ambit(
    ['run', documents.contract, documents.policy, ...argv, '--receipt-out', receipt, '--json'],
    { home: stage.emptyHome(), env },
  )
  return { code: ended.code, answer: oneObject(ended.stdout), receipt }
}

/** A file for its owner only. */
function secret(text: string): string {
  const path = join(stage.folder(), 'secret')
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

describe.skipIf(noSandbox)('a key under a passphrase', () => {
  it('signs a run whose command sees no passphrase', async () => {
    const folder = stage.folder()
    const [key, publicKey] = [join(folder, 'k.pem'), join(folder, 'k.pub.pem')]
    const [passphrase, open] = [secret('correct horse\n'), secret('no secret')]
    generateKey(key, publicKey, { file: passphrase })
    const argv = ['--signing-key', key, '--passphrase-file', passphrase]
    const good = await signedRun(argv, open)
    expect(good.code).toBe(0)
    const { code } = await verifyReceipt(readFileSync(good.receipt), {
      keys: [{ path: publicKey }],
    })
    expect(code).toBe('OK')
    const hidden = await signedRun(argv, passphrase)
    expect([hidden.code, hidden.answer['error']]).toMatchObject([122, REFUSED])
    const locked = await signedRun(['--signing-key', key], open)
    expect([locked.code, locked.answer['error']]).toMatchObject([
      125,
      { code: 'ERR_KEY_ENCRYPTED' },
    ])
  })
})

describe.skipIf(noToken)('a key in a token', () => {
  it('signs a run whose command sees no PIN', async () => {
    const folder = stage.folder()
    mkdirSync(join(folder, 'tokens'))
    const config = join(folder, 'softhsm2.conf')
    writeFileSync(config, `directories.tokendir = ${join(folder, 'tokens')}\n`)
    const env = { SOFTHSM2_CONF: config }
    const [key, publicKey] = [join(folder, 'k.pem'), join(folder, 'k.pub.pem')]
    generateKey(key, publicKey)
    const [pin, open] = [secret('1234'), secret('no secret')]
    const softhsm = (...argv: string[]) => {
      execFileSync('/usr/bin/softhsm2-util', argv, { env, stdio: 'pipe' })
    }
    softhsm('--init-token', '--free', '--label', 'ops', '--so-pin', '12345678', '--pin', '1234')
    softhsm('--import', key, '--token', 'ops', '--label', 'k', '--id', '01', '--pin', '1234')
    const uri = `pkcs11:token=ops;object=k?module-path=${MODULE}&pin-source=file:${pin}`
    const good = await signedRun(['--signing-key', uri], open, env)
    expect(good.code).toBe(0)
    const { code } = await verifyReceipt(readFileSync(good.receipt), {
      keys: [{ path: publicKey }],
    })
    expect(code).toBe('OK')
    expect(readFileSync(good.receipt, 'utf8')).not.toContain('1234"')
    const hidden = await signedRun(['--signing-key', uri], pin, env)
    expect([hidden.code, hidden.answer['error']]).toMatchObject([122, REFUSED])
    const withPin = await signedRun(['--signing-key', `${uri}&pin-value=1234`], open, env)
    expect([withPin.code, withPin.answer['error']]).toMatchObject([125, { code: 'ERR_KEY_URI' }])
  })
})
