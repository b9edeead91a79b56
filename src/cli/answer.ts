// SPDX-License-Identifier: Apache-2.0
// What a call of a command says, apart from how its words were read.
import { type AmbitError, ContractError, PolicyError } from '../index.js'
import { jsonText, oneLine, safeLines } from './text.js'

/** Prints the one JSON object of a call. */
export function emit(version: string, document: object): void {
  process.stdout.write(`${jsonText({ version, ...document })}\n`)
}

/** Says something to a person, in lines. Names from outside go through {@link oneLine} before. */
export function say(text: string): void {
  process.stderr.write(`${safeLines(text)}\n`)
}

/** Reports an error that has a code, as JSON or in words. */
export function reportError(error: AmbitError, json: boolean): void {
  const { code, details } = error
  // what is wrong with a document is shown in several lines, each made safe when it was made
  const isDocument =
    error instanceof ContractError ||
    error instanceof PolicyError ||
    code === 'ERR_INSPECT_RULES_INVALID'
  const message = isDocument ? safeLines(error.message) : oneLine(error.message)
  if (json) emit('ambit.error.v1', { error: { code, message, details } })
  else process.stderr.write(`ambit: ${message}   ${code}\n`)
}
