// SPDX-License-Identifier: Apache-2.0
import { Command, Flags } from '@oclif/core'
import { AmbitError } from '../index.js'

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

  /** Prints the one JSON object of this call. */
  protected emit(version: string, document: object): void {
    process.stdout.write(`${JSON.stringify({ version, ...document })}\n`)
  }

  /** Says something to a person. */
  protected say(text: string): void {
    if (!this.json) process.stderr.write(`${text}\n`)
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
    const { code, message, details } = error
    if (this.json || this.argv.includes('--json')) {
      this.emit('ambit.error.v1', { error: { code, message: printable(message), details } })
    } else {
      process.stderr.write(`ambit: ${printable(message)}   ${code}\n`)
    }
    this.finish(this.exitCodeFor(error))
  }
}

/** Makes every character visible that a terminal could act on, but for line feeds. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) => {
    if (character === '\n') return character
    const hex = (character.codePointAt(0) ?? 0).toString(16)
    return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`
  })
}
