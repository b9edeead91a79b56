// SPDX-License-Identifier: Apache-2.0
// csc-runner as its authors publish it, with the schemas of its source package beside it: its wheel
// lacks them, and cannot load a policy without.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/lib/proc.js'

const PACKAGE = 'csc-runner==0.5.0'
const place = join(root, 'node_modules/.cache/ambit-benches', PACKAGE)

/** Measures in its process what the arguments ask for; prints microseconds for each call. */
const PROGRAM = `
import json, sys, time
from csc_runner.models import CommandContract
from csc_runner.policy import evaluate_contract, load_policy

policy_file, batches, calls, *contract_files = sys.argv[1:]
policy = load_policy(policy_file)

def timed(work, count):
    start = time.perf_counter_ns()
    for _ in range(count):
        work()
    return (time.perf_counter_ns() - start) / count / 1000

rows = []
for path in contract_files:
    contract = CommandContract.model_validate_json(open(path).read())
    assert evaluate_contract(contract, policy).decision == "allow"
    rows.append([timed(lambda: evaluate_contract(contract, policy), int(calls)) for _ in range(int(batches))])
rows.append([timed(lambda: load_policy(policy_file), 5) for _ in range(int(batches))])
print(json.dumps(rows))
`

function install(folder) {
  const python = join(folder, 'bin/python')
  const pip = (...args) =>
    execFileSync(python, ['-m', 'pip', '--disable-pip-version-check', '--quiet', ...args], {
      stdio: 'pipe',
    })
  mkdirSync(join(folder, '..'), { recursive: true })
  execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' })
  pip('install', PACKAGE)
  const sources = join(folder, 'sources')
  pip('download', '--no-deps', '--no-binary', 'csc-runner', '--dest', sources, PACKAGE)
  const [archive] = readdirSync(sources)
  execFileSync('tar', ['-xzf', join(sources, archive), '-C', sources], { stdio: 'pipe' })
  const from = join(sources, archive.replace(/\.tar\.gz$/u, ''), 'schemas')
  const [version] = readdirSync(join(folder, 'lib'))
  cpSync(from, join(folder, 'lib', version, 'site-packages/schemas'), { recursive: true })
}

/**
 * Installs it once, beside what npm installs.
 *
 * @returns {string | undefined} why it is not there; undefined when it is
 */
export function installCscRunner() {
  if (existsSync(place)) return undefined
  const folder = `${place}-${process.pid}`
  try {
    install(folder)
    renameSync(folder, place)
    return undefined
  } catch (error) {
    return `cannot be installed: ${String(error.message).split('\n', 1)[0]}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Returns its command line, to be spawned. */
export function cscCommand() {
  return [join(place, 'bin/python'), '-c', 'from csc_runner.cli import app; app()']
}

/**
 * Measures its functions in one process.
 *
 * @param {{ policy: string, contracts: readonly string[], batches: number, calls: number }} work
 * @returns {readonly (readonly number[])[]} microseconds a call: a list for each contract, and one
 *   for loading the policy
 */
export function measureInPython({ policy, contracts, batches, calls }) {
  const args = ['-c', PROGRAM, policy, String(batches), String(calls), ...contracts]
  return JSON.parse(execFileSync(join(place, 'bin/python'), args, { encoding: 'utf8' }))
}
