// SPDX-License-Identifier: Apache-2.0
// Default protections, holes by pattern, missing paths and what widens a sandbox: from contract and
// policy to what the host and the signed receipt show.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunResult, run } from '../../dist/index.js'
import { type CommandChoice, commandOf, contractOf, policyOf } from './support/documents.js'
import { entriesIn } from './support/ledger.js'
import { Stage, withoutPrograms, withoutSandbox } from './support/stage.js'

const bytes = (document: object) => Buffer.from(JSON.stringify(document))
const text = (output: Uint8Array) => Buffer.from(output).toString()
let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

/** Runs a script with a contract of our own version, under one of both policies. */
async function runOf(
  work: string,
  script: string,
  { choice = {}, members = {}, rules }: Asked = {},
): Promise<{ result: RunResult; protections: Record<string, string>; home: string }> {
  const home = stage.home()
  writeFileSync(join(work, 's.sh'), script)
  const asked = { argv: ['sh', 's.sh'], cwd: work, write: [work], ...choice }
  const contract = contractOf([{ ...commandOf(asked), ...members }], {
    version: 'ambit.contract.v1',
  })
  const ours = rules && { policy_schema_version: 'ambit.policy.v1', ...rules }
  const policy = policyOf(['sh'], ours)
  const env = { AMBIT_HOME: home, PATH: '/usr/bin:/bin' }
  const result = await run({ contract: bytes(contract), policy: bytes(policy), env })
  const facts = result.commands[0]?.enforcement.mechanisms['protections']?.facts ?? {}
  return { result, protections: facts, home }
}

interface Asked {
  readonly choice?: Partial<CommandChoice>
  readonly members?: object
  readonly rules?: object
}

/** A repository without hooks. */
function repository(): string {
  const work = stage.folder()
  execFileSync('/usr/bin/git', ['init', '-q', '--template=', work])
  return work
}

const skip = withoutPrograms('/usr/bin/git') || (await withoutSandbox())

describe.skipIf(skip)('a command in a folder that it may write', () => {
  it('plants no hook, neither in a folder of hooks nor in one that it makes', async () => {
    const work = repository()
    const plant = 'mkdir -p .git/hooks && echo x > .git/hooks/pre-commit'
    const { result, protections, home } = await runOf(work, plant)
    expect(result.status).toBe('success')
    expect(protections['moved_aside']).toBe(join(work, '.git/hooks'))
    expect(JSON.stringify(entriesIn(home).at(-1)?.payload)).toContain('"moved_aside":')
    expect(existsSync(join(work, '.git/hooks'))).toBe(false)
    expect(existsSync(join(work, '.git/hooks.moved-aside-by-ambit/pre-commit'))).toBe(true)
    mkdirSync(join(work, '.git/hooks'))
    const again = await runOf(work, `(${plant}) 2>&1 || true`)
    expect(text(again.result.stdout)).toContain('Read-only file system')
    expect(again.protections['read_only']).toContain(join(work, '.git/hooks'))
    expect(existsSync(join(work, '.git/hooks/pre-commit'))).toBe(false)
  })

  it('plants one where a policy of ours lifts that protection by name, and no other', async () => {
    const work = repository()
    const script = 'mkdir .git/hooks && echo x > .git/hooks/a; git config a.b c || echo kept'
    const rules = { lift_protections: ['git_hooks'] }
    const { result, protections } = await runOf(work, script, { rules })
    expect(text(result.stdout)).toBe('kept\n')
    expect(protections).toMatchObject({
      lifted: 'git_hooks',
      in_force: 'auto_run,credentials,dotenv,git_config',
    })
    expect(existsSync(join(work, '.git/hooks/a'))).toBe(true)
  })

  it('sees no secret of a file whose name says so, unless the policy lifts that', async () => {
    const work = stage.folder()
    writeFileSync(join(work, '.env'), 'CANARY')
    const closed = await runOf(work, 'cat .env')
    expect(text(closed.result.stdout)).toBe('')
    expect(closed.protections['hidden']).toBe(join(work, '.env'))
    const open = await runOf(work, 'cat .env', { rules: { lift_protections: ['dotenv'] } })
    expect(text(open.result.stdout)).toBe('CANARY')
  })

  it('is not started when its contract asks for what is protected', async () => {
    const work = repository()
    writeFileSync(join(work, '.env'), 'CANARY')
    const asked = { choice: { read: [join(work, '.env')] } }
    await expect(runOf(work, 'echo x > ran', asked)).rejects.toMatchObject({
      code: 'ERR_SANDBOX_PATH_REFUSED',
    })
    expect(existsSync(join(work, 'ran'))).toBe(false)
    const granted = await runOf(work, 'cat .env', {
      ...asked,
      rules: { lift_protections: ['dotenv'] },
    })
    expect(text(granted.result.stdout)).toBe('CANARY')
  })

  it('does not see what a pattern of its contract denies', async () => {
    const work = stage.folder()
    mkdirSync(join(work, 'sub'))
    for (const name of ['a.key', 'sub/b.key', 'c.txt']) writeFileSync(join(work, name), name)
    const script = 'cat a.key sub/b.key c.txt'
    const control = await runOf(work, script)
    expect(text(control.result.stdout)).toBe('a.keysub/b.keyc.txt')
    const members = { deny_paths: [join(work, '**/*.key')] }
    expect(text((await runOf(work, script, { members })).result.stdout)).toBe('c.txt')
  })

  it('gets a path that is not there as its contract says', async () => {
    const work = stage.folder()
    const out = join(work, 'new/out')
    const choice = { write: [out] }
    const asked = (value: string) => ({ choice, members: { on_missing_path: value } })
    const script = `echo x > ${out}/y || echo absent`
    await expect(runOf(work, script, { choice })).rejects.toMatchObject({
      code: 'ERR_SANDBOX_PATH_MISSING',
    })
    const skipped = await runOf(work, script, asked('skip'))
    expect(text(skipped.result.stdout)).toBe('absent\n')
    expect(existsSync(join(work, 'new'))).toBe(false)
    await runOf(work, script, asked('create'))
    expect(readFileSync(join(out, 'y'), 'utf8')).toBe('x\n')
  })

  it('has what widens its sandbox in its receipt', async () => {
    const work = stage.folder()
    const members = { profile: 'compat', proc: 'full', allow_exec_from_memory: true }
    const features = ['exec_from_memory', 'proc_full', 'profile_compat']
    const script = 'cp /bin/echo /tmp/e && /tmp/e ran; read x < /proc/meminfo && echo figures'
    const denied = await runOf(work, script, { members, rules: {} })
    expect(denied.result.status).toBe('denied')
    const rules = { allow_features: features }
    const { result } = await runOf(work, script, { members, rules })
    expect(text(result.stdout)).toBe('ran\nfigures\n')
    expect(result.commands[0]?.enforcement.mechanisms).toMatchObject({
      seccomp: { facts: { profile: 'compat' } },
      private_root: { facts: { proc: 'full', exec_from_memory: 'true' } },
    })
  })
})
