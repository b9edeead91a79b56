// SPDX-License-Identifier: Apache-2.0
// What this version reads and cannot enforce stops a run before anything starts.
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AmbitError, generateKey, run } from '../../src/index.js'
import { ambitPolicy, command, contract } from '../policy/support.js'

const PTY = { allow_features: ['pty'], allowed_read_prefixes: ['/'] }

let top = ''

beforeAll(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'ambit-unenforced-')))
  mkdirSync(join(top, 'keys'), { mode: 0o700 })
  mkdirSync(join(top, 'work'))
  generateKey(join(top, 'keys/default.pem'), join(top, 'keys/default.pub.pem'))
})

afterAll(() => {
  rmSync(top, { recursive: true, force: true })
})

async function failureOf(changes: object, rules: object): Promise<readonly [string, string]> {
  const work = join(top, 'work')
  const exec = { argv: ['/usr/bin/touch', join(work, 'ran')] }
  const scope = { cwd: work, write_paths: [work], exec }
  const commands = [command({ ...scope, ...changes })]
  const prefixes = {
    allow_commands: ['/usr/bin/touch'],
    allowed_cwd_prefixes: [work],
    allowed_read_prefixes: [work],
    allowed_write_prefixes: [work],
  }
  try {
    await run({
      contract: Buffer.from(JSON.stringify(contract({ version: 'ambit.contract.v1', commands }))),
      policy: Buffer.from(JSON.stringify(ambitPolicy({ ...prefixes, ...rules }))),
      env: { AMBIT_HOME: top },
    })
    return ['it ran', '']
  } catch (error) {
    if (!(error instanceof AmbitError)) throw error
    return [error.code, error.message]
  }
}

it.each<[string, object, object]>([
  ['`write_mode`', { write_mode: 'overlay' }, {}],
  ['`pty`', { pty: true, stdin: { file: '/usr/bin/env' }, read_paths: ['/usr'] }, PTY],
])('%s stops a run that the policy allows', async (word, changes, rules) => {
  const [code, message] = await failureOf(changes, rules)
  expect(code).toBe('ERR_SANDBOX_UNSUPPORTED')
  expect(message).toContain(word)
  expect(existsSync(join(top, 'work/ran'))).toBe(false)
})
