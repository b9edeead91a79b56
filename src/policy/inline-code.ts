// SPDX-License-Identifier: Apache-2.0

// Says whether an argv hands code over as text (`sh -c`, `python3 -c`, `node -e`, `eval`), on stdin
// (`python3` at the end of a pipeline), or through a wrapper (`env sh -c`). Interpreters that run
// a file are fine. What cannot be read for certain counts as code: a name holds nothing, the
// kernel does, and this check only keeps the obvious door shut.

import { carriesCommand } from './command-options.js'
import {
  ALWAYS_CODE,
  type Interpreter,
  interpreterOf,
  isPython,
  isPythonCodeModule,
  isWrapper,
  programName,
} from './interpreters.js'

const STDIN_FILE = /^(?:-|\/dev\/stdin|\/dev\/fd\/\d+|\/proc\/(?:self|thread-self)\/fd\/\d+)$/

/** What one argument means for the arguments after it. */
type Step = 'code' | 'info' | 'last' | 'next' | 'operand' | 'skip' | 'unsure'

function longOption(argument: string, following: string, by: Interpreter): Step {
  const equals = argument.indexOf('=')
  const written = equals === -1 ? argument.slice(2) : argument.slice(2, equals)
  const name = written.replaceAll('_', '-')
  const value = equals === -1 ? following : argument.slice(equals + 1)
  const takesValue = by.valueLong.includes(name)
  if (by.codeLong.includes(name) || (takesValue && by.codeValue.test(value))) return 'code'
  if (equals !== -1) return 'next'
  if (takesValue) return valueStep(following)
  return by.flagLong.test(name) ? 'next' : 'unsure'
}

/** An option is not passed over as a value: many letters (`perl -i`, `ruby -W`) may have none. */
function valueStep(following: string): Step {
  return /^[-+]/.test(following) ? 'next' : 'skip'
}

/** Judges the value of `-x value` or `-xvalue`. */
function shortValue(letter: string, rest: string, following: string, by: Interpreter): Step {
  const value = rest === '' ? following : rest
  if (letter === 'm' && isPython(by)) return isPythonCodeModule(value) ? 'code' : 'last'
  if (by.suspectShort.includes(letter) && by.codeValue.test(value)) return 'code'
  return rest === '' ? valueStep(following) : 'next'
}

function shortCluster(argument: string, following: string, by: Interpreter): Step {
  const letters = argument.slice(1)
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters.charAt(at)
    if (by.codeShort.includes(letter)) return 'code'
    if (by.valueShort.includes(letter)) {
      return shortValue(letter, letters.slice(at + 1), following, by)
    }
  }
  return 'next'
}

function stepOf(argument: string, following: string, by: Interpreter): Step {
  if (by.info.test(argument)) return 'info'
  if (argument === '--') return STDIN_FILE.test(following) || following === '' ? 'code' : 'last'
  if (STDIN_FILE.test(argument)) return 'code'
  if (argument.startsWith('--')) return longOption(argument, following, by)
  if (argument.startsWith('-') || argument.startsWith('+')) {
    return shortCluster(argument, following, by)
  }
  return 'operand'
}

/** Steps after which nothing is read from stdin. */
const NAMES_INPUT: readonly Step[] = ['info', 'operand']

/** Judges the arguments of an interpreter; without a file to run it reads code from stdin. */
function interpretsCode(args: readonly string[], by: Interpreter): boolean {
  const steps = new Set<Step>(by.operands === 'anywhere' ? ['operand', 'unsure'] : [])
  for (let at = 0; at < args.length; at += 1) {
    const [argument = '', following = ''] = args.slice(at, at + 2)
    const step = stepOf(argument, following, by)
    if (step === 'code' || step === 'last') return step === 'code'
    if (step === 'operand' && !steps.has('unsure')) return false
    if (step === 'skip') at += 1
    steps.add(step)
  }
  return !NAMES_INPUT.some((step) => steps.has(step))
}

function isCode(argv: readonly string[]): boolean {
  const name = programName(argv[0] ?? '')
  if (ALWAYS_CODE.test(name)) return true
  const interpreter = interpreterOf(name)
  if (interpreter !== undefined && interpretsCode(argv.slice(1), interpreter)) return true
  return carriesCommand(name, argv.slice(1))
}

const FIND_ACTIONS = new Set(['-exec', '-execdir', '-ok', '-okdir'])

/** Returns the places in an argv at which a wrapper may start another command. */
export function innerStarts(argv: readonly string[]): readonly number[] {
  const name = programName(argv[0] ?? '')
  const npmExec = name === 'npm' && argv.slice(1).some((argument) => /^(?:exec|x)$/.test(argument))
  if (!npmExec && !isWrapper(name)) return []
  const all = Array.from(argv.keys()).slice(1)
  return name === 'find' ? all.filter((at) => FIND_ACTIONS.has(argv[at - 1] ?? '')) : all
}

/**
 * Returns the executables, as written, to which an argv hands code instead of naming a file that
 * holds it: the first one, or one that a wrapper may start.
 *
 * @param argv at least the executable
 */
export function inlineCodeIn(argv: readonly string[]): readonly string[] {
  return [0, ...innerStarts(argv)]
    .filter((at) => isCode(at === 0 ? argv : argv.slice(at)))
    .map((at) => argv[at] ?? '')
}
