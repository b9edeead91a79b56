// SPDX-License-Identifier: Apache-2.0
// Reads our own probes. A file holds many, each after a head of comments:
//
//   #: id | oracle | title
//   #= what it says when it is blocked, or the signal that ends it
//   #! flag: value
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { vectors } from '../probes.js'

const folder = join(vectors, 'own')

/** What a probe needs besides the usual. */
export type Fixture = 'dgram' | 'fifo' | 'node' | 'suid'

/** One attempt to break out. */
export interface OwnProbe {
  readonly id: string
  readonly category: string
  readonly title: string
  /** Who says whether it got out: `self`, or the host. */
  readonly oracle: string
  /** What it says inside when it is blocked; the name of a signal when that ends it. */
  readonly blocked: string
  readonly kind: 'c' | 'python' | 'sh'
  /** What stands before it. */
  readonly prelude: string
  readonly code: string
  readonly network: 'deny' | 'full'
  readonly fixture?: Fixture
  /** Where its control counts, and why not elsewhere. */
  readonly control: Control
}

/** `always`; `root` or `user` alone; `kernel`: where this machine has it; `never`. */
interface Control {
  readonly when: 'always' | 'kernel' | 'never' | 'root' | 'user'
  readonly why: string
}

const prelude = readFileSync(join(folder, 'prelude.py'), 'utf8')

/** The source of the probes in C. */
export const SOURCE = join(folder, 'probes.c')

const CONTROLS = ['kernel', 'root', 'user'] as const
const FIXTURES = new Set<string>(['dgram', 'fifo', 'node', 'suid'])
const isFixture = (name: string): name is Fixture => FIXTURES.has(name)

type Flags = ReadonlyMap<string, string>

function read(file: string): OwnProbe[] {
  const [, ...probes] = readFileSync(join(folder, file), 'utf8').split(/^#: /mu)
  return probes.map((text) => parse(file.replace(/\.py$/u, ''), text.split('\n')))
}

function parse(category: string, [head = '', ...lines]: readonly string[]): OwnProbe {
  const [id = '', oracle = '', title = ''] = head.split(' | ')
  const [says, ...others] = lines.filter((line) => line.startsWith('#= '))
  if (title === '' || says === undefined || others.length > 0) throw new Error(`head of ${head}`)
  const flags = flagsOf(lines)
  const code = lines.filter((line) => !/^#[=!] /u.test(line)).join('\n')
  return {
    id,
    category,
    title,
    oracle,
    blocked: says.slice('#= '.length),
    ...programOf(flags, code.trim()),
    prelude,
    network: flags.get('net') === 'full' ? 'full' : 'deny',
    ...fixtureOf(flags),
    control: controlOf(flags),
  }
}

function flagsOf(lines: readonly string[]): Flags {
  const flags = lines.filter((line) => line.startsWith('#! '))
  return new Map(
    flags.map((line) => /^#! (\w+)(?:: )?(.*)$/u.exec(line)?.slice(1) as [string, string]),
  )
}

function programOf(flags: Flags, code: string): Pick<OwnProbe, 'code' | 'kind'> {
  const argument = flags.get('c')
  if (argument !== undefined) return { kind: 'c', code: argument }
  return { kind: flags.has('sh') ? 'sh' : 'python', code }
}

function fixtureOf(flags: Flags): { readonly fixture?: Fixture } {
  const fixture = flags.get('fixture')
  if (fixture === undefined) return {}
  if (!isFixture(fixture)) throw new Error(`no such fixture: ${fixture}`)
  return { fixture }
}

function controlOf(flags: Flags): Control {
  const never = flags.get('nocontrol')
  if (never !== undefined) return { when: 'never', why: never }
  const when = CONTROLS.find((name) => flags.has(name))
  return when === undefined ? { when: 'always', why: '' } : { when, why: flags.get(when) ?? '' }
}

export const OWN: readonly OwnProbe[] = readdirSync(folder)
  .filter((name) => name.endsWith('.py') && name !== 'prelude.py')
  .toSorted()
  .flatMap(read)
