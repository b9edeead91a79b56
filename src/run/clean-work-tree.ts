// SPDX-License-Identifier: Apache-2.0
// The obligation `clean_work_tree`. git runs programs that a repository's own files name, and believes
// its index; so it is asked in a sandbox that can write and send nothing, with an index made new, and
// with every such setting overruled.
import { lstatSync } from 'node:fs'
import { join } from 'node:path/posix'
import { SandboxError } from '../errors.js'
import type { Command } from '../contract/index.js'
import { findExecutable } from './executable.js'
import { type Launched, launchPlan } from './launch.js'
import { DEFAULT_PATH, type PlanContext, isTrustedFolder, planOf } from './plan.js'

/** How long git may take for one tree, in all its steps: seconds. */
const TIMEOUT_SEC = 60

/** Filters that a repository may name: each needs three words of an argv. */
const MAX_FILTERS = 24

/** What git is told, whatever the repository's own configuration says. */
const OVERRULED = [
  'core.attributesFile=/dev/null',
  'core.bare=false',
  'core.commitGraph=false',
  'core.excludesFile=/dev/null',
  'core.fileMode=true',
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.ignoreCase=false',
  'core.sparseCheckout=false',
  'core.splitIndex=false',
  'core.symlinks=true',
  'core.untrackedCache=false',
  'index.sparse=false',
  'protocol.allow=never',
]

const ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_INDEX_FILE: '/tmp/index',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_TERMINAL_PROMPT: '0',
  LC_ALL: 'C',
}

// The index is made from HEAD: what the repository's own index says of files (assume-unchanged,
// skip-worktree, times) is not asked. Then git has to read every file. A module of its own has a
// configuration of its own, which cannot be overruled from here.
const STATUS = `
set -u
git=$1; shift
"$git" "$@" read-tree HEAD || exit 10
"$git" "$@" ls-files --stage | while read -r mode rest; do
  if [ "$mode" = 160000 ]; then exit 11; fi
done || exit 11
exec "$git" "$@" status --porcelain=v1 -z --untracked-files=all --ignore-submodules=none --no-renames
`
const EXIT_NO_HEAD = 10
const EXIT_MODULES = 11

/** What the repository's own index has that HEAD has not. */
const STAGED = `
git=$1; shift
unset GIT_INDEX_FILE
exec "$git" "$@" diff-index --cached --name-only -z --no-ext-diff --no-textconv --ignore-submodules=none HEAD --
`

/**
 * Makes sure that a work tree is as its last commit has it: no file changed, staged or new, but for
 * what the repository ignores.
 *
 * @param path top of the work tree; its `.git` must be a folder
 * @param context of the run's plans
 * @throws {@link SandboxError} `ERR_SANDBOX_WORK_TREE_UNCLEAN` when it is not, or git cannot tell
 */
export async function requireCleanWorkTree(
  path: string,
  context: PlanContext,
  signal?: AbortSignal,
): Promise<void> {
  if (!isFolder(join(path, '.git'))) {
    throw unclean(path, 'it is not the top of a work tree with its own `.git` folder')
  }
  const git = findExecutable('git', {
    path: DEFAULT_PATH,
    cwd: path,
    isTrusted: (folder) => isTrustedFolder(folder, context),
  })
  const ask = async (script: string, words: readonly string[]) =>
    await launch({ path, script, words: [git, ...words], context, signal })
  const tree = [`--git-dir=${path}/.git`, `--work-tree=${path}`, '--no-optional-locks']
  const settings = [...tree, ...OVERRULED.flatMap((setting) => ['-c', setting])]
  const filters = filtersIn(path, await ask(CONFIG, settings))
  const words = [...settings, ...filters.flatMap(filterless)]
  refuseOutput(path, await ask(STATUS, words), 'there are changed or new files')
  refuseOutput(path, await ask(STAGED, words), 'there are staged changes')
}

const CONFIG = `git=$1; shift
exec "$git" "$@" config --list --name-only -z
`

/** Without its programs a filter does nothing, and what it would have changed counts as changed. */
const filterless = (name: string): readonly string[] => [
  '-c',
  `filter.${name}.clean=`,
  '-c',
  `filter.${name}.process=`,
  '-c',
  `filter.${name}.required=false`,
]

interface Asking {
  readonly path: string
  readonly script: string
  readonly words: readonly string[]
  readonly context: PlanContext
  readonly signal: AbortSignal | undefined
}

/** Runs a script of ours in a sandbox that may read the work tree and nothing else. */
async function launch({ path, script, words, context, signal }: Asking): Promise<Launched> {
  const command: Command = {
    id: 'clean_work_tree',
    exec: { argv: ['sh', '-c', script, 'sh', ...words] },
    cwd: path,
    read_paths: [], // the working directory is one
    write_paths: [],
    network: 'deny',
    env_allow: [],
    secret_refs: [],
    timeout_sec: TIMEOUT_SEC,
    proposed_effect_type: 'observe',
  }
  const { pins: _pins, ...rest } = context
  const plan = planOf(command, { ...rest, mode: 'hardened', floor: 'full', graceMs: undefined })
  const confined = { ...plan, env: { ...plan.env, ...ENVIRONMENT } }
  return await launchPlan(JSON.stringify(confined), { mode: 'hardened', signal })
}

/** Returns the names of the filters that the repository's configuration has. */
function filtersIn(path: string, { outcome, stdout }: Launched): readonly string[] {
  const { termination } = outcome
  if (termination.kind !== 'exited' || termination.code !== 0 || outcome.stdout.truncated) {
    throw unclean(path, 'its configuration cannot be read')
  }
  const names = Buffer.from(stdout)
    .toString('utf8')
    .split('\0')
    .map((name) => /^filter\.(?<name>.*)\.[^.]*$/su.exec(name)?.groups?.['name'])
    .filter((name) => name !== undefined)
  const filters = [...new Set(names)]
  if (filters.length > MAX_FILTERS || !filters.every((name) => /^[\w.-]{1,64}$/u.test(name))) {
    throw unclean(path, 'its configuration names filters that cannot be overruled')
  }
  return filters
}

/** Refuses any output, and any end but a good one. */
function refuseOutput(path: string, { outcome }: Launched, found: string): void {
  const { termination, stdout } = outcome
  if (termination.kind === 'exited') {
    const { code } = termination
    if (code === 0 && stdout.bytes === 0) return
    if (code === 0) throw unclean(path, found)
    if (code === EXIT_NO_HEAD) throw unclean(path, 'its last commit cannot be read')
    if (code === EXIT_MODULES)
      throw unclean(path, 'it has submodules, which cannot be asked safely')
  }
  const how = termination.kind === 'timed_out' ? ` within ${TIMEOUT_SEC} s` : ''
  throw unclean(path, `git could not tell${how}`)
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function unclean(path: string, why: string): SandboxError {
  const message = `the policy requires a clean work tree at \`${path}\`: ${why}`
  const details = { require: 'clean_work_tree', path }
  return new SandboxError('ERR_SANDBOX_WORK_TREE_UNCLEAN', message, { details })
}
