// SPDX-License-Identifier: Apache-2.0
// Each limit of a contract: reached, it is named in the result, the exit code and both receipts; and
// the same command, without it, ends well.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KeySet, verifyReceipt as verifyInJavaScript } from '../../dist/verify/index.js'
import { commandOf, contractOf, policyOf, writeDocuments } from './support/documents.js'
import { oneObject } from './support/json.js'
import { entriesIn, faultsOf } from './support/ledger.js'
import { Stage, publicKeyIn, withoutPrograms, withoutSandbox } from './support/stage.js'
import { USERS } from './support/users.js'

interface Limited {
  readonly limit: string
  readonly limits: object
  /** What reaches the limit, and ends well without it. */
  readonly script: string
  readonly codes: readonly number[]
  readonly evidence: RegExp
}

const TABLE: readonly Limited[] = [
  {
    limit: 'output',
    limits: { max_output_bytes: 1000 },
    script: 'yes | head -n 5000',
    codes: [137],
    evidence: /^more than 1000 bytes of output came$/u,
  },
  {
    limit: 'file_size',
    limits: { max_file_size_bytes: 4096 },
    script: 'exec head -c 10000 /dev/zero > /tmp/big',
    codes: [153],
    evidence: /^SIGXFSZ, with files of at most 4096 bytes$/u,
  },
  {
    limit: 'cpu',
    limits: { cpu_sec: 1 },
    script: 'i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done',
    codes: [152],
    evidence: /^SIGXCPU at 1 s; \d+ ms of processor time were used$/u,
  },
  {
    limit: 'oom',
    limits: { memory_bytes: 67_108_864 },
    script: 'head -c 200000000 /dev/zero | tail -n 1 > /dev/null; exit $?',
    codes: [137],
    evidence: /^(?:oom_kill \d+, as the control group counts|\d+ bytes of memory were counted)/u,
  },
]

let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

const skip = withoutPrograms('/bin/sh', '/usr/bin/head') || (await withoutSandbox(USERS.at(-1)))

describe.skipIf(skip).each(USERS)('a command of $name', (user) => {
  const runOf = async (script: string, limits: object) => {
    const home = stage.home(user)
    const file = join(stage.folder(), 'script.sh')
    writeFileSync(file, script)
    const choice = { argv: ['/bin/sh', file], cwd: '/usr', read: [file], timeoutSec: 50 }
    const command = { ...commandOf(choice), limits }
    const contract = contractOf([command], { version: 'ambit.contract.v1' })
    const files = writeDocuments(stage.folder(), contract, policyOf(['/bin/sh']))
    const receipt = join(stage.folder(user), 'receipt.json')
    const ended = await stage.ambit(
      ['run', files.contract, files.policy, '--json', '--receipt-out', receipt],
      { home, user },
    )
    return { ended, home, answer: oneObject(ended.stdout) }
  }

  it.each(TABLE)('that reaches its limit on $limit is said to', async (given) => {
    const { ended, home, answer } = await runOf(given.script, given.limits)
    const [command] = answer['commands'] as { termination: object; limits_reached: object[] }[]
    const found = { status: answer['status'], reached: command?.limits_reached }
    expect({ ...found, termination: command?.termination }).toMatchObject({
      status: given.limit,
      reached: [{ limit: given.limit, evidence: expect.stringMatching(given.evidence) as string }],
      termination: { kind: given.limit },
    })
    expect(given.codes).toContain(ended.code)
    const entries = entriesIn(home)
    expect(await faultsOf(entries, publicKeyIn(home))).toEqual([])
    const last = entries.at(-1)
    expect(last?.payload).toMatchObject({
      status: given.limit,
      commands: [{ termination: given.limit, timed_out: false, limits_reached: found.reached }],
    })
    const csc = JSON.parse((answer['receipts'] as { csc: string }).csc) as Record<string, unknown>
    expect(csc).toMatchObject({ status: 'failed' })
    expect(csc['error']).toMatch(new RegExp(given.evidence.source.replaceAll(/[$^]/gu, ''), 'u'))
    const keys = await new KeySet().add(readFileSync(publicKeyIn(home), 'utf8'))
    expect(await verifyInJavaScript(last?.document ?? '', keys)).toMatchObject({ code: 'OK' })
  })

  it.each(TABLE)('without its limit on $limit ends well', async ({ script }) => {
    const { ended, answer } = await runOf(script, {})
    expect([ended.code, answer['status']]).toEqual([0, 'success'])
    expect(answer['commands']).toMatchObject([{ limits_reached: [] }])
  })
})
