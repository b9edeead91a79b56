// SPDX-License-Identifier: Apache-2.0
// csc-runner blocks names of shells and interpreters, and every program that starts another one gets
// around that. Each recorded way is tried three times: outside, where it works; before the policy; and
// in the sandbox under a policy that lets it through, where it starts and reaches nothing.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AmbitError, evaluate, parseContract, parsePolicy } from '../../dist/index.js'
import { Ground, attacks, outputOf } from './support/attack-ground.js'
import { WAYS } from './support/attack-ways.js'
import { commandOf, contractOf, policyOf } from './support/documents.js'
import { root } from './support/installed.js'
import { until } from './support/processes.js'
import { Stage, withoutSandbox } from './support/stage.js'

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']
const skip = await withoutSandbox()
const bytes = (document: object) => Buffer.from(JSON.stringify(document))

let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

const isInstalled = (name: string): boolean =>
  name.includes('/') ? existsSync(name) : FOLDERS.some((folder) => existsSync(join(folder, name)))

/** What our policy decides where csc's lists nothing but the program. */
function decided(argv: readonly string[]): string {
  const contract = parseContract(bytes(contractOf([commandOf({ argv, cwd: '/srv' })])), 'c')
  const policy = parsePolicy(bytes(policyOf([argv[0] ?? ''])), 'p')
  const { reason_codes: codes } = evaluate(contract, policy, { mode: 'hardened' })
  return codes.join(' ')
}

it('has a way for every recorded case of the list of names', () => {
  const recorded = attacks.filter(({ area }) => area === 'denylist').map(({ id }) => id)
  expect(WAYS.map(({ id }) => id)).toEqual(recorded)
})

describe.skipIf(skip)('a program that starts another one', () => {
  it.each(WAYS)('$name ($id)', async ({ id, argv, decision }) => {
    const ground = new Ground(stage)
    const act = `id > ${ground.witness}`
    ground.file('act.sh', `#!/bin/sh\n${act}\n`)
    ground.file('text', 'one line\n', 0o644)
    copyFileSync('/bin/sh', join(ground.work, 'shell'))
    const vector = argv({ act, work: ground.work })
    const [program = ''] = vector
    expect({ id, codes: decided(vector) }).toEqual({ id, codes: decision })

    if (isInstalled(program)) {
      const env = { PATH: FOLDERS.join(':'), HOME: ground.work, TERM: 'dumb' }
      spawnSync(program, vector.slice(1), { cwd: ground.work, env, timeout: 10_000 })
      await until(() => existsSync(ground.witness))
      ground.gotOut()
    } else {
      process.stderr.write(`${id}: no control, \`${program}\` is not installed\n`)
    }

    const policy = {
      policy_schema_version: 'ambit.policy.v1',
      allow_commands: [program],
      allow_inline_code: [...new Set([program, program.split('/').at(-1), 'sh', '/bin/sh'])],
    }
    const result = await ground.run({ argv: vector, write: [ground.work] }, { policy })
    expect([result.decision.reason_codes, result.commands.length]).toEqual([['ALLOW'], 1])
    expect(result.commands[0]?.enforcement.tier).toBe('full')
    expect(ground.gotOut()).toBe(false)
  })

  it('does start, where it may write: the control of the sandbox', async () => {
    const ground = new Ground(stage)
    const result = await ground.script('id > inside; cat inside', { write: [ground.work] })
    expect([result.status, outputOf(result)]).toEqual(['success', expect.stringMatching(/^uid=/u)])
  })
})

interface Name {
  readonly id: string
  readonly argv0: string
  readonly expected: 'allowed' | 'blocked'
}

const names = JSON.parse(
  readFileSync(join(root, '__test__/vectors/csc/hardened-denylist.json'), 'utf8'),
) as readonly Name[]

/** What decides about a listed program that is called with a file. */
function verdictOn(argv0: string): string {
  try {
    const command = commandOf({ argv: [argv0, 'file'], cwd: '/srv' })
    const contract = parseContract(bytes(contractOf([command])), 'c')
    const policy = parsePolicy(bytes(policyOf([argv0.replaceAll('\0', '')])), 'p')
    return evaluate(contract, policy, { mode: 'hardened' }).decision
  } catch (error) {
    return error instanceof AmbitError ? error.code : String(error)
  }
}

describe("csc-runner's list of names", () => {
  it('is not ours: of 80 listed programs all but those whose operands are code may run a file', () => {
    const verdicts = names.map(({ argv0 }) => verdictOn(argv0))
    const count = (wanted: string) => verdicts.filter((verdict) => verdict === wanted).length
    expect(names.filter((_, at) => verdicts[at] === 'deny').map(({ argv0 }) => argv0)).toEqual([
      'watch',
      'parallel',
    ])
    expect([count('allow'), count('ERR_CONTRACT_INVALID')]).toEqual([77, 1])
  })

  it('is no way around the rest: a name that is not listed is denied', () => {
    const decisions = names
      .filter(({ argv0 }) => !argv0.includes('\0'))
      .map(({ argv0 }) => {
        const contract = parseContract(
          bytes(contractOf([commandOf({ argv: [argv0, 'file'], cwd: '/srv' })])),
          'c',
        )
        return evaluate(contract, parsePolicy(bytes(policyOf(['true'])), 'p'), { mode: 'hardened' })
      })
    expect(new Set(decisions.map(({ decision }) => decision))).toEqual(new Set(['deny']))
  })
})
