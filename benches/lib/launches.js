// SPDX-License-Identifier: Apache-2.0
// Every way to launch that is measured: a name, and a function that does it once and returns
// milliseconds, or why it is not there.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseContract, parsePolicy, run } from '../../dist/index.js'
import { launchPlan } from '../../dist/run/launch.js'
import { ScriptError, root } from '../../scripts/lib/proc.js'
import { loadBreakout } from '../../scripts/lib/typescript.js'
import { bwrapArguments, findBwrap, withoutEtc } from './bwrap.js'
import { cscCommand, installCscRunner } from './csc-runner.js'
import { COMMAND, ENV, contractIn, planIn, policyIn, writeDocuments } from './ground.js'
import { Answering } from './helper.js'

/** Returns the milliseconds until `exit`, and comes back once the streams are closed too. */
function spawned(command, args, cwd, env = ENV) {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    let took = Number.NaN
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let complaint = ''
    child.stdout.resume()
    child.stderr.on('data', (piece) => (complaint += piece))
    child.once('error', reject)
    child.once('exit', () => (took = performance.now() - start))
    child.once('close', (code) => {
      if (code === 0) resolve(took)
      else reject(new ScriptError(`\`${command}\` ended with ${code}: ${complaint.trim()}`))
    })
  })
}

/** Launches a plan; `tier` is what it must get. */
export async function launched(plan, tier = 'full') {
  const start = performance.now()
  const { outcome } = await launchPlan(plan, { mode: 'hardened' })
  const took = performance.now() - start
  if (outcome.termination.code !== 0 || outcome.enforcement.tier !== tier) {
    throw new ScriptError(`not a ${tier} launch: ${JSON.stringify(outcome)}`)
  }
  return took
}

async function pipeline(options) {
  const start = performance.now()
  const result = await run(options)
  const took = performance.now() - start
  if (result.status !== 'success') throw new ScriptError(`not a success: ${result.status}`)
  return took
}

/**
 * Returns what is measured in a process that runs on: bare, `child_process.spawn`, bubblewrap with our
 * mounts, ours, and others that are installed.
 *
 * @param {object} folders of `makeFolders`
 * @param {{ path?: string, absent?: string }} helper
 */
export async function waysIn(folders, helper) {
  const plan = JSON.stringify(planIn(folders, [COMMAND]))
  const options = {
    contract: parseContract(Buffer.from(JSON.stringify(contractIn(folders))), 'contract'),
    policy: parsePolicy(Buffer.from(JSON.stringify(policyIn(folders))), 'policy'),
    env: { AMBIT_HOME: folders.home },
  }
  return [
    bareWay(helper),
    { name: 'spawn', once: () => spawned(COMMAND, [], folders.workspace) },
    ...(await bwrapWays(folders)),
    await liteWay(folders, helper),
    { name: 'launch', once: () => launched(plan) },
    { name: 'run', once: () => pipeline(options) },
    ...(await peerWays(folders)),
  ]
}

/** Clone and exec with nothing around, timed where it happens. */
function bareWay({ path, absent }) {
  if (absent !== undefined) return { name: 'exec', absent }
  const program = new Answering(path, ['exec', COMMAND])
  const once = async () => Number(await program.ask('x')) / 1e6
  return { name: 'exec', once, close: () => program.close() }
}

/** Ours where there are no user namespaces: a process of Node that has none launches when it is told. */
async function liteWay(folders, { path, absent }) {
  if (absent !== undefined) return { name: 'launch_lite', absent }
  const plan = { ...planIn(folders, [COMMAND]), floor: 'lite' }
  const worker = join(import.meta.dirname, 'lite-worker.js')
  const program = new Answering(path, ['no-userns', process.execPath, worker], {
    env: { ...process.env, AMBIT_BENCH_PLAN: JSON.stringify(plan) },
  })
  const once = async () => {
    const answer = JSON.parse((await program.ask('x\n')) ?? '{"failure":"it ended"}')
    if (answer.failure !== undefined) throw new ScriptError(answer.failure)
    return answer.took
  }
  return await tried({ name: 'launch_lite', once, close: () => program.close() })
}

/** Leaves out what cannot be done on this machine. */
async function tried(way) {
  try {
    await way.once()
    return way
  } catch (error) {
    await way.close?.()
    return { name: way.name, absent: String(error.message).split('\n', 1)[0].slice(0, 200) }
  }
}

async function bwrapWays(folders) {
  const names = ['bwrap', 'bwrap_small']
  const bwrap = findBwrap()
  if (bwrap === undefined) {
    return names.map((name) => ({ name, absent: 'not installed: apt-get install bubblewrap' }))
  }
  const plan = planIn(folders, ['/usr/bin/cat', '/proc/self/mountinfo'])
  const { stdout } = await launchPlan(JSON.stringify(plan), { mode: 'hardened' })
  const args = bwrapArguments(plan, Buffer.from(stdout).toString())
  const profiles = [args, withoutEtc(args)]
  return await Promise.all(
    profiles.map((profile, index) =>
      tried({
        name: names[index],
        once: () => spawned(bwrap, [...profile, COMMAND], folders.workspace),
      }),
    ),
  )
}

/** Other tools as commands, each with what our plan says. Some take long: every tenth round. */
async function peerWays({ base, workspace }) {
  const { PEERS, findProgram } = await loadBreakout('peers.ts')
  const task = {
    argv: [COMMAND],
    cwd: workspace,
    read: [workspace],
    write: [join(workspace, 'out')],
  }
  const ways = PEERS.filter(({ program }) => program !== 'bwrap').map((peer) => {
    const { name } = peer
    const program = findProgram(peer.program)
    if (program === undefined) return { name, absent: 'not installed' }
    const [first, ...rest] = peer.argv(program, task, base)
    const env = { ...ENV, HOME: base, PATH: process.env['PATH'] }
    return tried({ name, every: 10, once: () => spawned(first, rest, workspace, env) })
  })
  return await Promise.all(ways)
}

/** Returns what is measured as a command of its own: ours and csc-runner's, both signed. */
export async function commandsIn(folders, install) {
  const { contract, policy } = writeDocuments(folders)
  const receipt = join(folders.base, 'receipt.json')
  const env = { ...ENV, AMBIT_HOME: folders.home, PATH: process.env['PATH'] }
  const bin = join(root, 'bin/ambit.js')
  const ours = ['run', contract, policy, '--receipt-out', receipt]
  const once = () => spawned(process.execPath, [bin, ...ours], folders.workspace, env)
  return [{ name: 'command', once }, await cscWay({ contract, policy, folders, env, install })]
}

async function cscWay({ contract, policy, folders, env, install }) {
  const name = 'csc_hardened'
  if (!install) return { name, absent: 'not installed for a smoke run' }
  const absent = installCscRunner()
  if (absent !== undefined) return { name, absent }
  const key = join(folders.base, 'csc.key')
  writeFileSync(key, randomBytes(32), { mode: 0o600 })
  // it refuses to run where there are interfaces besides lo: in a network namespace of its own
  const apart = process.geteuid() === 0 ? ['--net'] : ['--net', '--map-root-user']
  const signed = ['--mode', 'hardened', '--sign', '--signing-key', key, '--key-id', 'bench']
  const out = ['--receipt-out', join(folders.base, 'csc-receipt.json')]
  const argv = [...apart, ...cscCommand(), 'run', contract, policy, ...signed, ...out]
  return await tried({ name, once: () => spawned('unshare', argv, folders.workspace, env) })
}
