// SPDX-License-Identifier: Apache-2.0
// The ground on which the probes run: what a user has on the host that no command may reach.
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { commandOf, contractOf, policyOf, writeDocuments } from './documents.js'
import { type Listener, listen } from './listener.js'
import { prepare } from './oracle.js'
import { type Probe, type Variables, programOf, vectors } from './probes.js'
import { type Running, type StartOptions, finish, start } from './processes.js'
import { type Answer, Runner, exposed, write, writeCanary } from './runner.js'
import type { Stage } from './stage.js'
import { SELF, type User, give } from './users.js'

export const PYTHON = '/usr/bin/python3'
export const COMPILER = '/usr/bin/gcc'

/** One attempt. */
export interface Attempt {
  readonly answer: Answer
  /** Whether the host says that it got out; undefined where the probe says so itself. */
  readonly seen: boolean | undefined
}

/** Compiles what the probes need. */
export function compile(stage: Stage): void {
  const build = (...argv: readonly string[]) => execFileSync(COMPILER, argv, { stdio: 'pipe' })
  const source = join(import.meta.dirname, 'keep-open.c')
  build('-static', '-o', join(stage.top, 'probe'), join(vectors, 'probe-public.c'))
  build('-shared', '-fPIC', '-o', join(stage.top, 'keep-open.so'), source, '-ldl')
}

/** The ground of one user. */
export class Range {
  readonly #stage: Stage
  readonly #user: User
  readonly #home: string
  readonly #listener: Listener
  readonly #name: string
  readonly #runner: Runner
  readonly #others: Running[] = []
  #attempts = 0

  private constructor(stage: Stage, user: User, listener: Listener, name: string) {
    this.#stage = stage
    this.#user = user
    this.#home = stage.home(user)
    this.#listener = listener
    this.#name = name
    this.#runner = new Runner(stage, user, this.#home)
  }

  static async open(stage: Stage, user: User): Promise<Range> {
    const name = `sbx-canary-${process.pid}-${user.ids?.uid ?? 'self'}`
    const range = new Range(stage, user, await listen(), name)
    // not Node's: which name it gives an abstract socket depends on its version
    const abstract = start(PYTHON, [join(import.meta.dirname, 'abstract.py'), name], { user: SELF })
    range.#others.push(abstract)
    await abstract.says('listening')
    return range
  }

  close(): void {
    this.#runner.close()
    for (const { child } of this.#others) child.kill('SIGKILL')
    this.#listener.close()
  }

  /** Tries a probe outside the sandbox. */
  async outside(probe: Probe): Promise<Attempt> {
    return await this.#attempt(probe, async (variables) => {
      const [argv, cwd] = [argvOf(probe, variables), variables.WORK]
      if (probe.needs_pty) return await this.#inTerminal(argv, cwd)
      if (probe.id === ALL_PROCESSES) narrow(join(variables.RO, 'probe.py'), variables)
      return await this.#runner.ask({ kind: 'outside', argv, cwd })
    })
  }

  /** Tries a probe inside, through the API in a process that has more than it may pass on. */
  async inside(probe: Probe): Promise<Attempt> {
    return await this.#attempt(probe, async (variables) => {
      const documents = this.#documents(probe, variables)
      if (probe.needs_pty) return await this.#commandLine(documents, true)
      return await this.#runner.ask({ kind: 'inside', ...documents })
    })
  }

  /** Tries a probe inside, through the command line. */
  async insideByCommandLine(probe: Probe): Promise<Attempt> {
    return await this.#attempt(
      probe,
      async (variables) => await this.#commandLine(this.#documents(probe, variables), false),
    )
  }

  async #attempt(probe: Probe, act: (variables: Variables) => Promise<Answer>): Promise<Attempt> {
    const variables = await this.#fixture(probe)
    const look = prepare(probe.oracle, variables, this.#listener)
    const answer = await act(variables)
    const seen = await look?.()
    unmountAll(variables.WORK)
    return { answer, seen }
  }

  #documents(probe: Probe, { RO, WORK, ...rest }: Variables) {
    const argv = argvOf(probe, { RO, WORK, ...rest })
    const scope = { cwd: WORK, read: ['/etc', '/usr', RO], write: [WORK] }
    const env = ['PATH', 'HOME', 'LANG']
    const contract = contractOf([commandOf({ argv, ...scope, env, timeoutSec: 10 })])
    return writeDocuments(this.#stage.folder(), contract, policyOf([argv[0] ?? '']))
  }

  async #commandLine(
    documents: { contract: string; policy: string },
    terminal: boolean,
  ): Promise<Answer> {
    const { bin, node } = this.#stage.installed
    const argv = [node, bin, 'run', documents.contract, documents.policy]
    if (terminal) return await this.#inTerminal(argv, '/')
    return await this.#exposed((options) => finish(node, argv.slice(1), options))
  }

  async #inTerminal(argv: readonly string[], cwd: string): Promise<Answer> {
    const program = join(this.#stage.installed.folder, 'terminal.py')
    copyFileSync(join(import.meta.dirname, 'terminal.py'), program)
    return await this.#exposed((options) => finish(PYTHON, [program, ...argv], { ...options, cwd }))
  }

  #exposed<T>(begin: (options: StartOptions) => T): T {
    return exposed(this.#stage, this.#user, this.#home, begin)
  }

  /** Makes all that a probe can reach for, new for each attempt. */
  async #fixture(probe: Probe): Promise<Variables> {
    this.#attempts += 1
    const user = this.#user
    const folder = () => this.#stage.folder(user)
    const [FIX, RO, WORK] = [folder(), folder(), folder()] as const
    const canary = writeCanary(FIX, user)
    await this.#listener.unix(join(FIX, 'host.sock'))
    const variables: Variables = {
      FIX,
      RO,
      WORK,
      RUN: `${this.#name}-${this.#attempts}`,
      PORT: String(this.#listener.port),
      VICTIM: NEEDS_VICTIM.test(probe.id) ? this.#victim(FIX, canary) : 'no victim',
    }
    for (const name of ['file.txt', 'meta.txt']) write(join(RO, name), 'as it was\n', user)
    fillWorkspace(WORK, user)
    if (probe.kind === 'c') copyFileSync(join(this.#stage.top, 'probe'), join(RO, 'probe'))
    else write(join(RO, 'probe.py'), programOf(probe, variables, this.#name), user)
    return variables
  }

  #victim(cwd: string, canary: string): string {
    const running = victim(this.#user, cwd, canary)
    this.#others.push(running)
    return String(running.child.pid)
  }
}

/** Starts a process of the user: a secret in its environment, the canary on descriptor 7. */
export function victim(user: User, cwd: string, canary: string): Running {
  const fd = openSync(canary, 'r')
  const descriptors = ['ignore', 'ignore', 'ignore', 'ignore', fd] as const
  const env = { SBX_VICTIM_SECRET: 'CANARY' }
  const options = { user, env, cwd, descriptors, argv0: 'sbx-victim' }
  const running = start('/bin/sleep', ['600'], options)
  closeSync(fd)
  return running
}

const ALL_PROCESSES = 'fs-read-proc-root'
const NEEDS_VICTIM = /^(?:proc-|fs-read-proc-root$)/u

/** Has a probe look at one process: reading descriptors of all may wait for ever. */
function narrow(program: string, { VICTIM }: Variables): void {
  const code = readFileSync(program, 'utf8')
  const narrowed = code.replace("os.listdir('/proc')", `['${VICTIM}']`)
  if (narrowed === code) throw new Error('nothing to narrow')
  writeFileSync(program, narrowed)
}

/** Takes off what an attempt outside the sandbox mounted. */
export function unmountAll(work: string): void {
  if (statSync(work).dev !== statSync(dirname(work)).dev) execFileSync('/bin/umount', [work])
}

/** Returns how a probe is called. */
function argvOf({ kind, code }: Probe, { RO }: Variables): readonly string[] {
  return kind === 'c' ? [join(RO, 'probe'), code] : [PYTHON, join(RO, 'probe.py')]
}

/** What a workspace usually holds. */
export function fillWorkspace(work: string, user: User): void {
  for (const name of ['.git', '.git/hooks']) {
    mkdirSync(join(work, name))
    give(join(work, name), user)
  }
  write(join(work, '.git/config'), '[core]\n', user)
  write(join(work, '.env'), 'TOKEN=CANARY\n', user)
}
