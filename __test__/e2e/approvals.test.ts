// SPDX-License-Identifier: Apache-2.0
// Approvals from the approver's key to the receipts, and what becomes of one that is used twice.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Signer, approve, generateKey, run } from '../../dist/index.js'
import {
  type Documents,
  commandOf,
  contractOf,
  policyOf,
  writeDocuments,
} from './support/documents.js'
import { entriesIn, faultsOf } from './support/ledger.js'
import { oneObject } from './support/json.js'
import { until } from './support/processes.js'
import { Stage, publicKeyIn, withoutPrograms, withoutSandbox } from './support/stage.js'

let stage: Stage
let keys: string
let alice: string

beforeAll(() => {
  stage = new Stage()
  keys = stage.folder()
  alice = keyOf('alice')
})

afterAll(() => stage.dispose())

function keyOf(name: string): string {
  const path = join(keys, `${name}.pem`)
  generateKey(path, join(keys, `${name}.pub.pem`))
  return path
}

/** A contract that needs an approval and leaves a line in a file each time it runs. */
function documentsOf(approvals: object, script = 'echo ran >> ran', changes: object = {}) {
  const work = stage.folder()
  writeFileSync(join(work, 'act.sh'), script)
  const command = commandOf({ argv: ['sh', 'act.sh'], cwd: work, read: [work], write: [work] })
  const { hex: public_key } = new Signer(alice).publicKey
  const policy = policyOf(['sh'], {
    policy_schema_version: 'ambit.policy.v1',
    approvals: { approvers: [{ name: 'alice', public_key }], ...approvals },
  })
  const contract = contractOf([command], { approval_mode: 'human_required', ...changes })
  return { work, files: writeDocuments(stage.folder(), contract, policy) }
}

async function approvalOf({ contract, policy }: Documents, terms: object = {}): Promise<string> {
  const path = join(stage.folder(), 'approval.json')
  const { approval } = await approve({ contract, policy, signer: new Signer(alice), ...terms })
  writeFileSync(path, approval?.bytes ?? '')
  return path
}

const ACTOR = { agent_id: 'a', session_id: 's', initiating_user: 'u', delegation_scope: 'test' }

const lines = (work: string): number =>
  existsSync(join(work, 'ran')) ? readFileSync(join(work, 'ran'), 'utf8').split('\n').length - 1 : 0

const argvOf = ({ contract, policy }: Documents, ...approvals: readonly string[]) => [
  'run',
  contract,
  policy,
  '--json',
  ...approvals.flatMap((path) => ['--approval', path]),
]

interface Said {
  readonly status: string
  readonly exit_code: number
  readonly decision: { readonly decision: string; readonly reason_codes: readonly string[] }
}

const skip = withoutPrograms('/bin/sh') || (await withoutSandbox())

describe.skipIf(skip)('a run that needs an approval', () => {
  it('does not start without one, starts once with it, and leaves both on record', async () => {
    const home = stage.home()
    const { work, files } = documentsOf({})
    const without = await stage.ambit(argvOf(files), { home })
    expect([without.code, lines(work)]).toEqual([121, 0])
    const path = await approvalOf(files)
    const codes = async () => {
      const ended = await stage.ambit(argvOf(files, path), { home })
      const { decision, status } = oneObject(ended.stdout) as unknown as Said
      return [ended.code, status, decision.decision, decision.reason_codes.join(' ')]
    }
    const granted = 'APPROVAL_GRANTED APPROVAL_REQUIRED'
    expect(await codes()).toEqual([0, 'success', 'allow', granted])
    const consumed = 'APPROVAL_CONSUMED APPROVAL_REQUIRED'
    expect(await codes()).toEqual([121, 'needs_approval', 'needs_approval', consumed])
    expect(lines(work)).toBe(1)
    const entries = entriesIn(home)
    expect(await faultsOf(entries, publicKeyIn(home))).toEqual([])
    const approver_key_id = new Signer(alice).publicKey.thumbprint
    const used = [{ approver_key_id, scope: 'single_execution' }]
    expect(entries.map(({ payload }) => payload)).toMatchObject([
      { decision: 'needs_approval' },
      { decision: 'allow', approvals: used },
      { status: 'success', approvals: used },
      { decision: 'needs_approval', reason_codes: ['APPROVAL_CONSUMED', 'APPROVAL_REQUIRED'] },
    ])
    expect(entries[2]?.payload['approvals']).toEqual(entries[1]?.payload['approvals'])
  })

  it('starts once of many that race for one approval', async () => {
    const home = stage.home()
    const { work, files } = documentsOf({})
    const path = await approvalOf(files)
    const racers = Array.from({ length: 8 }, () => stage.ambit(argvOf(files, path), { home }))
    const ended = await Promise.all(racers)
    const ending = (wanted: number) => ended.filter(({ code }) => code === wanted).length
    expect([ending(0), ending(121)]).toEqual([1, 7])
    expect(lines(work)).toBe(1)
    expect(await faultsOf(entriesIn(home), publicKeyIn(home))).toEqual([])
  })

  it('takes no second turn when the runner is killed: the approval is gone with the run', async () => {
    const home = stage.home()
    const { work, files } = documentsOf({}, 'echo ran >> ran; sleep 30')
    const path = await approvalOf(files)
    const { child, ended } = stage.start(argvOf(files, path), { home })
    await until(() => lines(work) === 1)
    child.kill('SIGKILL')
    await ended
    const again = await stage.ambit(argvOf(files, path), { home })
    expect([again.code, lines(work)]).toEqual([121, 1])
    const entries = entriesIn(home)
    expect(await faultsOf(entries, publicKeyIn(home))).toEqual([])
    expect(entries.map(({ payload }) => payload['status'] ?? payload['decision'])).toEqual([
      'allow',
      'interrupted',
      'needs_approval',
    ])
    expect(entries[1]?.payload['approvals']).toEqual(entries[0]?.payload['approvals'])
  })

  it('runs as often as a time window lasts, where the policy takes one', async () => {
    const home = stage.home()
    const { work, files } = documentsOf({ scopes: ['time_window'] })
    const path = await approvalOf(files, { scope: 'time_window' })
    for (const count of [1, 2]) {
      const ended = await stage.ambit(argvOf(files, path), { home })
      expect([ended.code, lines(work)]).toEqual([0, count])
    }
  })

  it('takes approvals as bytes, and nothing malformed', async () => {
    const { work, files } = documentsOf({})
    const approval = readFileSync(await approvalOf(files))
    const env = { AMBIT_HOME: stage.home(), PATH: '/usr/bin:/bin' }
    const twice = Buffer.from(approval.toString().replace('{"payload"', '{"payload":{},"payload"'))
    const broken = run({ ...files, env, approvals: [twice] })
    await expect(broken).rejects.toMatchObject({ code: 'ERR_APPROVAL_INVALID' })
    expect(lines(work)).toBe(0)
    const result = await run({ ...files, env, approvals: [approval] })
    expect([result.status, lines(work)]).toEqual(['success', 1])
  })
})

describe('ambit approve', () => {
  it('shows the contract, writes one file, and lists and shows it', async () => {
    const home = stage.emptyHome()
    const { files } = documentsOf({}, '', { intent: 'paint \u001B[31mred' })
    const argv = ['approve', files.contract, '--policy', files.policy, '--key', alice]
    const ended = await stage.ambit(argv, { home })
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain('$ sh act.sh\n')
    expect(ended.stderr).toContain('intent: paint \\x1b[31mred\n')
    const path = ended.stdout.trimEnd()
    expect(path.startsWith(join(home, 'approvals/appr_'))).toBe(true)
    const check = ['check', files.contract, files.policy]
    const codes = [[], ['--approval', path]].map(
      async (flags) => (await stage.ambit([...check, ...flags], { home })).code,
    )
    expect(await Promise.all(codes)).toEqual([4, 0])
    const listed = await stage.ambit(['approvals', 'list'], { home })
    expect(listed.stdout).toMatch(/^open {7}appr_[0-9a-f-]{36} {2}single_execution {2}until /u)
    const id = /appr_[0-9a-f-]{36}/u.exec(path)?.[0] ?? ''
    const shown = await stage.ambit(
      ['approvals', 'show', id, '--contract', files.contract, '--policy', files.policy, '--json'],
      { home },
    )
    expect(shown.code).toBe(0)
    expect(oneObject(shown.stdout)).toMatchObject({
      version: 'ambit.standing.v1',
      state: 'open',
      approval_id: id,
      decision: { decision: 'allow' },
    })
  })

  it.each<[string, () => { policy?: object; contract?: object; argv?: string[] }, number, string]>([
    ['denies', () => ({ contract: { risk_class: 'high' } }), 2, 'RISK_CLASS_NOT_ALLOWED'],
    ['other key', () => ({ argv: ['--key', keyOf('mallory')] }), 5, 'ERR_APPROVAL_APPROVER'],
    ['time', () => ({ argv: ['--expires', 'soon'] }), 64, 'ERR_CONFIG_USAGE'],
    ['day', () => ({ argv: ['--expires', '2099-02-30T00:00:00Z'] }), 64, 'ERR_CONFIG_USAGE'],
    ['past', () => ({ argv: ['--expires', '2020-01-01T00:00:00Z'] }), 1, 'ERR_CONFIG_INVALID'],
    ['scope', () => ({ argv: ['--scope', 'time_window'] }), 2, 'ERR_APPROVAL_WORTHLESS'],
    [
      'own',
      () => ({ contract: { actor: { ...ACTOR, initiating_user: 'Alice' } } }),
      2,
      'ERR_APPROVAL_WORTHLESS',
    ],
    [
      'too old when it begins',
      () => ({ policy: { max_age_sec: 60 }, argv: ['--not-before', '5m'] }),
      2,
      'ERR_APPROVAL_WORTHLESS',
    ],
    ['file', () => ({ argv: ['--out', join(keys, 'alice.pem')] }), 1, 'ERR_APPROVAL_UNWRITABLE'],
  ])('signs nothing: %s', async (_name, make, code, says) => {
    const home = stage.emptyHome()
    const { contract = {}, policy = {}, argv = [] } = make()
    const { files } = documentsOf(policy, '', contract)
    const keyed = argv.includes('--key') ? argv : ['--key', alice, ...argv]
    const all = ['approve', files.contract, '--policy', files.policy, ...keyed]
    const ended = await stage.ambit(all, { home })
    expect([ended.code, ended.stdout]).toEqual([code, ''])
    expect(ended.stderr).toContain(says)
    expect(existsSync(join(home, 'approvals'))).toBe(false)
  })

  it('is shown what it is asked to sign before the key is touched', async () => {
    const { files } = documentsOf({}, '')
    const argv = ['approve', files.contract, '--policy', files.policy]
    const ended = await stage.ambit([...argv, '--key', join(keys, 'none.pem')], {
      home: stage.emptyHome(),
    })
    expect(ended.code).toBe(5)
    expect(ended.stderr).toContain('$ sh act.sh\n')
  })

  it.each(['approvals show', 'check'])('does not wait for a named pipe: %s', async (command) => {
    const { files } = documentsOf({}, '')
    const pipe = join(stage.folder(), 'pipe')
    execFileSync('mkfifo', [pipe])
    const words = command === 'check' ? [files.contract, files.policy, '--approval', pipe] : [pipe]
    const ended = await stage.ambit([...command.split(' '), ...words, '--json'], {
      home: stage.emptyHome(),
    })
    expect(oneObject(ended.stdout)).toMatchObject({
      error: { code: 'ERR_APPROVAL_UNREADABLE' },
    })
  })

  it('lists what it cannot read as such', async () => {
    const home = stage.emptyHome()
    mkdirSync(join(home, 'approvals'))
    writeFileSync(join(home, 'approvals/x.json'), '{}')
    execFileSync('mkfifo', [join(home, 'approvals/y.json')])
    symlinkSync('z.json', join(home, 'approvals/z.json'))
    const listed = await stage.ambit(['approvals', 'list', '--json'], { home })
    expect(listed.code).toBe(0)
    expect(oneObject(listed.stdout)).toMatchObject({
      approvals: [
        { state: 'unreadable', error: { code: 'ERR_APPROVAL_INVALID' } },
        { state: 'unreadable', error: { code: 'ERR_APPROVAL_UNREADABLE' } },
        { state: 'unreadable', error: { code: 'ERR_APPROVAL_UNREADABLE' } },
      ],
    })
  })
})
