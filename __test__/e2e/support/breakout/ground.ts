// SPDX-License-Identifier: Apache-2.0
// The ground of one attempt with many probes: each has folders and, where it wants one, a victim of
// its own, so that all of them go through one launch.
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Listener, listen } from '../listener.js'
import type { Look } from '../oracle.js'
import { filled } from '../probes.js'
import { type Running, start, until } from '../processes.js'
import { COMPILER, PYTHON, fillWorkspace, unmountAll, victim } from '../range.js'
import { write, writeCanary } from '../runner.js'
import type { Stage } from '../stage.js'
import { SELF, type User, folder } from '../users.js'
import { judge } from './judges.js'
import { type Fixture, type OwnProbe, SOURCE } from './own.js'

type Variables = Readonly<Record<string, string>>

/** Compiles what the probes need. */
export function compileOwn(stage: Stage): void {
  // 32-bit code can only call back what lies low
  const options = ['-static', '-no-pie', '-O1', '-o', join(stage.top, 'own-probe')]
  execFileSync(COMPILER, [...options, SOURCE], { stdio: 'pipe' })
}

/** How one probe went. */
export interface Result {
  /** Its exit code; negative: the signal that ended it; null: it did not end. */
  readonly code: number | null
  readonly said: string
  /** Whether the host says that it got out; undefined where the probe says so itself. */
  readonly seen: boolean | undefined
}

/** Says whether a probe got out, by the word of whoever decides. */
export const gotOut = ({ code, seen }: Result): boolean => seen ?? code === ESCAPED

const ESCAPED = 10

/** What is to be launched. */
export interface Task {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly read: readonly string[]
  readonly write: readonly string[]
}

interface Prepared {
  readonly probe: OwnProbe
  readonly look: Look | undefined
}

/** Where a ground lies, and whose it is. */
interface Where {
  readonly stage: Stage
  readonly user: User
  /** AMBIT_HOME of the run. */
  readonly home: string
  /** The folder above its own. */
  readonly top: string
}

let grounds = 0

/** Everything one attempt reaches for. */
export class Ground {
  readonly task: Task
  readonly #stage: Stage
  readonly #user: User
  readonly #home: string
  readonly #name: string
  readonly #listener: Listener
  readonly #folders: Readonly<Record<'FIX' | 'RO' | 'WORK', string>>
  readonly #running: Running[] = []
  readonly #prepared: Prepared[] = []
  #host: Running | undefined

  private constructor({ stage, user, home, top }: Where, listener: Listener) {
    grounds += 1
    const make = (name: string) => folder(join(top, `g${grounds}-${name}`), user)
    const { RO, WORK } = (this.#folders = { FIX: make('x'), RO: make('r'), WORK: make('w') })
    this.#stage = stage
    this.#user = user
    this.#home = home
    this.#listener = listener
    this.#name = `ambit-${process.pid}-${grounds}`
    const argv = [PYTHON, join(RO, 'batch.py')]
    this.task = { argv, cwd: WORK, read: [RO], write: [WORK] }
  }

  /** Prepares all that these probes need. */
  static async open(where: Where, probes: readonly OwnProbe[]): Promise<Ground> {
    const { stage, user } = where
    const ground = new Ground(where, await listen())
    const own = probes.map((probe) => ({ probe, places: ground.#places(probe) }))
    for (const { probe, places } of own) ground.#equip(probe.fixture, places)
    const ids = await ground.#startHost(own.map(({ probe, places }) => service(probe, places)))
    const jobs: object[] = []
    for (const { probe, places } of own) {
      const variables = { ...ids, ...places, ...(await ground.#variables(probe, places)) }
      jobs.push(ground.#job(probe, variables))
      const judgement = judge(probe.oracle, variables, ground.#judged())
      ground.#prepared.push({ probe, look: judgement })
    }
    const { RO } = ground.#folders
    write(join(RO, 'jobs.json'), JSON.stringify(jobs), user)
    copyFileSync(join(import.meta.dirname, 'batch.py'), join(RO, 'batch.py'))
    copyFileSync(join(stage.top, 'own-probe'), join(RO, 'probe'))
    copyFileSync(join(stage.top, 'probe'), join(RO, 'probe-first'))
    return ground
  }

  /** Reads what a launch said, and looks at the host. */
  async results(stdout: string): Promise<ReadonlyMap<string, Result>> {
    const said = new Map(
      stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as { id: string; code: number | null; said: string })
        .map((answer) => [answer.id, answer]),
    )
    const out = new Map<string, Result>()
    for (const { probe, look } of this.#prepared) {
      const { code = null, said: text = 'not run' } = said.get(probe.id) ?? {}
      out.set(probe.id, { code, said: text, seen: await look?.() })
    }
    return out
  }

  async close(): Promise<void> {
    for (const { child } of this.#running) child.kill('SIGKILL')
    this.#host?.child.kill('SIGTERM')
    await this.#host?.ended
    this.#listener.close()
    for (const { probe } of this.#prepared) unmountAll(join(this.#folders.WORK, probe.id))
  }

  #places({ id, code }: OwnProbe): Readonly<Record<'FIX' | 'RO' | 'WORK', string>> {
    const { FIX, RO, WORK } = this.#folders
    const user = this.#user
    const make = (top: string) => folder(join(top, id), user)
    const places = { FIX: make(FIX), RO: make(RO), WORK: make(WORK) }
    writeCanary(places.FIX, user)
    for (const name of ['file.txt', 'meta.txt']) write(join(places.RO, name), 'as it was\n', user)
    write(join(places.WORK, 'plain.txt'), 'plain\n', user)
    // what is protected by default is a mount each, and there are not that many
    if (/\.(?:git|env)\b/u.test(code)) fillWorkspace(places.WORK, user)
    return places
  }

  #equip(fixture: Fixture | undefined, { RO }: Variables): void {
    if (RO === undefined) return
    if (fixture === 'fifo') execFileSync('mkfifo', ['-m', '666', join(RO, 'fifo')])
    // of `/dev/zero`, which every command may read at its own place
    if (fixture === 'node' && this.#isRoots()) {
      execFileSync('mknod', ['-m', '666', join(RO, 'node'), 'c', '1', '5'])
    }
    if (fixture === 'suid') {
      const program = join(RO, 'suid')
      copyFileSync(join(this.#stage.top, 'own-probe'), program)
      if (!this.#isRoots()) return
      const other = this.#user.ids ? 0 : 65_534
      chownSync(program, other, other)
      chmodSync(program, 0o4755)
    }
  }

  /** Whether the tests may do what only root may. */
  #isRoots(): boolean {
    return SELF.name === 'root'
  }

  async #variables(probe: OwnProbe, places: Variables): Promise<Variables> {
    const { FIX = '', WORK = '' } = places
    const text = `${probe.oracle} ${probe.code}`
    for (const place of [FIX, WORK]) {
      const path = join(place, 'host.sock')
      if (filled(text.replaceAll(/\$\{(?!FIX|WORK)\w+\}/gu, ''), places).includes(path)) {
        await this.#listener.unix(path)
      }
    }
    const needsVictim = text.includes('VICTIM') || probe.oracle === 'host:victim'
    return {
      TOKEN: `${this.#name}-${probe.id}`,
      RUN: `${this.#name}-${probe.id}`,
      ABSTRACT: this.#name,
      PORT: String(this.#listener.port),
      HOME: this.#home,
      HOSTNAME: hostname(),
      ...(needsVictim && { VICTIM: await this.#victim(FIX) }),
    }
  }

  async #victim(cwd: string): Promise<string> {
    const running = victim(this.#user, cwd, join(cwd, 'canary.txt'))
    this.#running.push(running)
    const pid = String(running.child.pid)
    // what it is judged by must not be that of a program that has not begun
    await until(() => hasBegun(pid))
    return pid
  }

  #job({ id, kind, category, prelude, code }: OwnProbe, variables: Variables): object {
    const text = filled(code, variables).replaceAll('\\0sbx-canary', `\\0${this.#name}`)
    const { WORK: cwd } = variables
    const probe = join(this.#folders.RO, category === 'first' ? 'probe-first' : 'probe')
    const argv = { c: [probe, text], sh: ['/bin/bash', '-c', text], python: [] }[kind]
    return { id, cwd, argv, prelude, code: kind === 'python' ? text : '' }
  }

  /** Starts what the host has besides files; returns how to name it. */
  async #startHost(services: readonly string[]): Promise<Variables> {
    const program = join(import.meta.dirname, 'host.py')
    const source = join(this.#stage.folder(), 'host.py')
    copyFileSync(program, source)
    const argv = [source, this.#name, ...services.filter((one) => one !== '')]
    this.#host = start(PYTHON, argv, { user: this.#user, stdin: 'pipe' })
    await this.#host.says('QUEUE')
    const [line = ''] = this.#host.output().split('\n')
    const ids = JSON.parse(line) as Record<string, unknown>
    return Object.fromEntries(Object.entries(ids).map(([name, value]) => [name, String(value)]))
  }

  /** The services of the host, all of them. */
  #judged(): Listener {
    const listener = this.#listener
    const host = this.#host
    let marks = 0
    return {
      ...listener,
      log: () => listener.log() + (host?.output() ?? ''),
      settle: async () => {
        await listener.settle()
        const mark = `<mark ${(marks += 1)} ${this.#name}>`
        host?.child.stdin?.write(`${mark}\n`)
        await until(() => host?.output().includes(mark) ?? true)
      },
    }
  }
}

function service({ fixture }: OwnProbe, { RO = '', WORK = '' }: Variables): string {
  if (fixture === 'fifo') return `fifo:${join(RO, 'fifo')}`
  return fixture === 'dgram' ? `dgram:${join(WORK, 'dgram.sock')}` : ''
}

/** Says whether a process has begun: before, it is a copy of ours. */
function hasBegun(pid: string): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sbx-victim')
}
