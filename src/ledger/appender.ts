// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises'
import { InternalError } from '../errors.js'
import { type Signer, handleOf } from '../keys/signer.js'
import { type addon, unwrap } from '../native.js'
import type { Recorded, Submission } from './types.js'

type Handle = InstanceType<typeof addon.LedgerHandle>

interface Waiting {
  readonly signer: Signer
  readonly submission: Submission
  readonly resolve: (recorded: Recorded) => void
  readonly reject: (reason: unknown) => void
}

/** Submissions in one call to the addon, and so in one commit. */
const MOST = 1024

/**
 * Takes appends as they come: one alone goes at once, those that come while it is written go
 * together after it.
 */
export class Appender {
  readonly #handle: Handle
  #waiting: Waiting[] = []
  #busy = false

  constructor(handle: Handle) {
    this.#handle = handle
  }

  /** Appends one; settles when it is durable or refused. */
  async append(signer: Signer, submission: Submission): Promise<Recorded> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ signer, submission, resolve, reject })
      if (!this.#busy) void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    this.#busy = true
    while (this.#waiting.length > 0) {
      await this.#write(this.#next())
      // who was waiting for these may ask for more: those go together too
      await setImmediate()
    }
    this.#busy = false
  }

  /** Takes those at the front that the same key signs. */
  #next(): Waiting[] {
    const [first] = this.#waiting
    const other = this.#waiting.findIndex(({ signer }) => signer !== first?.signer)
    return this.#waiting.splice(0, Math.min(other === -1 ? MOST : other, MOST))
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch
    if (first === undefined) return
    try {
      const submissions = batch.map(({ submission }) => submission)
      const answers = await this.#handle.appendAll(submissions, handleOf(first.signer))
      const results = Array.isArray(answers) ? answers : batch.map(() => answers)
      for (const [at, waiting] of batch.entries()) settle(waiting, results[at])
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}

type Answers = Awaited<ReturnType<Handle['appendAll']>>
type Answer = Extract<Answers, readonly unknown[]>[number]

function settle({ resolve, reject }: Waiting, answer: Answer | undefined): void {
  try {
    if (answer === undefined) throw new InternalError('an append has no result')
    const { seq, digest, bytes } = unwrap(answer)
    resolve({ seq, digest, bytes })
  } catch (error) {
    reject(error)
  }
}
