// SPDX-License-Identifier: Apache-2.0
// The short way of `ambit check`, without the framework of the command line: bin/ambit.js tries it
// first. It takes the plain forms alone; whatever else stands there, help and wrong usage included,
// the framework reads.
import { AmbitError } from '../index.js'
import { reportError } from './answer.js'
import { type CheckWords, answerCheck, checkExitCode } from './check.js'

type Flags = Pick<CheckWords, 'explain' | 'json' | 'mode'>

/** Words that set a flag; a value may stand apart. */
const FLAGS: ReadonlyMap<string, Partial<Flags>> = new Map<string, Partial<Flags>>([
  ['--explain', { explain: true }],
  ['--json', { json: true }],
  ['--mode=hardened', { mode: 'hardened' }],
  ['--mode=local', { mode: 'local' }],
])

/**
 * Reads the words after `check`.
 *
 * @returns undefined for all but two files and the flags above, each once at most
 */
function read(argv: readonly string[]): CheckWords | undefined {
  const files: string[] = []
  const flags: Partial<Flags> = {}
  for (const word of joined(argv)) {
    const flag = FLAGS.get(word)
    if (flag === undefined) files.push(word)
    else if (Object.keys(flag).some((name) => name in flags)) return undefined
    else Object.assign(flags, flag)
  }
  if (files.some((word) => word === '' || word.startsWith('-'))) return undefined
  const [contract, policy, ...more] = files
  if (contract === undefined || policy === undefined || more.length > 0) return undefined
  const byDefault = { explain: false, json: false, mode: 'hardened' } as const
  return { contract, policy, approvals: [], ...byDefault, ...flags }
}

/** Writes `--mode` and its value as one word. */
function joined(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('--mode')
  if (at === -1) return argv
  return [...argv.slice(0, at), `--mode=${argv[at + 1] ?? ''}`, ...argv.slice(at + 2)]
}

/**
 * Answers `ambit check`, and sets the exit code.
 *
 * @param argv the words after `check`
 * @returns false, having done nothing, when the framework is to read them
 */
export async function fastCheck(argv: readonly string[]): Promise<boolean> {
  const words = read(argv)
  if (words === undefined) return false
  try {
    process.exitCode = await answerCheck(words)
  } catch (error) {
    if (!(error instanceof AmbitError)) throw error
    reportError(error, words.json)
    process.exitCode = checkExitCode(error)
  }
  return true
}
