// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readFileSync } from 'node:fs'
import type { Listener } from '../listener.js'
import { type Look, prepare } from '../oracle.js'
import { filled } from '../probes.js'
import { processesWith } from '../processes.js'

type Variables = Readonly<Record<string, string>>

/**
 * Prepares the host's judgement of one of our probes, before it runs: those of `prepare`, and
 * `host:same PATH`, `host:victim`, `host:gone TOKEN`.
 *
 * @returns undefined when the probe judges itself
 */
export function judge(oracle: string, variables: Variables, listener: Listener): Look | undefined {
  const [kind = '', what = ''] = filled(oracle, variables).split(' ')
  switch (kind) {
    case 'host:same': {
      const before = factsOf(what)
      return async () => factsOf(what) !== before
    }
    case 'host:victim': {
      const pid = variables['VICTIM'] ?? ''
      const before = conditionOf(pid)
      return async () => conditionOf(pid) !== before
    }
    case 'host:gone':
      return async () => ended(processesWith(what))
    default:
      return prepare(oracle, variables, listener)
  }
}

/** Whatever of a file can be changed. */
function factsOf(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true })
  if (!found) return 'not there'
  const { ino, mode, uid, gid, nlink, size, mtimeNs, ctimeNs } = found
  return [ino, mode, uid, gid, nlink, size, mtimeNs, ctimeNs].join(' ')
}

/** Whatever of a process others can change: state, priority, scheduling, limits, processors. */
function conditionOf(pid: string): string {
  try {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8')
    // proc_pid_stat(5), counted from the state: 3 is the first
    const stat = read('stat')
      .replace(/^.*\) /u, '')
      .split(' ')
    // running, asleep or waiting for a disk is all the same: not stopped and not dead
    const state = (stat[0] ?? '').replace(/[DR]/u, 'S')
    const chosen = [state, ...[5, 19, 40, 41].map((field) => stat[field - 3])]
    const allowed = /^Cpus_allowed:.*$/mu.exec(read('status'))?.[0]
    return [...chosen, allowed, read('limits')].join(' ')
  } catch {
    return 'gone'
  }
}

function ended(pids: readonly number[]): boolean {
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  return pids.length > 0
}
