#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The entry of the command line: what oclif's `execute` does, with four differences.
// Wrong usage ends with 64. What fails before a command could report it ends with that
// command's own code for a failure. And neither the user's data folder nor an environment
// variable can add code: no user plugins, no development plugins, no TypeScript sources. The plain
// forms of `check` take a way of their own, since loading the framework takes longer than deciding.
import { fileURLToPath } from 'node:url'

const EXIT_USAGE = 64
// A crash must not read as an answer: 1 is "invalid" for `verify` and may be the child's for `run`.
const EXIT_FAILURE = new Map([
  ['audit', 2],
  ['run', 125],
  ['verify', 2],
])

const argv = process.argv.slice(2)

/**
 * Tells wrong usage from all else. oclif gives 2 to parse errors and unknown commands;
 * an exit that a command chose (`this.exit(2)`, a denial) is an `ExitError` and is not ours.
 */
function isUsage(error, Errors) {
  return (
    error instanceof Errors.CLIError &&
    !(error instanceof Errors.ExitError) &&
    error.oclif?.exit === 2
  )
}

/** Tells a fault from an exit that a command or oclif chose; a command that is not there is a fault. */
function isOurs(error, Errors) {
  return error?.oclif === undefined || error instanceof Errors.ModuleLoadError
}

/** True when `--json` stands before the first `--`: what follows that is not for us. */
function wantsJson() {
  const end = argv.indexOf('--')
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json')
}

/** Returns the text as one line. Hostile input shows as `\x1b`, it does not reach the terminal. */
function oneLine(text) {
  return text
    .replace(/\n*See more help with --help\s*$/u, '')
    .replace(
      /^command (.*) not found$/su,
      (_, id) => `unknown command \`${id.replaceAll(':', ' ')}\``,
    )
    .replace(/\s*\n\s*/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escapeChar)
    .trim()
}

/** Returns the stack, a line each, as harmless as `oneLine` makes a message. */
function stackOf(error) {
  return String(error?.stack ?? error).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    char === '\n' ? char : escapeChar(char),
  )
}

function escapeChar(char) {
  const hex = char.codePointAt(0).toString(16)
  return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`
}

function report(code, message, exitCode) {
  if (wantsJson()) {
    const document = { version: 'ambit.error.v1', error: { code, message } }
    process.stdout.write(`${JSON.stringify(document)}\n`)
  } else {
    process.stderr.write(`ambit: ${message}\n`)
  }
  process.exitCode = exitCode
}

function reportFailure(error) {
  const missing = error?.code === 'ERR_ADDON_MISSING'
  // a fault of ours: the stack helps whoever reads the report
  if (!missing && !wantsJson()) process.stderr.write(`${stackOf(error)}\n`)
  const message = oneLine(error?.message ?? String(error))
  report(missing ? error.code : 'ERR_INTERNAL', message, EXIT_FAILURE.get(argv[0]) ?? 1)
}

/**
 * Answers the plain forms of `check`.
 *
 * @returns false when the framework is to read the words; it also says what cannot be loaded
 */
async function isAnswered() {
  if (argv[0] !== 'check') return false
  let module
  try {
    module = await import('../dist/fast-check.js')
  } catch {
    return false
  }
  try {
    return await module.fastCheck(argv.slice(1))
  } catch (error) {
    reportFailure(error)
    return true
  }
}

/** Lets the framework find the command, read the words and run it. */
async function runCommand() {
  const { Errors, flush, handle, run, settings } = await import('@oclif/core')
  settings.enableAutoTranspile = false
  try {
    await run(argv, { root: fileURLToPath(import.meta.url), devPlugins: false, userPlugins: false })
    await Promise.race([flush(), unread])
  } catch (error) {
    if (isUsage(error, Errors)) {
      report('ERR_CONFIG_USAGE', `${oneLine(error.message)}, see --help`, EXIT_USAGE)
    } else if (isOurs(error, Errors)) reportFailure(error)
    else await handle(error)
  }
}

// With nobody to read it, as behind `| head`, what is left is never written and not to be waited for.
const unread = new Promise((resolve) => {
  process.stdout.once('error', resolve)
})

if (!(await isAnswered())) await runCommand()
