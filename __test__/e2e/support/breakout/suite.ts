// SPDX-License-Identifier: Apache-2.0
// Every probe of both collections against a tool, for `npm run breakout`.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { commandOf, contractOf, policyOf, writeDocuments } from '../documents.js'
import { root } from '../installed.js'
import { PROBES, type Probe, prelude } from '../probes.js'
import { finish } from '../processes.js'
import { COMPILER, PYTHON, compile } from '../range.js'
import { Runner, exposed } from '../runner.js'
import { Stage } from '../stage.js'
import { USERS, type User, isRoot } from '../users.js'
import { Ground, type Result, compileOwn, gotOut } from './ground.js'
import { OWN, type OwnProbe } from './own.js'
import { PEERS, type Peer, findProgram } from './peers.js'

/** What became of a probe: `escaped`, `blocked`, or nothing is known. */
export type Verdict = 'blocked' | 'escaped' | 'unknown'

/** One tool: a verdict of each probe, or why there is none. */
export interface Column {
  readonly name: string
  readonly about: string
  readonly absent?: string
  readonly verdicts: Readonly<Record<string, Verdict>>
}

/** All that was tried as one user. */
export interface Table {
  readonly user: string
  readonly probes: readonly { readonly id: string; readonly title: string }[]
  readonly columns: readonly Column[]
}

/** Needs a terminal of its own. */
const ALONE = new Set(['tty-tiocsti'])

/** One of the first forty, as ours are written. */
const asOwn = (probe: Probe): OwnProbe => ({
  ...probe,
  category: 'first',
  blocked: '',
  prelude,
  // reading the descriptors of every process may wait for ever
  code: probe.code.replace("os.listdir('/proc') if x.isdigit()", "['${VICTIM}'] if x.isdigit()"),
  network: 'deny',
  control: { when: 'always', why: '' },
})

const FIRST: readonly OwnProbe[] = PROBES.filter(({ id }) => !ALONE.has(id)).map(asOwn)

const ALL: readonly OwnProbe[] = [...FIRST, ...OWN]

/** The probes that a tool is asked about: those whose control does no harm, without a network. */
const tried = (user: User): readonly OwnProbe[] =>
  ALL.filter(
    ({ control, network }) =>
      network === 'deny' && control.when !== 'never' && !(control.when === 'user' && isRoot(user)),
  )

type Launch = (ground: Ground, scratch: string) => Promise<string>

/**
 * Tries every probe outside, and with each tool that is asked for.
 *
 * @param names of tools; `ambit` is ours
 */
export async function measure(
  names: readonly string[],
  users: readonly User[] = USERS,
): Promise<readonly Table[]> {
  const stage = new Stage('/var/tmp')
  try {
    compile(stage)
    compileOwn(stage)
    const tables: Table[] = []
    for (const user of users) tables.push(await tableOf(stage, user, names))
    return tables
  } finally {
    stage.dispose()
  }
}

async function tableOf(stage: Stage, user: User, names: readonly string[]): Promise<Table> {
  const home = stage.home(user)
  const runner = new Runner(stage, user, home)
  const probes = tried(user)
  // tier lite cannot protect names inside a write path, and refuses to run where there are such
  const heldBy = (name: string) =>
    name === 'ambit-lite' ? probes.filter(({ code }) => !/\.(?:git|env)\b/u.test(code)) : probes
  const column = async (
    name: string,
    about: string,
    launch: Launch,
    asked = probes,
  ): Promise<Column> => {
    const verdicts = await verdictsOf({ stage, user, home, top: stage.top }, asked, launch)
    return { name, about, verdicts }
  }
  try {
    const columns = [
      await column('none', 'no sandbox: what the acts are worth', async ({ task }) => {
        const { stdout = '' } = await runner.ask({ kind: 'outside', ...task })
        return stdout
      }),
    ]
    for (const name of names) {
      if (isOurs(name)) {
        columns.push(
          await column(name, OURS[name], ours(stage, { user, home }, name), heldBy(name)),
        )
        continue
      }
      const peer = PEERS.find((one) => one.name === name)
      if (!peer) throw new Error(`no such tool: ${name}; known: ${NAMES.join(', ')}`)
      const program = findProgram(peer.program)
      columns.push(
        program === undefined
          ? { name, about: peer.about, absent: 'not installed', verdicts: {} }
          : await column(name, peer.about, theirs(stage, user, home, peer, program)),
      )
    }
    return { user: user.name, probes, columns }
  } finally {
    runner.close()
  }
}

async function verdictsOf(
  where: Parameters<typeof Ground.open>[0],
  probes: readonly OwnProbe[],
  launch: Launch,
): Promise<Readonly<Record<string, Verdict>>> {
  const ground = await Ground.open(where, probes)
  try {
    const stdout = await launch(ground, where.stage.folder(where.user))
    const results = await ground.results(stdout)
    return Object.fromEntries([...results].map(([id, result]) => [id, verdictOf(result)]))
  } finally {
    await ground.close()
  }
}

const NOT_APPLICABLE = 77

function verdictOf(result: Result): Verdict {
  if (result.said === 'not run' || result.code === NOT_APPLICABLE) return 'unknown'
  return gotOut(result) ? 'escaped' : 'blocked'
}

const OURS = {
  ambit: 'ours, tier full',
  'ambit-lite': 'ours, tier lite: where nothing may make a user namespace',
} as const

const isOurs = (name: string): name is keyof typeof OURS => name in OURS

/** Every name that `measure` takes. */
export const NAMES: readonly string[] = [...Object.keys(OURS), ...PEERS.map(({ name }) => name)]

interface Caller {
  readonly user: User
  readonly home: string
}

function ours(stage: Stage, { user, home }: Caller, name: keyof typeof OURS): Launch {
  const lite = name === 'ambit-lite'
  const want = lite ? 'lite' : 'full'
  return async ({ task }) => {
    const runner = new Runner(stage, user, home, lite ? withoutNamespaces(stage) : [])
    const contract = contractOf([commandOf({ ...task, timeoutSec: 60 })])
    const floor = { policy_schema_version: 'ambit.policy.v1', enforcement_floor: want }
    const documents = writeDocuments(stage.folder(), contract, policyOf([PYTHON], floor))
    const { stdout = '', tier, ...rest } = await runner.ask({ kind: 'inside', ...documents })
    runner.close()
    if (tier !== want) throw new Error(`not tier ${want}: ${JSON.stringify({ tier, ...rest })}`)
    return stdout
  }
}

/** What starts a program that can make no user namespace, as in a container with Docker's filter. */
function withoutNamespaces(stage: Stage): readonly string[] {
  const helper = join(stage.top, 'helper')
  execFileSync(COMPILER, ['-O2', '-o', helper, join(root, 'benches/lib/helper.c')])
  return [helper, 'no-userns']
}

function theirs(stage: Stage, user: User, home: string, peer: Peer, program: string): Launch {
  return async ({ task }, scratch) => {
    const [first = '', ...rest] = peer.argv(program, task, scratch)
    const wrapped = ['--kill-after=5', '90', first, ...rest]
    const { stdout } = await exposed(stage, user, home, (options) =>
      finish('/usr/bin/timeout', wrapped, {
        ...options,
        cwd: task.cwd,
        env: { ...options.env, HOME: join(scratch) },
      }),
    )
    return stdout
  }
}
