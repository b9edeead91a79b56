// SPDX-License-Identifier: Apache-2.0
// Nothing of a run outlives it, however it ends: daemons in sessions of their own, children of children
// that are gone, and processes that are stopped.
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandOf, contractOf, policyOf, writeDocuments } from './support/documents.js'
import { processesWith, until } from './support/processes.js'
import { Stage, withoutPrograms, withoutSandbox } from './support/stage.js'
import { USERS, type User } from './support/users.js'

let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

/** Leaves three processes that sleep for a time that nobody else does, then does `last`. */
function daemons(seconds: string, last: string): string {
  const sleep = `/bin/sleep ${seconds}`
  return [
    `trap '' TERM INT HUP`,
    `setsid ${sleep} &`,
    `(setsid sh -c '(${sleep} </dev/null >/dev/null 2>&1 &) ; exit 0' &)`,
    // stopped once it is what it is to be
    `${sleep} & p=$!`,
    'until read -r name < /proc/$p/comm && [ "$name" = sleep ]; do sleep 0.01; done',
    'kill -STOP $p',
    'echo started',
    last,
  ].join('\n')
}

const sleepers = (seconds: string) => processesWith(`/bin/sleep\0${seconds}`)
const STAY = 'while :; do sleep 1; done'

interface Ending {
  readonly name: string
  readonly last: string
  readonly limits?: object
  readonly timeoutSec?: number
  readonly signal?: NodeJS.Signals
}

const ENDINGS: readonly Ending[] = [
  { name: 'ends by itself', last: 'sleep 1; exit 0' },
  { name: 'fails', last: 'sleep 1; exit 3' },
  { name: 'takes too long', last: STAY, timeoutSec: 3 },
  { name: 'writes too much', last: 'sleep 1; yes', limits: { max_output_bytes: 1000 } },
  { name: 'is interrupted (SIGINT)', last: STAY, signal: 'SIGINT' },
  { name: 'is asked to end (SIGTERM)', last: STAY, signal: 'SIGTERM' },
  { name: 'loses its terminal (SIGHUP)', last: STAY, signal: 'SIGHUP' },
  { name: 'loses its runner (SIGKILL)', last: STAY, signal: 'SIGKILL' },
]

const skip =
  withoutPrograms('/usr/bin/setsid', '/bin/sleep') || (await withoutSandbox(USERS.at(-1)))
let number = 300_000

function unique(): string {
  number += 1
  return `${number}.${process.pid}`
}

describe.skipIf(skip).each(USERS)('a run of $name leaves no process when it', (user: User) => {
  it.each(ENDINGS)('$name', async ({ last, limits = {}, timeoutSec = 50, signal }) => {
    const seconds = unique()
    const script = join(stage.folder(), 'script.sh')
    writeFileSync(script, daemons(seconds, last))
    const choice = { argv: ['/bin/sh', script], cwd: '/usr', read: [script], timeoutSec }
    const command = { ...commandOf(choice), limits }
    const contract = contractOf([command], { version: 'ambit.contract.v1' })
    const files = writeDocuments(stage.folder(), contract, policyOf(['/bin/sh']))
    const argv = ['run', files.contract, files.policy, '--quiet']
    const running = stage.start(argv, { home: stage.home(user), user })
    await running.says('started')
    await until(() => sleepers(seconds).length >= 3)
    if (signal !== undefined) running.child.kill(signal)
    await running.ended
    // the receipt is signed after the last of them is gone; a runner that was killed signs nothing
    if (signal === 'SIGKILL') await until(() => sleepers(seconds).length === 0)
    expect(sleepers(seconds)).toEqual([])
  })
})

it.skipIf(skip)('and without a sandbox they stay: the control', async () => {
  const seconds = unique()
  const shell = spawn('/bin/sh', ['-c', daemons(seconds, 'exit 0')], { stdio: 'ignore' })
  await new Promise((resolve) => shell.once('exit', resolve))
  const left = () => sleepers(seconds)
  await until(() => left().length === 3)
  expect(left()).toHaveLength(3)
  for (const pid of left()) process.kill(pid, 'SIGKILL')
  await until(() => left().length === 0)
})
