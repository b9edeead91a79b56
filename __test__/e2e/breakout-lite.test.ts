// SPDX-License-Identifier: Apache-2.0
// All probes in tier lite, as it is where nothing may make a user namespace. What gets through is named
// here, and described in `docs/shortcomings.md`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Verdict, measure } from './support/breakout/suite.js'
import { root } from './support/installed.js'
import { COMPILER, PYTHON } from './support/range.js'
import { withoutPrograms, withoutSandbox } from './support/stage.js'
import { USERS, type User, isRoot } from './support/users.js'

/** Not asked: with protected names in a write path tier lite runs nothing. */
const REFUSED = ['fs-read-dotenv', 'fs-write-githook', 'fs-write-githook-rename']

/** What only namespaces and mounts hold. */
const LITE = [
  'fs-node-in-read-path',
  'proc-list',
  'proc-names',
  'proc-signal-group',
  // root's bounding set can be emptied; a user has no right to
  'priv-bounding',
]

const expected = (user: User): string[] =>
  LITE.filter((id) => !(isRoot(user) && id === 'priv-bounding')).toSorted()

const skip = withoutPrograms(PYTHON, COMPILER) || (await withoutSandbox(USERS.at(-1)))

describe.skipIf(skip)('tier lite', () => {
  it.each(USERS)('blocks what it says it blocks, as $name', { timeout: 120_000 }, async (user) => {
    const [table] = await measure(['ambit-lite'], [user])
    const [none, lite] = table?.columns ?? []
    const worth = Object.keys(none?.verdicts ?? {}).filter((id) => none?.verdicts[id] === 'escaped')
    expect(worth.length).toBeGreaterThan(120)
    const those = (verdict: Verdict | undefined) =>
      worth.filter((id) => lite?.verdicts[id] === verdict).toSorted()
    expect(those(undefined)).toEqual(REFUSED)
    expect(those('unknown')).toEqual([])
    expect(those('escaped')).toEqual(expected(user))
  })

  it('is described', () => {
    const text = readFileSync(join(root, 'docs/shortcomings.md'), 'utf8')
    for (const id of LITE) expect(text).toContain(`\`${id}\``)
  })
})
