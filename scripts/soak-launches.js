// SPDX-License-Identifier: Apache-2.0
// Launches commands from one Node process, many at once, in every way that there is, and looks for
// what they leave behind: descriptors, threads, processes, cgroups, memory.
//
//   node --expose-gc scripts/soak-launches.js COUNT
import { readFileSync, readdirSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { Readable } from 'node:stream'
import { launch, Sandbox } from '../dist/index.js'
import { say } from './lib/proc.js'

const AT_ONCE = 8
/** What a process may have grown by, whatever the count: caches and the like, KiB. */
const SLACK_KIB = 24_576

const count = Number(process.argv[2])
if (!Number.isInteger(count) || count < 1) throw new Error('usage: soak-launches.js COUNT')

const plan = {
  executable: '/bin/true',
  argv: ['true'],
  env: {},
  cwd: '/usr',
  read_paths: [],
  write_paths: [],
  network: 'deny',
  timeout_ms: 60_000,
}
const sh = (script, more = {}) => ({
  ...plan,
  executable: '/bin/sh',
  argv: ['sh', '-c', script],
  ...more,
})
const kindOf = async (launching) => (await launching).termination.kind
const secret = { secrets: { a: Buffer.from('value') } }

/** The ways to launch, and how each ends. */
const WAYS = [
  [() => kindOf(launch(plan)), 'exited'],
  [() => kindOf(launch(sh('echo x; echo y >&2'), { onStdout() {}, onStderr() {} })), 'exited'],
  [
    () => kindOf(launch(sh('cat', { stdin: { kind: 'stream' } }), { stdin: Readable.from(['x']) })),
    'exited',
  ],
  [
    () => kindOf(launch(sh('cat', { stdin: { kind: 'bytes' } }), { stdin: Buffer.alloc(9) })),
    'exited',
  ],
  [() => kindOf(launch(sh('tty', { terminal: { columns: 80, rows: 24 } }))), 'exited'],
  [
    () => kindOf(launch(sh('test -n "$A"', { secrets: [{ name: 'a', env: 'A' }] }), secret)),
    'exited',
  ],
  [() => kindOf(launch({ ...plan, executable: '/bin/ambit-none' })), 'not_found'],
  [
    () => kindOf(launch({ ...plan, cwd: '/usr/ambit-none' })).catch(({ code }) => code),
    'ERR_SANDBOX_SETUP',
  ],
  [stopped, 'cancelled'],
  [spawned, 9],
]

function stopped() {
  const stop = new AbortController()
  const options = { signal: stop.signal, onStdout: () => stop.abort() }
  return kindOf(launch(sh('echo; exec sleep 60'), options))
}

function spawned() {
  return new Promise((resolve, reject) => {
    const script = "trap 'exit 9' TERM; echo; sleep 60 >/dev/null & wait"
    const child = new Sandbox().spawn('sh', ['-c', script], { cwd: '/usr' })
    child.stdout.once('data', () => child.kill())
    child.on('error', reject)
    child.on('close', resolve)
  })
}

/** What this process holds: descriptors, threads, children, cgroups below its own. */
function holds() {
  const threads = readdirSync('/proc/self/task')
  const children = threads.flatMap((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/children`, 'utf8').split(' ').filter(Boolean)
    } catch {
      return [] // a thread that has ended, or a kernel that does not say
    }
  })
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: threads.length,
    children: children.length,
    cgroups: cgroupsBelow(),
  }
}

/** How many cgroups there are below those of this process, in every hierarchy that can be seen. */
function cgroupsBelow() {
  let found = 0
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/u.exec(line) ?? []
    const places = [`/sys/fs/cgroup/${controllers}${path}`, `/sys/fs/cgroup/unified${path}`]
    for (const place of controllers === ''
      ? [`/sys/fs/cgroup${path}`, places[1]]
      : places.slice(0, 1)) {
      try {
        const entries = readdirSync(place, { withFileTypes: true })
        found += entries.filter((entry) => entry.isDirectory()).length
      } catch {
        // not mounted here
      }
    }
  }
  return found
}

async function settled() {
  for (let at = 0; at < 5; at += 1) {
    globalThis.gc?.()
    await turn()
  }
  return { ...holds(), rssKib: Math.round(process.memoryUsage.rss() / 1024) }
}

async function round(launches) {
  let next = 0
  const worker = async () => {
    while (next < launches) {
      const [way, want] = WAYS[next % WAYS.length]
      next += 1
      const found = await way()
      if (found !== want) throw new Error(`a launch ended as ${found}, not ${want}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

// the first ones make what stays: compiled filters, the anchor, the heap
await round(Math.max(WAYS.length * AT_ONCE, Math.min(count, 2000)))
const before = await settled()
const begun = performance.now()
await round(count)
const perSecond = Math.round((count * 1000) / (performance.now() - begun))
const after = await settled()
const left = Object.keys(before).filter((name) => name !== 'rssKib' && after[name] > before[name])
if (after.rssKib > before.rssKib + SLACK_KIB) left.push('rssKib')
say(JSON.stringify({ launches: count, perSecond, before, after, left }))
process.exitCode = left.length === 0 ? 0 : 1
