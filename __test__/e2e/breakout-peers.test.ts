// SPDX-License-Identifier: Apache-2.0
// `npm run breakout` tries other tools. That they are really tried is shown with bubblewrap: what its
// mounts hold is blocked, what only a filter could hold gets through.
import { expect, it } from 'vitest'
import { findProgram } from './support/breakout/peers.js'
import { measure } from './support/breakout/suite.js'
import { COMPILER, PYTHON } from './support/range.js'
import { withoutPrograms, withoutSandbox } from './support/stage.js'
import { UNPRIVILEGED } from './support/users.js'

const skip =
  withoutPrograms(findProgram('bwrap') ?? '/usr/bin/bwrap', PYTHON, COMPILER) ||
  (await withoutSandbox(UNPRIVILEGED))

it.skipIf(skip)('other tools are asked the same', { timeout: 120_000 }, async () => {
  for (const { columns, probes } of await measure(['bwrap'], [UNPRIVILEGED])) {
    const [none, bwrap] = columns
    const verdict = (id: string) => [none?.verdicts[id], bwrap?.verdicts[id]]
    expect(verdict('fs-read-outside')).toEqual(['escaped', 'blocked'])
    expect(verdict('net-tcp-lo')).toEqual(['escaped', 'blocked'])
    expect(verdict('ns-userns')).toEqual(['escaped', 'escaped'])
    expect(verdict('proc-kill')).toEqual(['escaped', 'blocked'])
    expect(verdict('fs-lease')).toEqual(['escaped', 'escaped'])
    const known = Object.values(bwrap?.verdicts ?? {}).filter((one) => one !== 'unknown')
    expect(known.length).toBeGreaterThan(0.9 * probes.length)
  }
})
