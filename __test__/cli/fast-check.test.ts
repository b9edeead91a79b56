// SPDX-License-Identifier: Apache-2.0
// `ambit check` has a short way without the framework of the command line. It says what the long way
// says, to the byte, and takes no words that it does not know.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandOf, contractOf, policyOf } from '../e2e/support/documents.js'
import { Stage } from '../e2e/support/stage.js'

let whole: Stage
/** Installations without the short way, and without the long one. */
let long: Stage
let short: Stage
let files: Record<string, string>

beforeAll(() => {
  ;[whole, long, short] = [new Stage(), new Stage(), new Stage()]
  const dist = (stage: Stage) => join(stage.installed.folder, 'node_modules/ambit/dist')
  rmSync(join(dist(long), 'fast-check.js'))
  rmSync(join(dist(short), 'commands/check.js'))
  const folder = whole.folder()
  const documents = {
    allowed: JSON.stringify(contractOf([commandOf({ argv: ['git', 'status'], cwd: folder })])),
    denied: JSON.stringify(contractOf([commandOf({ argv: ['rm', '\u001b[2J'], cwd: folder })])),
    broken: '{"version": "csc.v0.1",\n "nonsense\\u001b": 1}',
    policy: JSON.stringify(policyOf(['git'])),
    odd: 'name: [\n',
  }
  files = { missing: join(folder, 'is-not-there') }
  for (const [name, text] of Object.entries(documents)) {
    files[name] = join(folder, name)
    writeFileSync(files[name], text)
  }
})

afterAll(() => {
  for (const stage of [whole, long, short]) stage.dispose()
})

const argvOf = (words: string): string[] => [
  'check',
  ...words.split(' ').map((word) => files[word] ?? word),
]

const PLAIN: [string, number][] = [
  ['allowed policy', 0],
  ['allowed policy --json', 0],
  ['--json allowed policy --mode local', 0],
  ['allowed --mode=hardened policy --explain', 0],
  ['denied policy', 2],
  ['denied policy --json --explain', 2],
  ['broken policy', 3],
  ['broken policy --json', 3],
  ['allowed odd', 3],
  ['missing policy --json', 3],
]

/** The time of the decision is in it. */
const timeless = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')

describe('the short way of check', () => {
  it.each(PLAIN)('answers as the long one: %s', async (words, code) => {
    const [home, argv] = [whole.emptyHome(), argvOf(words)]
    const [one, other] = await Promise.all([
      short.ambit(argv, { home }),
      long.ambit(argv, { home }),
    ])
    expect(one).toMatchObject({ code, signal: null })
    expect(timeless(one.stdout)).toBe(timeless(other.stdout))
    expect(timeless(one.stderr)).toBe(timeless(other.stderr))
    expect(other).toMatchObject({ code, signal: null })
  })

  it.each([
    'allowed',
    'allowed policy policy',
    'allowed policy --json --json',
    'allowed policy --mode lax',
    'allowed policy --mode',
    'allowed policy --modes=local',
    'allowed policy --help',
    'allowed policy -h',
    'allowed -- policy',
    'allowed policy --approval allowed',
  ])('leaves to the framework: %s', async (words) => {
    const [home, argv] = [whole.emptyHome(), argvOf(words)]
    const [one, other] = await Promise.all([
      whole.ambit(argv, { home }),
      long.ambit(argv, { home }),
    ])
    expect(timeless(one.stdout)).toBe(timeless(other.stdout))
    expect(timeless(one.stderr)).toBe(timeless(other.stderr))
    expect(one.code).toBe(other.code)
  })
})
