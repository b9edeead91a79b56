// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Listener } from './listener.js'
import { filled } from './probes.js'

/** Looks at the host after an attempt: true when it got out. */
export type Look = () => Promise<boolean>

/** Four times as long as the daemon of the probe waits between two signs of life. */
const LIFE_SIGN_MS = 400

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/**
 * Prepares the host's judgement of a probe, before it runs.
 *
 * @param oracle such as `host:absent ${FIX}/pwn-*`
 * @returns undefined when the probe judges itself
 */
export function prepare(
  oracle: string,
  variables: Readonly<Record<string, string>>,
  listener: Listener,
): Look | undefined {
  const [kind = '', what = '', mode = ''] = filled(oracle, variables).split(' ')
  switch (kind) {
    case 'self':
      return undefined
    case 'host:absent':
      return async () => removed(found(what))
    case 'host:unchanged': {
      const before = readFileSync(what)
      return async () => !before.equals(readFileSync(what))
    }
    case 'host:mode':
      return async () => (statSync(what).mode & 0o777).toString(8) !== mode
    case 'host:nolog':
      return async () => {
        await listener.settle()
        return listener.log().includes(what)
      }
    case 'host:static':
      return async () => {
        const before = sizeOf(what)
        await delay(LIFE_SIGN_MS)
        return sizeOf(what) !== before
      }
    default:
      throw new Error(`no such oracle: ${oracle}`)
  }
}

/** Returns the paths of a pattern; only its last star is one. */
function found(pattern: string): string[] {
  const [start = '', end] = basename(pattern).split('*')
  const fits = (name: string) =>
    end === undefined ? name === start : name.startsWith(start) && name.endsWith(end)
  const folder = dirname(pattern)
  return readdirSync(folder)
    .filter(fits)
    .map((name) => join(folder, name))
}

function removed(paths: readonly string[]): boolean {
  for (const path of paths) rmSync(path, { recursive: true })
  return paths.length > 0
}
