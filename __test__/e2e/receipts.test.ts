// SPDX-License-Identifier: Apache-2.0
// What execution receipts say of scope and outputs, and the commands that show and pass them on.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunOptions, Signer, run, signReceipt } from '../../dist/index.js'
import { commandOf, contractOf, policyOf } from './support/documents.js'
import { oneObject } from './support/json.js'
import { entriesIn } from './support/ledger.js'
import { Stage, publicKeyIn, withoutPrograms, withoutSandbox } from './support/stage.js'

const bytes = (document: object) => Buffer.from(JSON.stringify(document))
const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex')
let stage: Stage
let home: string

beforeAll(() => {
  stage = new Stage()
  home = stage.home()
})

afterAll(() => stage.dispose())

/** Runs commands in a home of their own and returns the payloads of their receipts. */
async function payloadsOf(
  commands: readonly object[],
  changes: object,
  options: Partial<RunOptions>,
): Promise<Record<string, unknown>[]> {
  const at = stage.home()
  const contract = bytes(contractOf(commands, changes))
  const policy = bytes(policyOf(['cp', 'true', 'sh'], { allowed_effect_types: EFFECTS }))
  const env = { AMBIT_HOME: at, PATH: '/usr/bin:/bin', SETTING: 'never-in-a-receipt' }
  await run({ contract, policy, env, ...options })
  return entriesIn(at).map(({ payload }) => payload)
}

const EFFECTS = ['observe', 'transform_local', 'mutate_repo', 'fetch_external']
const skip = withoutPrograms('/usr/bin/cp', '/usr/bin/true') || (await withoutSandbox())

describe.skipIf(skip)('an execution receipt', () => {
  it('says what was declared, granted and observed, and never a value or an argument', async () => {
    const work = stage.folder()
    const command = commandOf({
      argv: ['true', 'argument-of-mine'],
      cwd: work,
      read: [`${work}/**`],
      env: ['SETTING', 'UNSET'],
    })
    const [, execution] = await payloadsOf([command], {}, {})
    const executable = realpathSync('/usr/bin/true')
    expect(execution?.['scope']).toEqual({
      declared: [
        {
          command_id: 'cmd_1',
          read_paths: [`${work}/**`],
          write_paths: [],
          network: 'deny',
          env_names: ['SETTING', 'UNSET'],
        },
      ],
      granted: [
        {
          command_id: 'cmd_1',
          read_paths: [work],
          write_paths: [],
          network: 'deny',
          env_names: ['HOME', 'PATH', 'SETTING'],
        },
      ],
      observed: [
        {
          command_id: 'cmd_1',
          executable: '/usr/bin/true',
          executable_hash: `sha256:${sha256(readFileSync(executable))}`,
        },
      ],
    })
    expect(JSON.stringify(execution)).not.toMatch(/never-in-a-receipt|argument-of-mine/u)
  })

  it('declares commands that were not reached, and observes those that were', async () => {
    const work = stage.folder()
    const commands = [
      commandOf({ id: 'c1', argv: ['cp', '/no', '/such'], cwd: work }),
      commandOf({ id: 'c2', argv: ['true'], cwd: work }),
    ]
    const [, execution] = await payloadsOf(commands, {}, {})
    const scope = execution?.['scope'] as Record<string, { command_id: string }[]>
    const ids = (name: string) => (scope[name] ?? []).map(({ command_id }) => command_id)
    expect([ids('declared'), ids('granted'), ids('observed')]).toEqual([
      ['c1', 'c2'],
      ['c1', 'c2'],
      ['c1'],
    ])
  })

  it('names expected outputs that are plain files where the run could write', async () => {
    const work = stage.folder()
    const outside = stage.folder()
    const [out, link, from] = [join(work, 'out'), join(work, 'link'), join(work, 'from')]
    writeFileSync(from, 'made')
    writeFileSync(join(outside, 'file'), 'x')
    symlinkSync(from, link)
    mkdirSync(join(work, 'folder'))
    const command = commandOf({ argv: ['cp', from, out], cwd: work, write: [work] })
    const expected_outputs = [
      out,
      link,
      from,
      join(work, 'folder'),
      join(work, 'missing'),
      join(outside, 'file'),
      `${work}/../${outside.split('/').at(-1) ?? ''}/file`,
      `${work}/*`,
    ]
    const [, execution] = await payloadsOf([command], { expected_outputs }, {})
    expect(execution).toMatchObject({ status: 'success', approvals: [] })
    const digest = sha256('made')
    expect(execution?.['artifacts']).toEqual([
      { path: from, sha256: digest, bytes: 4 },
      { path: out, sha256: digest, bytes: 4 },
    ])
  })

  it('carries nonce and audience, as its decision does', async () => {
    const command = commandOf({ argv: ['true'], cwd: stage.folder() })
    const marks = { nonce: 'n-1', audience: 'https://auditor.example' }
    for (const payload of await payloadsOf([command], {}, marks)) {
      expect(payload).toMatchObject(marks)
    }
    for (const payload of await payloadsOf([command], {}, {})) {
      expect([payload['nonce'], payload['audience']]).toEqual([undefined, undefined])
    }
  })
})

describe('run', () => {
  it.each([{ nonce: '' }, { nonce: 'a\nb' }, { audience: 'é' }, { audience: 'x'.repeat(257) }])(
    'refuses %j before anything is recorded',
    async (marks) => {
      const command = commandOf({ argv: ['true'], cwd: '/' })
      await expect(payloadsOf([command], {}, marks)).rejects.toMatchObject({
        code: 'ERR_CONFIG_INVALID',
      })
    },
  )
})

/** Writes a receipt that the key of our home signed. */
function receiptFile(name: string): string {
  const payload = {
    type: 'protectmcp:decision',
    issued_at: '2026-01-01T00:00:00Z',
    tool_name: 'read\u001b[31m',
    decision: 'allow',
  }
  const file = join(stage.folder(), name)
  const signer = new Signer(join(home, 'keys/default.pem'))
  writeFileSync(file, signReceipt(JSON.stringify(payload), signer))
  return file
}

describe('ambit receipt', () => {
  it('show prints a member a line, and nothing that a terminal acts on', async () => {
    const file = receiptFile('a.json')
    const got = await stage.ambit(['receipt', 'show', file], { home })
    expect(got.code).toBe(0)
    expect(got.stdout).toContain('payload.decision  "allow"\n')
    expect(got.stdout).toContain(`(digest)  sha256:${sha256(readFileSync(file))}\n`)
    expect(got.stdout + got.stderr).not.toContain('\u001b')
    expect(got.stderr).toContain('not verified')
    const json = oneObject(
      (await stage.ambit(['receipt', 'show', file, '--json'], { home })).stdout,
    )
    expect(json).toEqual({
      version: 'ambit.receipt.v1',
      receipt: readFileSync(file, 'utf8'),
      digest: sha256(readFileSync(file)),
      verified: false,
    })
  })

  it('show tells a member from one whose name looks like a path', async () => {
    const file = join(home, 'names.json')
    writeFileSync(
      file,
      '{"payload.decision":"allow","payload":{"decision":"deny","":{"(digest)":1}}}',
    )
    const { stdout } = await stage.ambit(['receipt', 'show', file], { home })
    expect(stdout.split('\n').slice(0, -2)).toEqual([
      'payload[""]["(digest)"]  1',
      'payload.decision  "deny"',
      '["payload.decision"]  "allow"',
    ])
  })

  it('export and import give back the same bytes', async () => {
    const file = receiptFile('b.json')
    const [envelope, back] = [`${file}.dsse`, `${file}.back`]
    const key = ['--key', publicKeyIn(home)]
    const argv = ['receipt', 'export', file, '--dsse', '--out', envelope]
    expect(await stage.ambit(argv, { home })).toMatchObject({ code: 0, stdout: '' })
    const imported = ['receipt', 'import', envelope, ...key, '--out', back]
    expect(await stage.ambit(imported, { home })).toMatchObject({ code: 0, stdout: '' })
    expect(readFileSync(back)).toEqual(readFileSync(file))
    const { stdout } = await stage.ambit(['receipt', 'import', envelope], { home })
    expect(stdout).toBe(readFileSync(file, 'utf8'))
    // no file is ever replaced
    expect(await stage.ambit(imported, { home })).toMatchObject({ code: 7 })
    expect((await stage.ambit(['verify', back], { home })).code).toBe(0)
  })

  it('export and import refuse with the exit code of what is wrong', async () => {
    const file = receiptFile('c.json')
    const flipped = `${file}.flipped`
    const other = stage.home()
    writeFileSync(flipped, readFileSync(file, 'utf8').replace('"allow"', '"deny"'))
    const envelope = `${file}.dsse`
    await stage.ambit(['receipt', 'export', file, '--dsse', '--out', envelope], { home })
    const changed = `${file}.changed`
    const text = readFileSync(envelope, 'utf8')
    const { payload } = JSON.parse(text) as { payload: string }
    const body = Buffer.from(payload, 'base64').toString().replace('receipt:v1', 'receipt:v2')
    writeFileSync(changed, text.replace(payload, Buffer.from(body).toString('base64')))
    const cases: [readonly string[], string, number, string][] = [
      [['export', flipped, '--dsse'], home, 1, 'ERR_RECEIPT_NOT_VALID'],
      [['export', file, '--dsse'], other, 5, 'ERR_RECEIPT_NOT_VALID'],
      [['export', envelope, '--dsse'], home, 2, 'ERR_RECEIPT_NOT_VALID'],
      [['export', '/no/such', '--dsse'], home, 7, 'ERR_RECEIPT_UNREADABLE'],
      [['export', file, '--dsse', '--key', '/no'], home, 5, 'ERR_KEY_FILE_UNREADABLE'],
      [['export', file], home, 64, 'ERR_CONFIG_USAGE'],
      [['import', changed], home, 1, 'ERR_RECEIPT_ENVELOPE_SIGNATURE'],
      [['import', file], home, 2, 'ERR_RECEIPT_ENVELOPE'],
      [['import', envelope], other, 5, 'ERR_RECEIPT_ENVELOPE_KEY'],
      [['show', '/'], home, 7, 'ERR_RECEIPT_UNREADABLE'],
      [['show', publicKeyIn(home)], home, 2, 'ERR_JSON'],
    ]
    const found = await Promise.all(
      cases.map(async ([argv, at]) => {
        const got = await stage.ambit(['receipt', ...argv, '--json'], { home: at })
        const { error } = oneObject(got.stdout) as unknown as { error: { code: string } }
        return [argv, at, got.code, error.code]
      }),
    )
    expect(found).toEqual(cases)
  })
})
