// SPDX-License-Identifier: Apache-2.0
// Launches from worker threads, and many of them: nothing is left behind.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../e2e/support/installed.js'
import { processesWith, until } from '../e2e/support/processes.js'
import { Stage, withoutSandbox } from '../e2e/support/stage.js'

let stage: Stage
beforeAll(() => {
  stage = new Stage()
})
afterAll(() => stage.dispose())

const skip = await withoutSandbox()

function workerOf(name: string, code: string, data?: unknown): Worker {
  const path = join(stage.installed.folder, name)
  const head =
    "import { parentPort, workerData } from 'node:worker_threads'\nimport { Sandbox, launch } from 'ambit'\n"
  writeFileSync(path, head + code)
  return new Worker(path, { workerData: data })
}

describe.skipIf(skip)('worker threads', () => {
  it('launch side by side, each with an addon of its own', { timeout: 120_000 }, async () => {
    const code = `
      const sandbox = new Sandbox()
      const all = Array.from({ length: 6 }, (_, at) =>
        sandbox.execFile('sh', ['-c', 'echo ' + workerData + '-' + at], { cwd: '/usr' }))
      parentPort.postMessage((await Promise.all(all)).map(({ stdout }) => stdout.trim()))`
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (name) => {
        const worker = workerOf(`parallel-${name}.mjs`, code, name)
        const [answer] = (await once(worker, 'message')) as [string[]]
        await once(worker, 'exit')
        return answer
      }),
    )
    const want = ['a', 'b', 'c', 'd'].map((name) => [0, 1, 2, 3, 4, 5].map((at) => `${name}-${at}`))
    expect(answers).toEqual(want)
  })

  it.each([
    ['with streams', "sandbox.spawn('sleep', [workerData], { cwd: '/usr' })"],
    ['without', "sandbox.spawn('sleep', [workerData], { cwd: '/usr', stdio: 'ignore' })"],
    [
      'on a terminal that says much',
      "launch({ executable: '/bin/sh', argv: ['sh', '-c', 'cat /dev/zero & exec sleep ' + workerData], env: {}, cwd: '/usr', read_paths: [], write_paths: [], network: 'deny', timeout_ms: 60000, terminal: { columns: 9, rows: 9 } }, { onStdout: () => new Promise(() => {}) })",
    ],
  ])('that is terminated in the middle takes its run along, %s', async (name, code) => {
    // a number of seconds that no other process sleeps
    const seconds = `${300_000 + name.length}.${process.pid}`
    const file = `terminated-${name.length}.mjs`
    const worker = workerOf(
      file,
      `const sandbox = new Sandbox()\n${code}\nsetInterval(() => {}, 1000)`,
      seconds,
    )
    const sleepers = () => processesWith(`sleep\0${seconds}`)
    await until(() => sleepers().length > 0)
    await worker.terminate()
    await until(() => sleepers().length === 0)
    expect(sleepers()).toEqual([])
  })
})

describe.skipIf(skip)('300 launches of every kind', () => {
  it('leave no descriptor, thread, process, cgroup or memory', async () => {
    const script = join(root, 'scripts/soak-launches.js')
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, '300'])
    expect(JSON.parse(stdout)).toMatchObject({ launches: 300, left: [] })
  }, 120_000)
})
