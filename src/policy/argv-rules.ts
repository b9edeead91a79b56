// SPDX-License-Identifier: Apache-2.0

// Rules on argvs that know what an option is. A rule names a program and conditions; every kind of
// condition that it gives must be met, one item of a kind is enough. Where an argv can be read in
// two ways, both are tried: a rule rather applies once too often.

import { quote, type SchemaFault } from '../contract/issues.js'
import { innerStarts } from './inline-code.js'
import { programName } from './interpreters.js'
import type { PolicyDocument } from './schema.js'
import { wildcard } from './wildcard.js'

/** A rule as the policy states it. */
type Stated = NonNullable<PolicyDocument['argv_rules']>[number]

/** A rule, ready to be applied. */
export interface ArgvRule {
  readonly stated: Stated
  /** Its place, such as `argv_rules[2]`. */
  readonly path: string
  /** Says whether it applies to an argv, or to a command that the argv starts. */
  readonly applies: (argv: readonly string[]) => boolean
}

/** How a program's options take arguments. */
interface Grammar {
  readonly valueOptions: ReadonlySet<string>
  readonly flagOptions: ReadonlySet<string>
}

const words = (text: string): readonly string[] => text.split(' ')

/** Options before the subcommand of programs that have subcommands. */
const GRAMMARS = new Map<string, { values: readonly string[]; flags: readonly string[] }>([
  [
    'cargo',
    {
      values: words('-Z --config -C --color --manifest-path'),
      flags: words('-v -q --verbose --quiet --locked --offline --frozen'),
    },
  ],
  [
    'git',
    {
      values: words(
        '-C -c --attr-source --config-env --git-dir --namespace --super-prefix --work-tree',
      ),
      flags: words(
        '-P -p --bare --glob-pathspecs --icase-pathspecs --literal-pathspecs --no-advice --no-lazy-fetch --no-optional-locks --no-pager --no-replace-objects --noglob-pathspecs --paginate',
      ),
    },
  ],
  [
    'npm',
    {
      values: words('-C -w --prefix --workspace --registry --loglevel'),
      flags: words('-s -d --silent --json --offline --workspaces --ignore-scripts'),
    },
  ],
])

function grammarOf(stated: Stated, name: string): Grammar {
  const known = GRAMMARS.get(name)
  return {
    valueOptions: new Set([...(known?.values ?? []), ...(stated.value_options ?? [])]),
    flagOptions: new Set([...(known?.flags ?? []), ...(stated.flag_options ?? [])]),
  }
}

/** What an argv says, as far as rules ask. */
interface Reading {
  /** Options before `--`, and those of them before the first operand. */
  readonly options: readonly string[]
  readonly globals: readonly string[]
  /** What can be the first operand, and where. */
  readonly subcommands: readonly string[]
  readonly starts: readonly number[]
}

const isOption = (argument: string): boolean => argument.startsWith('-') && argument !== '-'

/** Reads arguments. After an option that may take a value, two operands can be the first one. */
function read(args: readonly string[], grammar: Grammar): Reading {
  const end = args.indexOf('--')
  const last = end === -1 ? args.length : end
  const globals: string[] = []
  const subcommands: string[] = []
  const starts: number[] = []
  let isSure = true
  for (let at = 0; at < args.length; at += 1) {
    const argument = args[at] ?? ''
    if (at === end) continue
    if (at > last || !isOption(argument)) {
      subcommands.push(argument)
      starts.push(at)
      if (isSure) break
      isSure = true
      continue
    }
    globals.push(argument)
    if (grammar.valueOptions.has(argument)) at += 1
    else isSure = argument.includes('=') || grammar.flagOptions.has(argument)
  }
  return { options: args.slice(0, last).filter(isOption), globals, subcommands, starts }
}

/** The grammars of programs that have subcommands. */
const KNOWN: ReadonlyMap<string, Grammar> = new Map(
  [...GRAMMARS].map(([name, { values, flags }]) => [
    name,
    { valueOptions: new Set(values), flagOptions: new Set(flags) },
  ]),
)

/**
 * Returns the places at which the subcommand of a program can stand, if it is one that has any.
 *
 * @param argv with a command in it
 * @param start where that command begins
 */
export function subcommandStarts(argv: readonly string[], start: number): readonly number[] {
  const grammar = KNOWN.get(programName(argv[start] ?? ''))
  if (grammar === undefined) return []
  return read(argv.slice(start + 1), grammar).starts.map((at) => start + 1 + at)
}

/** Says whether an argument is a long option, as it is or shortened. */
function isLong(argument: string, option: string): boolean {
  const [name = ''] = argument.split('=', 1)
  return name.length > 3 && name.startsWith('--') && option.startsWith(name)
}

/** Says whether a letter stands in a cluster of short options before one that takes the rest. */
function isInCluster(cluster: string, letter: string, valueOptions: ReadonlySet<string>): boolean {
  for (const candidate of cluster) {
    if (candidate === letter) return true
    if (valueOptions.has(`-${candidate}`)) return false
  }
  return false
}

/** Says whether an argument is an option, whatever the way in which it is written. */
function isLike(argument: string, option: string, valueOptions: ReadonlySet<string>): boolean {
  if (argument === option || argument.startsWith(`${option}=`)) return true
  if (option.startsWith('--')) return isLong(argument, option)
  if (!/^-[^-]$/u.test(option) || argument.startsWith('--')) return false
  return isInCluster(argument.slice(1), option.slice(1), valueOptions)
}

/** One kind of condition; undefined where the rule does not give it. */
type Condition = (args: readonly string[], reading: Reading) => boolean

function conditionsOf(stated: Stated, { valueOptions }: Grammar): readonly Condition[] {
  const { subcommands, subcommands_except: except, options, global_options: globals } = stated
  const patterns = stated.arguments?.map(wildcard)
  const found: (Condition | undefined)[] = [
    subcommands && ((_, reading) => reading.subcommands.some((word) => subcommands.includes(word))),
    except &&
      ((_, reading) =>
        reading.subcommands.length === 0 ||
        reading.subcommands.some((word) => !except.includes(word))),
    globals &&
      ((_, reading) =>
        reading.globals.some((given) => globals.some((name) => isLike(given, name, valueOptions)))),
    options &&
      ((_, reading) =>
        reading.options.some((given) => options.some((name) => isLike(given, name, valueOptions)))),
    patterns && ((args) => args.some((argument) => patterns.some((like) => like(argument)))),
  ]
  return found.filter((condition) => condition !== undefined)
}

function isProgram(stated: Stated, executable: string): boolean {
  const { program } = stated
  if (program === '*') return true
  return program.includes('/') ? program === executable : program === programName(executable)
}

/**
 * Makes a rule ready to be applied.
 *
 * @param stated the rule as the policy states it
 * @param index its place in `argv_rules`
 */
export function compileArgvRule(stated: Stated, index: number): ArgvRule {
  const grammar = grammarOf(stated, programName(stated.program))
  const conditions = conditionsOf(stated, grammar)
  const appliesAt = (argv: readonly string[]): boolean => {
    const [executable = '', ...args] = argv
    if (!isProgram(stated, executable)) return false
    const reading = read(args, grammar)
    return conditions.every((condition) => condition(args, reading))
  }
  return {
    stated,
    path: `argv_rules[${index}]`,
    applies: (argv) =>
      appliesAt(argv) || innerStarts(argv).some((start) => appliesAt(argv.slice(start))),
  }
}

/**
 * Tries the examples of rules.
 *
 * @param rules as {@link compileArgvRule} made them
 * @returns each example that does not fit its rule
 */
export function exampleFaults(rules: readonly ArgvRule[]): readonly SchemaFault[] {
  return rules.flatMap(({ stated, applies }, rule) =>
    (['match', 'not_match'] as const).flatMap((kind) =>
      (stated[kind] ?? []).flatMap((argv, index): readonly SchemaFault[] => {
        if (applies(argv) === (kind === 'match')) return []
        const verb = kind === 'match' ? 'does not apply' : 'applies'
        const message = `rule ${quote(stated.id)} ${verb} to this example`
        const path = ['argv_rules', rule, kind, index]
        return [{ path, message, code: 'EXAMPLE_MISMATCH', atName: false }]
      }),
    ),
  )
}
