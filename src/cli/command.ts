// SPDX-License-Identifier: Apache-2.0
import { Command, Flags } from '@oclif/core'
import { AmbitError, ContractError, PolicyError } from '../index.js'

/** What every command shares: one JSON object on stdout or words on stderr, and exit codes. */
export abstract class AmbitCommand extends Command {
  /** The flag that every command has. */
  static readonly shared = {
    json: Flags.boolean({ description: 'print one JSON object on stdout, and nothing else' }),
  }

  /** Whether this call answers in JSON. */
  protected json = false

  /** Returns the exit code for an error of this kind. */
  protected abstract exitCodeFor(error: AmbitError): number

  /** Prints the one JSON object of this call; as text, too, it holds nothing a terminal acts on. */
  protected emit(version: string, document: object): void {
    process.stdout.write(`${jsonText({ version, ...document })}\n`)
  }

  /** Says something to a person, in lines. Names from outside go through {@link oneLine} before. */
  protected say(text: string): void {
    if (!this.json) process.stderr.write(`${lines(text)}\n`)
  }

  /** Ends the call with this exit code once all output is written. */
  protected finish(exitCode: number): void {
    process.exitCode = exitCode
  }

  /** Reports errors that have a code; all others are faults and stay visible as such. */
  protected override async catch(error: Error & { exitCode?: number }): Promise<void> {
    if (!(error instanceof AmbitError)) {
      // oxlint-disable-next-line promise/no-promise-in-callback -- not a promise's catch: oclif's hook
      await super.catch(error)
      return
    }
    const { code, details } = error
    // what is wrong with a document is shown in several lines, each made safe when it was made
    const isDocument = error instanceof ContractError || error instanceof PolicyError
    const message = isDocument ? lines(error.message) : oneLine(error.message)
    if (this.json || this.argv.includes('--json')) {
      this.emit('ambit.error.v1', { error: { code, message, details } })
    } else {
      process.stderr.write(`ambit: ${message}   ${code}\n`)
    }
    this.finish(this.exitCodeFor(error))
  }
}

/** What a terminal could act on, or nobody sees. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Makes every such character visible. */
export function oneLine(text: string): string {
  return text.replaceAll(INVISIBLE, (character) => {
    const hex = (character.codePointAt(0) ?? 0).toString(16)
    return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`
  })
}

/** Writes JSON that, as text too, holds nothing a terminal acts on. */
export function jsonText(value: object): string {
  return JSON.stringify(value).replaceAll(INVISIBLE, jsonEscape)
}

/** The same for every line of a text. */
function lines(text: string): string {
  return text.split('\n').map(oneLine).join('\n')
}

/** Writes a character as JSON may, so that reading gives the same. */
function jsonEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
