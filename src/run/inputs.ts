// SPDX-License-Identifier: Apache-2.0
// What a command reads and is given: standard input, a terminal, secrets.
import type { Command } from '../contract/index.js'
import type { LaunchPlan, WindowSize } from './plan.js'
import type { SecretPlace } from './secrets.js'

/** What inputs are made of besides the command. */
interface InputContext {
  /** Size of what its terminal is shown on, if it is shown. */
  readonly windowSize: WindowSize | undefined
  /** Returns a path in the one spelling that names it. */
  readonly plain: (path: string) => string
}

/** Size of a terminal that nobody looks at. */
const USUAL_SIZE: WindowSize = { columns: 80, rows: 24 }

/** Returns what a command reads and is given, as its plan says it. */
export function inputsOf(
  command: Command,
  { windowSize = USUAL_SIZE, plain }: InputContext,
): Pick<LaunchPlan, 'secrets' | 'stdin' | 'terminal'> {
  const { pty, secrets = [] } = command
  return {
    stdin: stdinOf(command, plain),
    ...(pty === true && { terminal: windowSize }),
    ...(secrets.length > 0 && { secrets: secrets.map((secret) => placeOf(secret, plain)) }),
  }
}

type Plain = InputContext['plain']

function placeOf(
  { name, env, file }: NonNullable<Command['secrets']>[number],
  plain: Plain,
): SecretPlace {
  const place = { name, ...(env !== undefined && { env }) }
  return file === undefined ? place : { ...place, file: plain(file) }
}

function stdinOf({ pty, stdin }: Command, plain: Plain): LaunchPlan['stdin'] {
  const { file, text = '', inherit } = stdin ?? {}
  const isTyped = pty === true && stdin === undefined
  if (inherit === true || isTyped) return { kind: 'stream' }
  if (file !== undefined) return { kind: 'file', path: plain(file) }
  return { kind: text === '' ? 'empty' : 'bytes' }
}

/** Returns what a command asks for that there is in a sandbox only. */
export function sandboxOnly({ pty, secrets = [] }: Command): readonly string[] {
  return [
    ...(pty === true ? ['pty'] : []),
    ...(secrets.some(({ file }) => file !== undefined) ? ['secrets'] : []),
  ]
}
