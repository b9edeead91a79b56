// SPDX-License-Identifier: Apache-2.0
import { Command, Flags } from '@oclif/core'
import { AmbitError } from '../index.js'
import { emit, reportError, say } from './answer.js'

export { jsonText, oneLine } from './text.js'

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
    emit(version, document)
  }

  /** Says something to a person, in lines. Names from outside go through {@link oneLine} before. */
  protected say(text: string): void {
    if (!this.json) say(text)
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
    reportError(error, this.json || this.argv.includes('--json'))
    this.finish(this.exitCodeFor(error))
  }
}
