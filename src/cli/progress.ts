// SPDX-License-Identifier: Apache-2.0
import type { ProgressListener } from '../index.js'

const WIDTH = 30
const CLEAR = '\r\u001B[K'

/**
 * Returns a listener that draws a bar on stderr, and what removes the bar at the end. Where stderr is
 * no terminal, or nobody is to be talked to, nothing is drawn.
 */
export function progressBar(
  what: string,
  quiet: boolean,
): { readonly listener: ProgressListener | undefined; readonly end: () => void } {
  if (quiet || !process.stderr.isTTY) return { listener: undefined, end: () => {} }
  const listener: ProgressListener = (done, total) => {
    const part = total === 0 ? 0 : done / total
    const bar = '█'.repeat(Math.floor(part * WIDTH)).padEnd(WIDTH, '░')
    process.stderr.write(`${CLEAR}${what} ${bar} ${Math.floor(part * 100)}% of ${total}`)
  }
  return { listener, end: () => process.stderr.write(CLEAR) }
}
