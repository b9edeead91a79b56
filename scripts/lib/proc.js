// SPDX-License-Identifier: Apache-2.0
// Starting programs and talking to people, for the scripts. Node builtins only: these run before
// anything is installed.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The folder of the project: absolute, no slash at the end. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** True where CI runs us: nothing is skipped and lockfiles are taken as they are. */
export const inCi = process.env['CI'] === 'true'

/** A failure that needs no stack: the message says all. */
export class ScriptError extends Error {
  name = 'ScriptError'
}

/** Writes one line to stdout. */
export function say(line = '') {
  process.stdout.write(`${line}\n`)
}

/** Returns the seconds since `start`, a value of `performance.now()`, as text with one decimal. */
export function seconds(start) {
  return ((performance.now() - start) / 1000).toFixed(1)
}

/**
 * Runs a program from the project's folder and waits for its end.
 *
 * Without `onLine` its output goes where ours goes. With it, stdout and stderr are joined into one
 * pipe, so that their order is kept, and each line is handed over.
 *
 * @param {string} command the program
 * @param {string[]} args its arguments, never read by a shell
 * @param {{ env?: Record<string, string>, onLine?: (line: string) => void }} [options] `env` is
 *   added to ours
 * @returns {Promise<number>} its exit code; 128 + n when signal n ended it; 127 when there is no
 *   such program
 */
export async function run(command, args, { env = {}, onLine } = {}) {
  const options = { cwd: root, env: { ...process.env, ...env } }
  if (onLine === undefined) return ended(spawn(command, args, { ...options, stdio: 'inherit' }))
  // `2>&1` before the exec: one pipe for both streams. The program and its arguments are `"$@"`.
  const shell = ['-c', 'exec "$@" 2>&1', 'sh', command, ...args]
  const child = spawn('/bin/sh', shell, { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
  const code = ended(child)
  for await (const line of createInterface({ input: child.stdout })) onLine(line)
  return code
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => (error.code === 'ENOENT' ? resolve(127) : reject(error)))
    child.once('close', (code, signal) => resolve(code ?? 128 + signalNumber(signal)))
  })
}

function signalNumber(signal) {
  return { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }[signal] ?? 0
}

/** Runs a program as `run` does and throws a `ScriptError` unless it ends with 0. */
export async function must(what, command, args, options) {
  const code = await run(command, args, options)
  if (code !== 0) throw new ScriptError(`${what} failed (exit ${code})`)
}

/**
 * Returns the file that a package declares as its program, to be run by a Node of our choice.
 *
 * @param {string} name the package, installed in the project
 * @param {string} [program] which one, when its name is not the package's
 */
export function programOf(name, program = name) {
  const folder = join(root, 'node_modules', name)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, typeof bin === 'string' ? bin : bin[program])
}

/**
 * Runs `work` when the module is the program that was started, and turns a failure into an exit
 * code. `ScriptError`s are told in their own words; all else is a fault and shows its stack.
 *
 * @param {string} url the module's `import.meta.url`
 * @param {() => Promise<number | void>} work returns the exit code; nothing means 0
 */
export async function main(url, work) {
  if (!isProgram(fileURLToPath(url))) return
  try {
    process.exitCode = (await work()) ?? 0
  } catch (error) {
    process.stderr.write(`\n${error instanceof ScriptError ? error.message : error.stack}\n`)
    process.exitCode = 1
  }
}

/** Compares real paths: behind a symbolic link a script must not do nothing and report success. */
function isProgram(path) {
  try {
    return createRequire(import.meta.url).resolve(process.argv[1] ?? '') === path
  } catch {
    return false // `node -e …`: what stands there is not a file
  }
}
