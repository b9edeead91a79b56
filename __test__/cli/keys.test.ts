// SPDX-License-Identifier: Apache-2.0
// `ambit keys`: flags, exit codes and what is printed. What the commands do is tested in
// `__test__/api/own-keys.test.ts`.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Signer, findHome, generateOwnKey, signReceipt } from '../../dist/index.js'
import { oneObject } from '../e2e/support/json.js'
import { Stage } from '../e2e/support/stage.js'

let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

interface Answer {
  readonly key: { readonly thumbprint: string; readonly hex: string }
  readonly keys: readonly { key: { thumbprint: string }; standing: string }[]
  readonly trusted: readonly string[]
  readonly error?: { readonly code: string }
  readonly text: string
  readonly base64: string
}

/** Runs `ambit keys …` in a home; returns the exit code and the one object. */
async function keys(home: string, argv: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout } = await stage.ambit(['keys', ...argv, '--json'], { home, env })
  return { code, answer: oneObject(stdout) as unknown as Answer }
}

/** An empty home. */
const empty = (): string => join(stage.folder(), 'home')

describe('ambit keys', () => {
  it('makes, shows, rotates, revokes and lists', async () => {
    const home = empty()
    const env = { PW: 'correct horse' }
    const secret = ['--passphrase-env', 'PW']
    const made = await keys(home, ['generate', ...secret], env)
    const shown = await keys(home, ['show'])
    expect([made.code, shown.answer.key]).toEqual([0, made.answer.key])
    const rotated = await keys(home, ['rotate', '--delete-old', ...secret], env)
    const [first, second] = [made.answer.key.thumbprint, rotated.answer.key.thumbprint]
    expect(existsSync(join(home, 'keys', `${first}.pem`))).toBe(false)
    const revoked = await keys(home, ['revoke', second, '--reason', 'stolen', ...secret], env)
    const { answer } = await keys(home, ['list'])
    expect(answer.keys).toEqual(revoked.answer.keys)
    expect(answer.keys.map((own) => [own.key.thumbprint, own.standing])).toEqual([
      [first, 'retired'],
      [second, 'revoked'],
    ])
  })

  it('lets verify believe, without a key named, whose log is followed from its first key', async () => {
    const [theirs, ours] = [empty(), empty()]
    const made = await keys(theirs, ['generate'])
    const signer = new Signer(join(theirs, 'keys', 'default.pem'))
    const payload = { type: 'example:note', issued_at: new Date().toISOString() }
    const folder = stage.folder()
    const [file, log, root] = ['receipt.json', 'log.jsonl', 'root.hex'].map((name) =>
      join(folder, name),
    )
    writeFileSync(file ?? '', signReceipt(JSON.stringify(payload), signer))
    writeFileSync(root ?? '', made.answer.key.hex)
    const { text } = (await keys(theirs, ['export', '--format', 'log'])).answer
    writeFileSync(log ?? '', text)
    generateOwnKey(findHome({ AMBIT_HOME: ours }), new Date())
    const judge = async () => (await stage.ambit(['verify', file ?? ''], { home: ours })).code
    expect(await judge()).toBe(5)
    const trust = ['trust', log ?? '', '--name', 'them']
    const unknown = await keys(ours, trust)
    expect([unknown.code, unknown.answer.error?.code]).toEqual([5, 'ERR_KEY_LOG_ROOT'])
    expect((await keys(ours, [...trust, '--root', root ?? ''])).code).toBe(0)
    expect(await judge()).toBe(0)
  })

  it('names what it cannot do', async () => {
    const home = empty()
    const judge = async ([argv, code, want]: readonly [string[], number, string]) => {
      const got = await keys(home, argv)
      expect([argv, got.code, got.answer.error?.code]).toEqual([argv, code, want])
    }
    const table = [
      [['rotate'], 1, 'ERR_KEY_MISSING'],
      [['export', '--format', 'log'], 1, 'ERR_KEY_MISSING'],
      [['show'], 1, 'ERR_KEY_FILE_UNREADABLE'],
      [['revoke', 'x', '--at', '2026-02-30T00:00:00Z'], 64, 'ERR_CONFIG_USAGE'],
      [['trust', '/dev/null'], 1, 'ERR_KEY_FILE_UNUSABLE'],
    ] as const
    await Promise.all(table.map(async ([argv, ...rest]) => await judge([[...argv], ...rest])))
    expect(existsSync(join(home, 'keys'))).toBe(false)
    const { thumbprint } = generateOwnKey(findHome({ AMBIT_HOME: home }), new Date())
    await judge([['revoke', 'x'], 5, 'ERR_KEY_UNKNOWN'])
    await judge([['revoke', `-${'x'.repeat(42)}`, '--reason', 'lost'], 5, 'ERR_KEY_UNKNOWN'])
    const future = ['revoke', thumbprint, '--at', '2999-01-01T00:00:00Z']
    await judge([future, 5, 'ERR_KEY_LOG_EVENT'])
  })
})
