// SPDX-License-Identifier: Apache-2.0
// Both ends of a run's streams as Node sees them. The addon copies between pipes, so that a reader
// who is slow slows the command, and no more than a pipe and a piece wait in memory.
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { Readable, type Writable } from 'node:stream'

/** Receives pieces of output. The command waits for a promise that it returns. */
export type PieceListener = (piece: Uint8Array) => unknown

function socketOf(fd: number, readable: boolean): Socket {
  try {
    return new Socket({ fd, readable, writable: !readable })
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Bytes that a stream of ours holds before its reader has taken them. */
const HELD_BYTES = 65_536

/**
 * Returns what a pipe brings, and after it what the run had left when it ended.
 *
 * @param fd reading end of a pipe, which is closed at the end
 * @param rest resolves when the run has ended
 */
export function outputOf(fd: number, rest: () => Promise<Uint8Array>): Readable {
  const socket = socketOf(fd, true)
  const options = { objectMode: false, highWaterMark: HELD_BYTES }
  return Readable.from(wholeOf(socket, rest), options)
}

async function* wholeOf(
  socket: Socket,
  rest: () => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* socket
  const last = await rest()
  if (last.length > 0) yield last
}

/** Returns what writes into a pipe, and closes it at its end. */
export function inputOf(fd: number): Writable {
  return socketOf(fd, false)
}

/** What listeners of a run have in common. */
export class Listening {
  /** What a listener threw first. */
  thrown: { readonly cause: unknown } | undefined
  #isOver = false
  readonly #waiting = new Set<() => void>()
  readonly #stop: () => void

  /** @param stop stops the run */
  constructor(stop: () => void) {
    this.#stop = stop
  }

  /** Notes that a listener, or the input, has failed: the run is stopped for it. */
  fail(cause: unknown): void {
    this.thrown ??= { cause }
    this.#stop()
    this.release()
  }

  /** Calls a listener with each piece of a stream, one after the other. Never throws. */
  async deliver(stream?: Readable, listener?: PieceListener): Promise<void> {
    if (stream === undefined || listener === undefined) return
    try {
      const pieces: AsyncIterable<Uint8Array> = stream
      for await (const piece of pieces) {
        if (this.thrown) return
        const answer = listener(piece)
        if (isThenable(answer)) await this.#until(answer)
      }
    } catch (cause) {
      this.fail(cause)
    }
  }

  /** Notes that the run has ended: from now on nobody waits for a listener. */
  release(): void {
    this.#isOver = true
    for (const go of this.#waiting) go()
    this.#waiting.clear()
  }

  async #until(answer: PromiseLike<unknown>): Promise<void> {
    await new Promise<void>((resolve) => {
      const go = () => {
        this.#waiting.delete(go)
        resolve()
      }
      answer.then(go, (cause: unknown) => {
        this.fail(cause)
        go()
      })
      if (this.#isOver) go()
      else this.#waiting.add(go)
    })
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
