// SPDX-License-Identifier: Apache-2.0
// Starts things that hold what no command may get: open descriptors, a secret in the environment.
import { closeSync, copyFileSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Running, type StartOptions, start } from './processes.js'
import type { Stage } from './stage.js'
import { type User, give } from './users.js'

/** How a probe ended. */
export interface Answer {
  readonly code?: number | null
  readonly stdout?: string
  readonly stderr?: string
  /** Of the run, where there was one. */
  readonly status?: string
  readonly tier?: string
  readonly termination?: object
  /** The error, where it could not be run. */
  readonly failure?: string
}

const FIRST = 3
const LEAKED = 9

export function write(path: string, content: string, user: User, mode = 0o644): string {
  writeFileSync(path, content, { mode })
  return give(path, user)
}

export function writeCanary(folder: string, user: User): string {
  return write(join(folder, 'canary.txt'), 'CANARY\n', user, 0o600)
}

/** Starts something that has what no command may get: open descriptors, a secret in `env`. */
export function exposed<T>(
  stage: Stage,
  user: User,
  home: string,
  begin: (options: StartOptions) => T,
): T {
  const canary = openSync(writeCanary(stage.folder(user), user), 'r+')
  const slash = openSync('/', 'r')
  const env = {
    SBX_SECRET: 'CANARY',
    LANG: 'C.UTF-8',
    AMBIT_HOME: home,
    LD_PRELOAD: join(stage.top, 'keep-open.so'),
  }
  const unused = Array.from({ length: LEAKED - FIRST }, () => 'ignore' as const)
  const begun = begin({ user, env, descriptors: [...unused, canary, slash] })
  closeSync(canary)
  closeSync(slash)
  return begun
}

/** A process of Node that runs what it is told, outside the sandbox or in one of its own. */
export class Runner {
  readonly #running: Running
  readonly #answers: AsyncIterator<string>

  /** `through` is a program that starts it, with its arguments. */
  constructor(stage: Stage, user: User, home: string, through: readonly string[] = []) {
    const program = join(stage.installed.folder, 'probe-runner.mjs')
    copyFileSync(join(import.meta.dirname, 'probe-runner.js'), program)
    const argv = [...through, stage.installed.node, program]
    this.#running = exposed(stage, user, home, (options) =>
      start(argv[0] ?? '', argv.slice(1), { ...options, stdin: 'pipe' }),
    )
    const { stdout } = this.#running.child
    if (!stdout) throw new Error('the runner has no output')
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  async ask(job: object): Promise<Answer> {
    this.#running.child.stdin?.write(`${JSON.stringify(job)}\n`)
    const line = await this.#answers.next()
    if (line.done !== true) return JSON.parse(line.value) as Answer
    throw new Error(`the runner ended: ${JSON.stringify(await this.#running.ended)}`)
  }

  close(): void {
    this.#running.child.kill('SIGKILL')
  }
}
