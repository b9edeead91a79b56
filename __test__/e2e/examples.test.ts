// SPDX-License-Identifier: Apache-2.0
// Work that agents really do, each with the contract and the policy of `examples/contracts`, through the
// command line, in tier full: what it was meant to make is there.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { EXAMPLES, documentsOf } from './support/examples.js'
import { root } from './support/installed.js'
import type { Ended } from './support/processes.js'
import { Stage, withoutSandbox } from './support/stage.js'
import { UNPRIVILEGED } from './support/users.js'

const skip = await withoutSandbox(UNPRIVILEGED)

/** Heavy, or not on every machine: these are tried where they are installed, in CI too. */
const OPTIONAL = new Set(['chromium', 'java', 'npm'])

let stage: Stage
let home: string

beforeAll(() => {
  stage = new Stage('/var/tmp')
  home = stage.home()
})

afterAll(() => stage.dispose())

const git = (repo: string, ...argv: readonly string[]) =>
  execFileSync('/usr/bin/git', ['-C', repo, ...argv], { encoding: 'utf8' })

/** What there is to be seen of each, after it. */
const MADE: Readonly<Record<string, (work: string, ended: Ended) => void>> = {
  git: (work) => {
    expect(git(join(work, 'repo'), 'log', '--format=%s %an')).toBe('add a line Ada\nfirst Ada\n')
    expect(git(join(work, 'repo'), 'status', '--porcelain')).toBe('')
    expect(readFileSync(join(work, 'tree/README.md'), 'utf8')).toBe('one\ntwo\n')
    expect(readdirSync(join(work, 'repo/.git/worktrees'))).toEqual(['tree'])
  },
  npm: (work, { stdout }) => {
    expect(stdout).toContain('# pass 1\n# fail 0\n')
    expect(existsSync(join(work, 'node_modules/left/index.js'))).toBe(true)
    expect(readFileSync(join(work, 'tested.txt'), 'utf8')).toBe('tested\n')
  },
  make: (work) => {
    expect(readFileSync(join(work, 'said.txt'), 'utf8')).toBe('made\n')
    expect(execFileSync(join(work, 'hello'), { encoding: 'utf8' })).toBe('made\n')
  },
  python: (work, { stdout }) => {
    expect(stdout).toMatch(/^1 passed in /mu)
    expect(existsSync(join(work, 'env/bin/pytest'))).toBe(true)
  },
  cargo: (work, { stdout }) => {
    expect(stdout).toContain('test result: ok. 1 passed; 0 failed')
    const program = join(work, 'crate/target/debug/shop')
    expect(execFileSync(program, { encoding: 'utf8' })).toBe('built\n')
  },
  java: (work, { stdout }) => {
    expect(stdout).toBe('hello from the JVM\n')
    expect(existsSync(join(work, 'out/Hello.class'))).toBe(true)
  },
  chromium: (_, { stdout }) => {
    expect(stdout).toContain('<body>rendered 42')
  },
}

it('has an example for every contract, and a policy for each', () => {
  const names = EXAMPLES.map(({ name }) => name)
  const files = names.flatMap((name) => [`${name}.contract.json`, `${name}.policy.yaml`])
  const found = readdirSync(join(root, 'examples/contracts'))
  expect(found.toSorted()).toEqual([...files, 'README.md'].toSorted())
  expect(Object.keys(MADE).toSorted()).toEqual(names.toSorted())
})

it.skipIf(skip).for(EXAMPLES)('$name works', { timeout: 180_000 }, async (example, context) => {
  const { name, programs, prepare } = example
  const missing = programs.filter((path) => !existsSync(path))
  if (missing.length > 0) {
    const reason = `not installed: ${missing.join(', ')}`
    if (process.env['REQUIRE_SANDBOX'] === '1' && !OPTIONAL.has(name)) throw new Error(reason)
    context.skip(reason)
  }
  const work = stage.folder()
  prepare(work)
  const { contract, policy } = documentsOf(name, work, stage.folder())
  const ended = await stage.ambit(['run', contract, policy], { home })
  expect(ended).toMatchObject({ code: 0 })
  expect(ended.stderr).toMatch(/✓ success {2}exit 0 {2}sandbox full {2}run_\S+\n$/u)
  MADE[name]?.(work, ended)
})
