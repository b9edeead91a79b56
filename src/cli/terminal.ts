// SPDX-License-Identifier: Apache-2.0
// The caller's terminal while a command with a terminal of its own is shown on it.

/**
 * Puts the terminal of this process into raw mode, so that keys reach the command as they are
 * typed, and puts it back: at the end of this process however that comes about, but for `SIGKILL`,
 * and while it is stopped.
 */
export class RawTerminal {
  #isRaw = false
  readonly #isUsable: boolean

  /** @param output what the command's terminal is shown on */
  constructor(output: NodeJS.WriteStream) {
    this.#isUsable = process.stdin.isTTY && output.isTTY
  }

  /** Turns raw mode on or off; without a terminal nothing happens. */
  set(isRaw: boolean): void {
    if (!this.#isUsable || isRaw === this.#isRaw) return
    this.#isRaw = isRaw
    process.stdin.setRawMode(isRaw)
    if (isRaw) {
      process.on('exit', this.#restore)
      process.on('SIGTSTP', this.#stop)
      process.on('SIGCONT', this.#goOn)
      return
    }
    process.off('exit', this.#restore)
    process.off('SIGTSTP', this.#stop)
    process.off('SIGCONT', this.#goOn)
  }

  readonly #restore = (): void => {
    if (this.#isRaw) process.stdin.setRawMode(false)
  }

  readonly #stop = (): void => {
    this.#restore()
    process.kill(process.pid, 'SIGSTOP')
  }

  readonly #goOn = (): void => {
    if (this.#isRaw) process.stdin.setRawMode(true)
  }
}
