// SPDX-License-Identifier: Apache-2.0
// Brings a fresh clone to where it runs: names what the machine lacks, installs the npm
// dependencies from the lockfile, builds. What is up to date is left alone.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.js'
import { missing } from './lib/needs.js'
import { ScriptError, main, must, root, say } from './lib/proc.js'

/**
 * Makes the project ready to run: tools checked, dependencies installed, addon and shell built.
 *
 * @param {{ tests?: boolean }} [options] `tests`: also what only the tests need
 * @returns {Promise<{ typesChanged: boolean }>} what `build` returns
 * @throws {ScriptError} listing everything that is missing, or naming the step that failed
 */
export async function setup({ tests = false } = {}) {
  await prepare({ tests })
  return build()
}

/**
 * The first half of `setup`: tools checked, dependencies installed, nothing built.
 *
 * @param {{ tests: boolean }} options as for `setup`
 * @throws {ScriptError} as `setup`
 */
export async function prepare({ tests }) {
  const lines = missing({ tests })
  if (lines.length > 0) {
    throw new ScriptError(`This machine lacks:\n${lines.map((line) => `  - ${line}`).join('\n')}`)
  }
  await installDependencies()
}

async function installDependencies() {
  if (installed(readLock('package-lock.json'), readLock('node_modules/.package-lock.json'))) return
  say('setup: npm dependencies')
  // NODE_ENV=production must not leave the build tools out, nor `npm --silent` hide what fails
  const flags = ['--include=dev', '--loglevel=warn', '--no-audit', '--no-fund']
  await must('npm ci', 'npm', ['ci', ...flags])
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'))
  } catch (cause) {
    if (cause.code === 'ENOENT') return undefined
    throw cause
  }
}

/**
 * Tells whether npm has installed what the lockfile says.
 *
 * @param {object | undefined} wanted package-lock.json
 * @param {object | undefined} found node_modules/.package-lock.json, which npm keeps
 * @returns {boolean} packages for other platforms (`optional`, not found) do not count
 */
export function installed(wanted, found) {
  if (wanted === undefined) throw new ScriptError('package-lock.json is missing')
  if (found === undefined) return false
  return Object.entries(wanted.packages).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true
    const there = found.packages[path]
    if (there === undefined) return optional === true
    return there.version === version && there.integrity === integrity
  })
}

await main(import.meta.url, async () => {
  await setup({ tests: process.argv.includes('--tests') })
})
