// SPDX-License-Identifier: Apache-2.0
// An installation that lost files: no exit code that reads as an answer, and one JSON object still.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { oneObject } from '../e2e/support/json.js'
import { Stage } from '../e2e/support/stage.js'

let stage: Stage

beforeAll(() => {
  stage = new Stage()
  const dist = join(stage.installed.folder, 'node_modules/ambit/dist')
  for (const name of ['run.js', 'verify.js', 'check.js']) rmSync(join(dist, 'commands', name))
  rmSync(join(dist, 'fast-check.js'))
})

afterAll(() => stage.dispose())

const manifest = join(import.meta.dirname, '../../oclif.manifest.json')

// without the manifest, which every published package has, a command that is gone is unknown
it.skipIf(!existsSync(manifest)).each([
  ['verify', 2],
  ['run', 125],
  ['check', 1],
])('answers %s without its code with %i', async (command, code) => {
  const got = await stage.ambit([command, 'a', 'b', '--json'], { home: stage.emptyHome() })
  expect(got.code).toBe(code)
  expect(oneObject(got.stdout)).toMatchObject({ error: { code: 'ERR_INTERNAL' } })
})
