// SPDX-License-Identifier: Apache-2.0
// A machine without user namespaces: the sysctl that switches them off, set in a user namespace of its own.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandOf, contractOf, policyOf, writeDocuments } from './support/documents.js'
import { oneObject } from './support/json.js'
import { entriesIn } from './support/ledger.js'
import { type Ended, start } from './support/processes.js'
import { Stage, withoutPrograms, withoutSandbox } from './support/stage.js'
import { SELF } from './support/users.js'

const skip = withoutPrograms('/usr/bin/unshare', '/usr/bin/mkdir') || (await withoutSandbox())
let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

const SWITCHED_OFF = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" "$@"'

/** Runs the installed `ambit` where no user namespace can be made. */
async function ambit(home: string, ...argv: readonly string[]): Promise<Ended> {
  const { bin, node } = stage.installed
  const inside = ['--user', '--map-root-user', 'sh', '-c', SWITCHED_OFF, node, bin, ...argv]
  return await start('unshare', inside, { user: SELF, env: { AMBIT_HOME: home } }).ended
}

function documents(floor: string | undefined, hidden = false) {
  const work = stage.folder()
  const secret = join(work, 'secret')
  writeFileSync(secret, 'x')
  const member = hidden ? { deny_paths: [secret] } : {}
  const command = { ...commandOf({ argv: ['mkdir', 'made'], cwd: work, write: [work] }), ...member }
  const policy = policyOf(['mkdir'], {
    policy_schema_version: 'ambit.policy.v1',
    ...(floor !== undefined && { enforcement_floor: floor }),
  })
  const contract = contractOf([command], { version: 'ambit.contract.v1' })
  return { ...writeDocuments(stage.folder(), contract, policy), made: join(work, 'made') }
}

describe.skipIf(skip)('without user namespaces', () => {
  it.each([undefined, 'full'])('a floor of %s starts nothing', async (floor) => {
    const home = stage.home()
    const { contract, policy, made } = documents(floor)
    const ended = await ambit(home, 'run', contract, policy, '--json')
    expect([ended.code, existsSync(made)]).toEqual([122, false])
    expect(ended.stdout).toContain('ERR_SANDBOX_UNSUPPORTED')
  })

  it.each(['lite', 'none'])(
    'a floor of %s runs in tier lite, and the receipt says why',
    async (floor) => {
      const home = stage.home()
      const { contract, policy, made } = documents(floor)
      const ended = await ambit(home, 'run', contract, policy, '--json')
      expect([ended.code, existsSync(made)]).toEqual([0, true])
      const { payload } = entriesIn(home).at(-1) ?? {}
      expect(payload).toMatchObject({
        status: 'success',
        enforcement: { tier: 'lite', mechanisms: { mount_namespace: { state: 'unavailable' } } },
        commands: [{ tier: 'lite' }],
      })
      expect(JSON.stringify(payload)).toContain('user.max_user_namespaces is 0')
    },
  )

  it('what needs more starts nothing, and names it', async () => {
    const home = stage.home()
    const { contract, policy, made } = documents('lite', true)
    const ended = await ambit(home, 'run', contract, policy, '--json')
    expect([ended.code, existsSync(made)]).toEqual([122, false])
    expect(ended.stdout).toContain('a mount namespace to hide')
  })

  it('doctor says which tier there is and what to do', async () => {
    const home = stage.emptyHome()
    const ended = await ambit(home, 'doctor', '--json')
    expect(ended.code).toBe(1)
    expect(oneObject(ended.stdout)).toMatchObject({
      tier: 'lite',
      tiers: { full: { works: false }, lite: { works: true } },
      settings: { 'user.max_user_namespaces': '0' },
    })
    expect(ended.stdout).toContain('sysctl -w user.max_user_namespaces')
    expect((await ambit(home, 'doctor', '--ci', '--floor', 'lite')).code).toBe(0)
    expect((await ambit(home, 'doctor', '--ci')).code).toBe(1)
  })
})
