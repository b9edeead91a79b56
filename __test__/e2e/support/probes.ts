// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './installed.js'

/** One attempt to break out. */
export interface Probe {
  readonly id: string
  readonly title: string
  readonly kind: 'c' | 'python'
  readonly code: string
  /** Who says whether it got out: itself by its exit code, or the host. */
  readonly oracle: string
  readonly needs_pty: boolean
}

interface ProbeFile {
  readonly prelude: string
  readonly probes: readonly Probe[]
}

export const vectors = join(root, '__test__/vectors/sandbox')

const file = JSON.parse(readFileSync(join(vectors, 'probes.json'), 'utf8')) as ProbeFile

export const PROBES = file.probes

/** What stands before each of them. */
export const { prelude } = file

/** What stands for a probe's variables. */
export type Variables = Readonly<Record<'FIX' | 'PORT' | 'RO' | 'RUN' | 'VICTIM' | 'WORK', string>>

/** Fills the variables of a text in. */
export function filled(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)\}/gu, (_, name: string) => {
    const value = Object.entries(variables).find(([key]) => key === name)
    if (value === undefined) throw new Error(`no fixture for \`${name}\``)
    return value[1]
  })
}

/** Returns the program of a probe in Python. The name of the abstract socket is one for the whole
 * machine, so that each test process has its own. */
export function programOf(probe: Probe, variables: Variables, abstractName: string): string {
  const code = filled(probe.code, variables).replaceAll('\\0sbx-canary', `\\0${abstractName}`)
  return `${file.prelude}\n${code}\n`
}
