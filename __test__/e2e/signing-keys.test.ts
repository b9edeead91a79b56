// SPDX-License-Identifier: Apache-2.0
// Runs that sign with a key under a passphrase, and with one that stays in a token.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  Signer,
  findHome,
  generateKey,
  generateOwnKey,
  ownKeys,
  revokeOwnKey,
  rotateOwnKey,
  run,
  trustedKeys,
  verify,
} from '../../dist/index.js'
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
    const { set } = await verify(good.receipt, { keys: [{ path: publicKey }] })
    expect(set.code).toBe('OK')
    const hidden = await signedRun(argv, passphrase)
    expect([hidden.code, hidden.answer['error']]).toMatchObject([122, REFUSED])
    const locked = await signedRun(['--signing-key', key], open)
    expect([locked.code, locked.answer['error']]).toMatchObject([
      125,
      { code: 'ERR_KEY_ENCRYPTED' },
    ])
  })

  it('does not pass the variable with the passphrase on, though the contract asks for it', async () => {
    const folder = stage.folder()
    const key = join(folder, 'k.pem')
    generateKey(key, join(folder, 'k.pub.pem'), { file: secret('correct horse') })
    const options = {
      policy: bytes(policyOf(['env'])),
      env: { ...process.env, AMBIT_HOME: stage.emptyHome(), AMBIT_PW: 'correct horse', OTHER: 'x' },
      signingKey: key,
      passphrase: { variable: 'AMBIT_PW' },
    }
    vi.stubEnv('AMBIT_PW', 'correct horse')
    const asked = (...env: string[]) => ({
      ...options,
      contract: bytes(contractOf([commandOf({ argv: ['env'], cwd: folder, read: [folder], env })])),
    })
    expect(Buffer.from((await run(asked('OTHER'))).stdout).toString()).toContain('OTHER=x')
    await expect(run(asked('AMBIT_PW'))).rejects.toMatchObject({ code: 'ERR_SANDBOX_PLAN_INVALID' })
    vi.unstubAllEnvs()
  })
})

describe.skipIf(noSandbox)('an own key', () => {
  it('that was rotated or revoked signs no run, wherever its file is', async () => {
    const home = findHome({ AMBIT_HOME: stage.emptyHome() })
    const start = Date.now() - 1000
    const { thumbprint } = generateOwnKey(home, new Date(start))
    rotateOwnKey(home, { now: new Date(start + 1) })
    const signingKey = join(home.keys, `${thumbprint}.pem`)
    const options = { ...echoing(), env: { AMBIT_HOME: home.folder } }
    const refused = { code: 'ERR_KEY_REVOKED' }
    await expect(run({ ...options, signingKey })).rejects.toMatchObject(refused)
    revokeOwnKey(home, { now: new Date(), keyId: thumbprint })
    await expect(run({ ...options, signingKey })).rejects.toMatchObject(refused)
    expect((await run(options)).exit_code).toBe(0)
  })

  it('that is rotated while a run goes on gives way to the next for the outcome', async () => {
    const home = findHome({ AMBIT_HOME: stage.emptyHome() })
    generateOwnKey(home, new Date(Date.now() - 1000))
    const onStdout = () => void rotateOwnKey(home, { now: new Date() })
    const { exit_code } = await run({
      ...echoing(),
      env: { AMBIT_HOME: home.folder },
      onStdout,
    })
    expect(exit_code).toBe(0)
    const jwks = trustedKeys(home).map((set) => set.jwks)
    const { receipts, set } = await verify(home.ledger, { jwks })
    expect(receipts.map((receipt) => receipt.verdict?.key_id)).toEqual(
      ownKeys(home).keys.map((own) => own.key.thumbprint),
    )
    expect(set).toMatchObject({ status: 'valid', counts: { receipts: 2, valid: 2 } })
  })
})

/** A contract that prints something, and its policy. */
function echoing() {
  const folder = stage.folder()
  const command = commandOf({ argv: ['echo', 'x'], cwd: folder, read: [folder] })
  return { contract: bytes(contractOf([command])), policy: bytes(policyOf(['echo'])) }
}

const bytes = (document: object) => Buffer.from(JSON.stringify(document))

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
    const { set } = await verify(good.receipt, { keys: [{ path: publicKey }] })
    expect(set.code).toBe('OK')
    expect(readFileSync(good.receipt, 'utf8')).not.toContain('1234"')
    const hidden = await signedRun(['--signing-key', uri], pin, env)
    expect([hidden.code, hidden.answer['error']]).toMatchObject([122, REFUSED])
    const withPin = () => new Signer(`${uri}&pin-value=1234`)
    expect(withPin).toThrow(expect.objectContaining({ code: 'ERR_KEY_URI' }))
  })
})
