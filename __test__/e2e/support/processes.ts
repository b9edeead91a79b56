// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { User } from './users.js'

/** How a process ended, with all it said. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** How a process is started. */
export interface StartOptions {
  readonly user: User
  /** The whole environment besides PATH. */
  readonly env?: Record<string, string>
  readonly cwd?: string
  /** Descriptors from 3 on. */
  readonly descriptors?: readonly (number | 'ignore')[]
  readonly stdin?: 'ignore' | 'pipe'
  /** What the program is called, where it is not its path. */
  readonly argv0?: string
}

/** A process that runs. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Standard output so far. */
  output(): string
  /** Resolves once standard output holds the text; rejects when the process ends before. */
  says(text: string): Promise<void>
}

const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Starts a program with an environment of its own. */
export function start(program: string, argv: readonly string[], options: StartOptions): Running {
  const descriptors = options.descriptors ?? []
  const child = spawn(program, argv, {
    cwd: options.cwd ?? '/',
    env: { PATH: SEARCH_PATH, ...options.env },
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe', ...descriptors],
    ...(options.argv0 !== undefined && { argv0: options.argv0 }),
    ...options.user.ids,
  })
  const heard = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (piece: string) => (heard[name] += piece))
  }
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    ...heard,
  }))
  const says = async (text: string) => {
    while (!heard.stdout.includes(text)) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`ended without saying \`${text}\`: ${heard.stdout}${heard.stderr}`)
      }
      await Promise.race([once(child.stdout ?? child, 'data'), ended])
    }
  }
  return { child, ended, output: () => heard.stdout, says }
}

/** Runs a program to its end. */
export async function finish(
  program: string,
  argv: readonly string[],
  options: StartOptions,
): Promise<Ended> {
  return await start(program, argv, options).ended
}

/** Returns the processes of this machine whose command line holds a text. */
export function processesWith(text: string): number[] {
  const isOne = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
    } catch {
      return false // it ended meanwhile
    }
  }
  const pids = readdirSync('/proc').filter((name) => /^\d+$/u.test(name))
  return pids.filter(isOne).map(Number)
}

/** Resolves once a condition holds; rejects after `limitMs`. For what sends no event. */
export async function until(condition: () => boolean, limitMs = 10_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > end)
      throw new Error(`not so after ${limitMs} ms: ${condition.toString()}`)
    await delay(10)
  }
}
