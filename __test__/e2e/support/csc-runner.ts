// SPDX-License-Identifier: Apache-2.0
// csc-runner as its authors publish it, in a virtual environment of its own.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './installed.js'
import { type Ended, finish } from './processes.js'
import { PYTHON } from './range.js'
import { SELF } from './users.js'

const PACKAGE = 'csc-runner==0.5.0'
const place = join(root, 'node_modules/.cache/ambit-tests', PACKAGE)
const MAIN = 'from csc_runner.cli import app; app()'
const INSTALL_MS = 100_000

/**
 * Installs it once.
 *
 * @returns why it is not there; undefined when it is
 * @throws in CI when it cannot be installed
 */
export function installCscRunner(): string | undefined {
  if (existsSync(place)) return undefined
  const folder = `${place}-${process.pid}`
  try {
    mkdirSync(join(folder, '..'), { recursive: true })
    execFileSync(PYTHON, ['-m', 'venv', folder], { stdio: 'pipe' })
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PACKAGE]
    execFileSync(join(folder, 'bin/python'), install, { stdio: 'pipe', timeout: INSTALL_MS })
    // another test process may have been quicker; both are the same
    if (!existsSync(place)) renameSync(folder, place)
    return undefined
  } catch (cause) {
    if (process.env['CI'] !== undefined) throw new Error(`no ${PACKAGE}`, { cause })
    process.stderr.write(`skipped: ${PACKAGE} cannot be installed with ${PYTHON}\n`)
    return String(cause)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs its `csc` with these arguments. */
export async function csc(...argv: readonly string[]): Promise<Ended> {
  return await python(MAIN, ...argv)
}

/** Runs a Python program beside it. */
export async function python(program: string, ...argv: readonly string[]): Promise<Ended> {
  const env = { NO_COLOR: '1', PYTHONIOENCODING: 'utf-8' }
  return await finish(join(place, 'bin/python'), ['-c', program, ...argv], { user: SELF, env })
}
