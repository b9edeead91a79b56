// SPDX-License-Identifier: Apache-2.0
// What `ambit verify --trust FOLDER` takes from a folder.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { trustOf } from '../../src/cli/trust.js'

let home = ''
let folder = ''
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'ambit-trust-'))
  folder = join(home, 'trust')
  mkdirSync(join(folder, 'folder'), { recursive: true })
  writeFileSync(join(home, 'key'), 'a key')
  writeFileSync(join(home, 'keys.json'), '{"keys":[]}')
  writeFileSync(join(folder, 'a.pub'), 'another key')
  writeFileSync(join(folder, '.hidden'), 'no key')
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

const read = async () => trustOf({ keys: [], ids: [], jwks: [], trust: [folder] })

it('takes keys and key sets, behind links too', async () => {
  symlinkSync(join(home, 'key'), join(folder, 'b.pub'))
  symlinkSync(join(home, 'keys.json'), join(folder, 'revoked.json'))
  expect(await read()).toEqual({
    keys: [{ path: join(folder, 'a.pub') }, { path: join(folder, 'b.pub') }],
    jwks: [Buffer.from('{"keys":[]}')],
  })
})

it.each([
  ['nothing', 'none', 'ERR_KEY_FILE_UNREADABLE'],
  ['a folder', '.', 'ERR_KEY_FILE_UNUSABLE'],
])('refuses a link to %s: a revocation may be meant', async (_, target, code) => {
  const link = join(folder, 'link')
  symlinkSync(join(home, target), link)
  await expect(read()).rejects.toMatchObject({ code })
  rmSync(link)
})
