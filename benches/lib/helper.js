// SPDX-License-Identifier: Apache-2.0
// Builds `helper.c` and talks to it.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/**
 * Compiles the helper.
 *
 * @param {string} folder where its program is put
 * @returns {{ path: string } | { absent: string }}
 */
export function compileHelper(folder) {
  const path = join(folder, 'helper')
  try {
    execFileSync('cc', ['-O2', '-o', path, join(import.meta.dirname, 'helper.c')], {
      stdio: 'pipe',
    })
    return { path }
  } catch (error) {
    return { absent: `no compiler: ${String(error.message).split('\n', 1)[0]}` }
  }
}

/** A program that answers each line with a line, or each byte. */
export class Answering {
  #child
  #lines

  constructor(command, args, options = {}) {
    this.#child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  /** Says something, and returns the next line; `undefined` when it has ended. */
  async ask(text) {
    this.#child.stdin.write(text)
    const { done, value } = await this.#lines.next()
    return done ? undefined : value
  }

  async close() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.stdin.end()
    await once(this.#child, 'exit')
  }
}
