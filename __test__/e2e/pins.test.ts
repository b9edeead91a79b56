// SPDX-License-Identifier: Apache-2.0
// Executables that a policy names by path and digest, and what a run would be.
import { copyFileSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dryRun } from '../../dist/index.js'
import { Ground, outputOf } from './support/attack-ground.js'
import { commandOf, contractOf, policyOf, writeDocuments } from './support/documents.js'
import { entriesIn } from './support/ledger.js'
import { Stage, withoutPrograms, withoutSandbox } from './support/stage.js'

const skip = withoutPrograms('/usr/bin/cat', '/usr/bin/tac') || (await withoutSandbox())
let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

const digestOf = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex')

const pinned = (...executables: readonly object[]) => ({
  policy_schema_version: 'ambit.policy.v1',
  allow_commands: ['cat'],
  executables,
})

describe.skipIf(skip)('a pinned executable', () => {
  it('is the file that runs under its name, whatever the search path has', async () => {
    const ground = new Ground(stage)
    ground.file('lines', '1\n2\n')
    const tac = '/usr/bin/tac'
    const policy = pinned({ name: 'cat', path: tac, sha256: digestOf(tac) })
    const result = await ground.run({ argv: ['cat', 'lines'] }, { policy })
    expect([outputOf(result), result.commands[0]?.executable]).toEqual(['2\n1\n', tac])
    expect(result.commands[0]?.executable_hash).toBe(`sha256:${digestOf(tac)}`)
  })

  it('with another digest starts nothing, and the ledger says why', async () => {
    const ground = new Ground(stage)
    const policy = pinned({ name: 'cat', path: '/usr/bin/cat', sha256: '00'.repeat(32) })
    const code = 'ERR_SANDBOX_EXECUTABLE_CHANGED'
    await expect(ground.run({ argv: ['cat'] }, { policy })).rejects.toMatchObject({ code })
    expect(entriesIn(ground.home).at(-1)?.payload).toMatchObject({
      status: 'not_started',
      error: { code },
    })
  })

  it('in the later part of a pipeline is compared too', async () => {
    const ground = new Ground(stage)
    const segments = [{ argv: ['echo', 'x'] }, { argv: ['cat'] }]
    const pin = { name: 'cat', path: '/usr/bin/cat', sha256: '00'.repeat(32) }
    const policy = { ...pinned(pin), allow_commands: ['cat', 'echo'] }
    const members = { exec: undefined, pipeline: { segments } }
    await expect(ground.run({}, { policy, members })).rejects.toMatchObject({
      code: 'ERR_SANDBOX_EXECUTABLE_CHANGED',
    })
  })

  it.each(['itself', 'behind a link'])(
    'that the contract may write (%s) starts nothing',
    async (how) => {
      const ground = new Ground(stage)
      const file = join(ground.work, 'cat')
      copyFileSync('/usr/bin/cat', file)
      const link = join(ground.outside, 'cat')
      symlinkSync(file, link)
      const path = how === 'itself' ? file : link
      const policy = pinned({ name: 'cat', path, sha256: digestOf(file) })
      const choice = { argv: ['cat'], write: [ground.work] }
      await expect(ground.run(choice, { policy })).rejects.toMatchObject({
        code: 'ERR_SANDBOX_EXECUTABLE_CHANGED',
      })
    },
  )
})

describe('a dry run', () => {
  it('says what would be started, and starts and writes nothing', async () => {
    const ground = new Ground(stage)
    const home = stage.emptyHome()
    const choice = { argv: ['cat', 'x'], cwd: ground.work, env: ['TOKEN_NAME'] }
    const contract = Buffer.from(JSON.stringify(contractOf([commandOf(choice)])))
    const policy = Buffer.from(JSON.stringify(policyOf(['cat'])))
    const env = { AMBIT_HOME: home, TOKEN_NAME: 'value' }
    const { decision, plans } = await dryRun({ contract, policy, env })
    expect(decision.decision).toBe('deny')
    expect(plans).toEqual([])
    const open = Buffer.from(JSON.stringify(contractOf([commandOf({ ...choice, env: ['LANG'] })])))
    const allowed = await dryRun({ contract: open, policy, env: { ...env, LANG: 'C.UTF-8' } })
    expect(allowed.plans).toMatchObject([
      {
        executable: '/usr/bin/cat',
        argv: ['cat', 'x'],
        env_names: ['HOME', 'LANG', 'PATH'],
        cwd: ground.work,
        read_paths: [ground.work],
        write_paths: [],
        network: 'deny',
        timeout_ms: 20_000,
      },
    ])
    expect(JSON.stringify(allowed.plans)).not.toContain('C.UTF-8')
    expect(existsSync(join(home, 'ledger'))).toBe(false)
  })

  it('on the command line answers as a run would, but for what it starts', async () => {
    const ground = new Ground(stage)
    const home = stage.emptyHome()
    const codes = []
    for (const argv of [['cat'], ['rm']]) {
      const contract = contractOf([commandOf({ argv, cwd: ground.work })])
      const files = writeDocuments(stage.folder(), contract, policyOf(['cat']))
      const call = ['run', files.contract, files.policy, '--sandbox-debug', '--json']
      const { code, stdout } = await stage.ambit(call, { home })
      const { version, plans } = JSON.parse(stdout) as { version: string; plans: object[] }
      codes.push([code, version, plans.length])
    }
    expect(codes).toEqual([
      [0, 'ambit.plan.v1', 1],
      [120, 'ambit.plan.v1', 0],
    ])
    expect(existsSync(join(home, 'ledger'))).toBe(false)
  })
})
