// SPDX-License-Identifier: Apache-2.0
// A run that is stopped from outside: the command ends, the ledger says so, the code names the signal.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandOf, contractOf, policyOf, writeDocuments } from '../e2e/support/documents.js'
import { oneObject } from '../e2e/support/json.js'
import { entriesIn, faultsOf, summary } from '../e2e/support/ledger.js'
import { processesWith, until } from '../e2e/support/processes.js'
import { Stage, publicKeyIn, withoutPrograms, withoutSandbox } from '../e2e/support/stage.js'

const SLEEP = '/bin/sleep'
let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

const skip = withoutPrograms(SLEEP) || (await withoutSandbox())

const SIGNALS: readonly { signal: NodeJS.Signals; code: number }[] = [
  { signal: 'SIGHUP', code: 129 },
  { signal: 'SIGINT', code: 130 },
  { signal: 'SIGTERM', code: 143 },
]

describe.skipIf(skip)('ambit run', () => {
  it.each(SIGNALS)('ends with $code on $signal, recorded as interrupted', async (given) => {
    const home = stage.home()
    // a number of seconds that no other process sleeps
    const seconds = `${200_000 + given.code}.${process.pid}`
    const contract = contractOf([
      commandOf({ argv: [SLEEP, seconds], cwd: '/usr', timeoutSec: 50 }),
    ])
    const files = writeDocuments(stage.folder(), contract, policyOf([SLEEP]))
    const running = stage.start(['run', files.contract, files.policy, '--json'], { home })
    const sleepers = () => processesWith(`${SLEEP}\0${seconds}`)
    await until(() => sleepers().length > 0)
    running.child.kill(given.signal)
    const { code, signal, stdout } = await running.ended
    expect({ code, signal }).toEqual({ code: given.code, signal: null })
    expect(sleepers()).toEqual([])
    expect(oneObject(stdout)).toMatchObject({ version: 'ambit.run.v1', status: 'interrupted' })
    const entries = entriesIn(home)
    expect(summary(entries)).toEqual(['intent allow', 'outcome interrupted'])
    expect(await faultsOf(entries, publicKeyIn(home))).toEqual([])
  })
})
