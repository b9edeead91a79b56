// SPDX-License-Identifier: Apache-2.0
// The obligation `clean_work_tree`: git is asked before anything starts, whatever the repository says
// about itself, and no program that it names runs outside.
import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Ground, outputOf } from './support/attack-ground.js'
import { entriesIn } from './support/ledger.js'
import { Stage, withoutPrograms, withoutSandbox } from './support/stage.js'

const skip = withoutPrograms('/usr/bin/git', '/usr/bin/echo') || (await withoutSandbox())
const CODE = 'ERR_SANDBOX_WORK_TREE_UNCLEAN'
let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

/** A repository in the working folder of a run, and what an attacker may do to tree. */
class Repository {
  readonly ground = new Ground(stage)
  /** What a program that ran outside would leave behind. */
  readonly marker = join(this.ground.outside, 'ran')

  constructor() {
    this.git('init', '--quiet')
    this.write('a.txt', 'one\n')
    this.commit()
  }

  git(...words: readonly string[]): string {
    const env = { PATH: '/usr/bin:/bin', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
    const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.test']
    return execFileSync('/usr/bin/git', [...who, ...words], {
      cwd: this.ground.work,
      env,
      encoding: 'utf8',
    })
  }

  commit(): void {
    this.git('add', '-A')
    this.git('commit', '--quiet', '-m', 'x')
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.ground.work, name), text)
  }

  /** A program that leaves the marker behind. */
  program(): string {
    const path = join(this.ground.outside, 'program')
    writeFileSync(path, `#!/bin/sh\necho ran > ${this.marker}\ncat\n`)
    chmodSync(path, 0o755)
    return path
  }

  async run(mode: 'hardened' | 'local' = 'hardened') {
    const policy = {
      policy_schema_version: 'ambit.policy.v1',
      allow_commands: ['echo'],
      obligations: [{ require: 'clean_work_tree', path: this.ground.work }],
    }
    return await this.ground.run({ argv: ['echo', 'ran'] }, { policy, options: { mode } })
  }

  last(): unknown {
    return entriesIn(this.ground.home).at(-1)?.payload
  }
}

describe.skipIf(skip)('a clean work tree', () => {
  it.each(['hardened', 'local'] as const)('lets a run begin, in %s mode', async (mode) => {
    const repository = new Repository()
    repository.write('.gitignore', 'ignored\n')
    repository.commit()
    repository.write('ignored', 'x')
    const result = await repository.run(mode)
    expect(outputOf(result)).toBe('ran\n')
    expect(repository.last()).toMatchObject({
      status: 'success',
      obligations: [{ require: 'clean_work_tree', path: repository.ground.work }],
    })
  })

  it.each<[string, (repository: Repository) => void, string]>([
    ['a changed file', (tree) => tree.write('a.txt', 'two\n'), 'changed or new'],
    ['a new file', (tree) => tree.write('b.txt', ''), 'changed or new'],
    ['a removed file', (tree) => rmSync(join(tree.ground.work, 'a.txt')), 'changed or new'],
    ['a mode', (tree) => chmodSync(join(tree.ground.work, 'a.txt'), 0o755), 'changed or new'],
    [
      'a change that was staged and taken back',
      (tree) => {
        tree.write('a.txt', 'two\n')
        tree.git('add', '-A')
        tree.write('a.txt', 'one\n')
      },
      'staged',
    ],
    [
      'a change behind assume-unchanged',
      (tree) => {
        tree.git('update-index', '--assume-unchanged', 'a.txt')
        tree.write('a.txt', 'two\n')
      },
      'changed or new',
    ],
    [
      'a change behind skip-worktree',
      (tree) => {
        tree.git('update-index', '--skip-worktree', 'a.txt')
        tree.write('a.txt', 'two\n')
      },
      'changed or new',
    ],
    [
      'a work tree said to be elsewhere',
      (tree) => {
        tree.git('config', 'core.worktree', tree.ground.outside)
        tree.write('a.txt', 'two\n')
      },
      'changed or new',
    ],
    [
      'a mode said not to count',
      (tree) => {
        tree.git('config', 'core.fileMode', 'false')
        chmodSync(join(tree.ground.work, 'a.txt'), 0o755)
      },
      'changed or new',
    ],
    [
      'a commit replaced by another',
      (tree) => {
        tree.write('a.txt', 'two\n')
        const other = tree.git('stash', 'create').trim()
        tree.git('replace', 'HEAD', other)
      },
      'changed or new',
    ],
    [
      'a submodule',
      (tree) => {
        const head = tree.git('rev-parse', 'HEAD').trim()
        tree.git('update-index', '--add', '--cacheinfo', `160000,${head},module`)
        tree.git('commit', '--quiet', '-m', 'module')
        mkdirSync(join(tree.ground.work, 'module'))
      },
      'submodules',
    ],
    [
      'no commit',
      (tree) => {
        rmSync(join(tree.ground.work, '.git'), { recursive: true })
        tree.git('init', '--quiet')
      },
      'commit',
    ],
    [
      'no repository',
      (tree) => rmSync(join(tree.ground.work, '.git'), { recursive: true }),
      '`.git` folder',
    ],
    [
      'a filter of a name that cannot be overruled',
      (tree) => tree.git('config', 'filter.a=b.clean', 'cat'),
      'filters',
    ],
  ])('does not have %s', async (_, spoil, why) => {
    const repository = new Repository()
    spoil(repository)
    await expect(repository.run()).rejects.toMatchObject({
      code: CODE,
      message: expect.stringContaining(why) as string,
      details: { require: 'clean_work_tree', path: repository.ground.work, commands_run: 0 },
    })
    expect(repository.last()).toMatchObject({ status: 'not_started', error: { code: CODE } })
  })

  it.each<[string, (repository: Repository) => void, boolean]>([
    ['monitor', (tree) => tree.git('config', 'core.fsmonitor', tree.program()), false],
    [
      'filter',
      (tree) => {
        tree.git('config', 'filter.lie.clean', `${tree.program()}; echo one; :`)
        appendFileSync(join(tree.ground.work, '.git/info/attributes'), '* filter=lie\n')
      },
      true,
    ],
  ])('is not what a %s says, which runs in git and not in ours', async (_, plant, lies) => {
    const repository = new Repository()
    plant(repository)
    repository.write('a.txt', 'two\n')
    // the control: git as everybody calls it runs the program
    repository.git('status', '--porcelain')
    expect(existsSync(repository.marker)).toBe(true)
    rmSync(repository.marker)
    await expect(repository.run()).rejects.toMatchObject({ code: CODE })
    expect(existsSync(repository.marker)).toBe(false)
    if (lies) return
    repository.write('a.txt', 'one\n')
    expect(outputOf(await repository.run())).toBe('ran\n')
    expect(existsSync(repository.marker)).toBe(false)
  })
})
