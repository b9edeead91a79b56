// SPDX-License-Identifier: Apache-2.0
// More attempts to break out, those of `__test__/vectors/sandbox/own`: all of them in one launch, as
// root and as a user without rights. First outside the sandbox, where the act succeeds, then inside,
// where it fails as its head says, and the host has seen nothing.
import { rmSync } from 'node:fs'
import { release } from 'node:os'
import { type TestContext, afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Ground, type Result, compileOwn, gotOut } from './support/breakout/ground.js'
import { OWN, type OwnProbe } from './support/breakout/own.js'
import { commandOf, contractOf, policyOf, writeDocuments } from './support/documents.js'
import { PROBES } from './support/probes.js'
import { COMPILER, PYTHON, compile } from './support/range.js'
import { type Answer, Runner } from './support/runner.js'
import { Stage, withoutPrograms, withoutSandbox } from './support/stage.js'
import { USERS, type User, isRoot, newTop } from './support/users.js'

/** Whether a pid namespace has a highest number of its own (`kernel.pid_max`, kernel 6.14). */
const [major = 0, minor = 0] = release().split('.').map(Number)
const HAS_NUMBERS_OF_ITS_OWN = major > 6 || (major === 6 && minor >= 14)

/** Acts that get through today, of whom, and why. When one is blocked its line here goes. */
const NOT_YET: Readonly<Record<string, { of: (user: User) => boolean; why: string }>> = {
  'priv-fork-bomb': {
    of: (user) => isRoot(user) && !HAS_NUMBERS_OF_ITS_OWN,
    why: 'the kernel exempts root from the limit of processes',
  },
}

const getsThrough = ({ id }: OwnProbe, user: User): boolean => NOT_YET[id]?.of(user) ?? false

const skipAll = withoutPrograms(PYTHON, COMPILER, '/usr/bin/sleep', '/bin/bash')
const users: { user: User; skip: boolean }[] = []
for (const user of USERS) users.push({ user, skip: skipAll || (await withoutSandbox(user)) })

let stage: Stage
/** Where scratch space lies inside, and may be written. */
let tmp: string

beforeAll(() => {
  stage = new Stage('/var/tmp')
  tmp = newTop()
  compile(stage)
  compileOwn(stage)
})

afterAll(() => {
  stage.dispose()
  rmSync(tmp, { recursive: true, force: true })
})

/** Says whether the control of a probe can be tried at all: some would hurt the machine. */
const isTried = ({ control }: OwnProbe, user: User): boolean =>
  control.when !== 'never' && !(control.when === 'user' && isRoot(user))

/** Says whether a control that fails is a fault. */
const counts = ({ control }: OwnProbe, user: User): boolean =>
  control.when === 'always' || control.when === (isRoot(user) ? 'root' : 'user')

/** What is to be seen of a probe that is blocked. */
function blockedAs(probe: OwnProbe): object {
  const killed = probe.blocked === 'SIGSYS'
  return {
    code: killed ? -31 : 0,
    said: killed ? '' : `${probe.blocked}\n`,
    seen: probe.oracle === 'self' ? undefined : false,
  }
}

it('has many probes, each with a name of its own', () => {
  const ids = [...OWN, ...PROBES].map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.length).toBeGreaterThanOrEqual(120)
  expect(OWN.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(NOT_YET)))
})

for (const { user, skip } of users) {
  describe.skipIf(skip)(`as ${user.name}`, () => {
    let runner: Runner
    let home: string
    const outside = new Map<string, Result>()
    const inside = new Map<string, Result>()
    const runs: Answer[] = []
    const count = { blocked: 0, controls: 0, escaped: 0 }

    const withGround = async (
      probes: readonly OwnProbe[],
      launch: (ground: Ground) => Promise<Answer>,
      results: Map<string, Result>,
      top = stage.top,
    ) => {
      const ground = await Ground.open({ stage, user, home, top }, probes)
      try {
        const { stdout = '' } = await launch(ground)
        for (const [id, result] of await ground.results(stdout)) results.set(id, result)
      } finally {
        await ground.close()
      }
    }

    const launch = async ({ task }: Ground, network: 'deny' | 'full') => {
      const env = ['PATH', 'HOME', 'LANG']
      const contract = contractOf([commandOf({ ...task, network, env, timeoutSec: 60 })])
      const documents = writeDocuments(stage.folder(), contract, policyOf([PYTHON]))
      const answer = await runner.ask({ kind: 'inside', ...documents })
      runs.push(answer)
      return answer
    }

    beforeAll(async () => {
      home = stage.home(user)
      runner = new Runner(stage, user, home)
      const controls = OWN.filter((probe) => isTried(probe, user))
      await withGround(
        controls,
        async ({ task }) => await runner.ask({ kind: 'outside', ...task }),
        outside,
      )
      for (const network of ['deny', 'full'] as const) {
        const probes = OWN.filter((probe) => probe.network === network)
        await withGround(probes, async (ground) => await launch(ground, network), inside)
      }
    })

    afterAll(() => {
      runner.close()
      const { blocked, controls, escaped } = count
      const line = `${blocked} probes blocked, ${controls} controls succeeded, ${escaped} not blocked yet`
      process.stdout.write(`as ${user.name}: ${line}\n`)
    })

    it('runs them in tier full', () => {
      expect(runs.slice(0, 2)).toMatchObject(
        Array.from({ length: 2 }, () => ({ status: 'success', code: 0, tier: 'full', stderr: '' })),
      )
    })

    /** Shows that the act is one that works. Elsewhere than in CI a machine may lack it. */
    function control(probe: OwnProbe, context: TestContext): void {
      const result = outside.get(probe.id)
      if (result && gotOut(result)) count.controls += 1
      else if (counts(probe, user)) {
        const reason = `control of ${probe.id}: ${JSON.stringify(result)}`
        if (process.env['REQUIRE_SANDBOX'] !== '1') context.skip(reason)
        throw new Error(`nothing to block: ${reason}`)
      }
    }

    it.for(OWN.filter((probe) => !getsThrough(probe, user)))('blocks $id', (probe, context) => {
      control(probe, context)
      expect(inside.get(probe.id)).toEqual(blockedAs(probe))
      count.blocked += 1
    })

    const through = OWN.filter((probe) => getsThrough(probe, user))
    it.each(through)('does not yet block $id', ({ id }) => {
      const result = inside.get(id)
      expect(result && gotOut(result)).toBe(true)
      count.escaped += 1
    })

    it('does not yet block a FIFO of a read path below /tmp, which Landlock lets be written', async () => {
      const fifo = OWN.find(({ id }) => id === 'ro-fifo')
      const below = new Map<string, Result>()
      if (fifo) await withGround([fifo], async (ground) => await launch(ground, 'deny'), below, tmp)
      expect([...below.values()].map(gotOut)).toEqual([true])
      count.escaped += 1
    })
  })
}
