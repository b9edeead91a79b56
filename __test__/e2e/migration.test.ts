// SPDX-License-Identifier: Apache-2.0
// Each command line in docs/migrating-from-csc-runner.md ends as its table says.
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contractHash, parseContract } from '../../dist/index.js'
import { type CommandChoice, commandOf, contractOf, policyOf } from './support/documents.js'
import { root } from './support/installed.js'
import { Stage, withoutSandbox } from './support/stage.js'

const text = readFileSync(join(root, 'docs/migrating-from-csc-runner.md'), 'utf8')
const ROW = /^\| `ambit ([^`]+)` *\| [^|]+ \| (\d+) +\| (\d+) +\|$/gmu
const ROWS = [...text.matchAll(ROW)].map(([, line = '', theirs = '', ours = '']) => {
  return { line, theirs: Number(theirs), ours: Number(ours) }
})

const skip = await withoutSandbox()
let stage: Stage
let cwd: string
let home: string

beforeAll(() => {
  stage = new Stage()
  cwd = stage.folder()
  home = stage.home()
  prepare()
})

afterAll(() => stage.dispose())

/** Writes what the lines name. */
function prepare(): void {
  const write = (name: string, document: object) =>
    writeFileSync(join(cwd, name), JSON.stringify(document))
  const contract = (choice: Partial<CommandChoice>, changes: object = {}) =>
    contractOf([commandOf({ argv: ['true'], cwd, ...choice })], changes)
  const asking = contract({}, { approval_mode: 'human_required' })
  writeFileSync(join(cwd, 'exit3.sh'), 'exit 3\n')
  write('contract.json', contract({}))
  write('denied.json', contract({ argv: ['rm'] }))
  write('asking.json', asking)
  write('broken.json', contract({ timeoutSec: 0 }))
  write('failing.json', contract({ argv: ['sh', 'exit3.sh'] }))
  write('slow.json', contract({ argv: ['sleep', '60'], timeoutSec: 1 }))
  write('absent.json', contract({ argv: ['no-such-program'] }))
  const policy = policyOf(['true', 'sh', 'sleep', 'no-such-program'])
  write('policy.yaml', policy)
  const ours = { policy_schema_version: 'ambit.policy.v1', approvals: 'unsigned' }
  write('unsigned.yaml', { ...policy, ...ours })
  const loaded = parseContract(Buffer.from(JSON.stringify(asking)), 'asking.json')
  const now = Date.now()
  write('approval.json', {
    approval_version: 'csc.approval.v0.1',
    approval_id: 'approval-1',
    contract_sha256: contractHash(loaded),
    approver: { identity: 'somebody', method: 'manual' },
    approved_at: new Date(now - 1000).toISOString(),
    expires_at: new Date(now + 600_000).toISOString(),
    scope: 'single_execution',
  })
  const keys = join(root, '__test__/vectors/receipts/csc/keys')
  copyFileSync(join(keys, 'vec-key-1.seed.raw'), join(cwd, 'key.raw'))
  chmodSync(join(cwd, 'key.raw'), 0o600)
  copyFileSync(join(keys, 'vec-key-1.pub.raw'), join(cwd, 'key.pub.raw'))
}

describe.skipIf(skip)('a command line of csc-runner', () => {
  it('stands in the table for each of its commands, and the lines are read', () => {
    expect(ROWS.length).toBe(21)
    const commands = new Set(ROWS.map(({ line }) => line.split(' ')[0]))
    expect([...commands]).toEqual(['check', 'run', 'verify-receipt'])
    expect(text.match(/^\| `ambit/gmu)?.length).toBe(ROWS.length)
  })

  it('ends as the table says, with csc replaced by ambit', async () => {
    const got = []
    for (const { line } of ROWS) {
      if (line.includes('changed.json') && existsSync(join(cwd, 'signed.json'))) {
        const signed = readFileSync(join(cwd, 'signed.json'), 'utf8')
        writeFileSync(join(cwd, 'changed.json'), signed.replace('"success"', '"failed"'))
      }
      const { code } = await stage.ambit(line.split(' '), { home, cwd })
      got.push(`${line}: ${code}`)
    }
    expect(got).toEqual(ROWS.map(({ line, ours }) => `${line}: ${ours}`))
  }, 60_000)
})
