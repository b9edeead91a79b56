// SPDX-License-Identifier: Apache-2.0
// The examples of docs/sandbox-api.md print what stands below them.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../e2e/support/installed.js'
import { finish } from '../e2e/support/processes.js'
import { Stage, withoutSandbox } from '../e2e/support/stage.js'
import { SELF } from '../e2e/support/users.js'

let stage: Stage
beforeAll(() => {
  stage = new Stage()
})
afterAll(() => stage.dispose())

const text = readFileSync(join(root, 'docs/sandbox-api.md'), 'utf8')
const EXAMPLES = [...text.matchAll(/^```js\n(.*?)^```\n\n```text\n(.*?)^```$/gmsu)].map(
  ([, code = '', prints = ''], index) => ({ index, code, prints }),
)
const skip = await withoutSandbox()

describe.skipIf(skip)('docs/sandbox-api.md', () => {
  it('has an output below every example', () => {
    expect(EXAMPLES).toHaveLength(text.match(/^```js$/gmu)?.length ?? 0)
    expect(EXAMPLES.length).toBeGreaterThan(2)
  })

  it.each(EXAMPLES)('prints what it says, example $index', async ({ index, code, prints }) => {
    const path = join(stage.installed.folder, `example-${index}.mjs`)
    writeFileSync(path, code)
    const env = { AMBIT_HOME: stage.home() }
    const ended = await finish(stage.installed.node, [path], { user: SELF, env, cwd: '/' })
    expect(ended).toMatchObject({ code: 0, stdout: prints, stderr: '' })
  })
})
