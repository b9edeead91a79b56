// SPDX-License-Identifier: Apache-2.0

/** One line of a stream, without its end; undefined for one that is too long. */
export type Line = Buffer | undefined

const NEWLINE = 0x0a

/**
 * Cuts a stream into lines, and holds no more than one line of the greatest length.
 *
 * @param stream bytes
 * @param maxBytes the greatest length of a line; what is longer is dropped
 */
export async function* linesOf(
  stream: AsyncIterable<Buffer | string>,
  maxBytes: number,
): AsyncGenerator<Line> {
  let held: Buffer[] = []
  let length = 0
  const take = (): Line => {
    const line = length > maxBytes ? undefined : Buffer.concat(held, length)
    held = []
    length = 0
    return line
  }
  const hold = (piece: Buffer): void => {
    length += piece.length
    if (length <= maxBytes) held.push(piece)
    else held = []
  }
  for await (const chunk of stream) {
    let rest = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    for (let at = rest.indexOf(NEWLINE); at !== -1; at = rest.indexOf(NEWLINE)) {
      hold(rest.subarray(0, at))
      yield take()
      rest = rest.subarray(at + 1)
    }
    if (rest.length > 0) hold(rest)
  }
  if (length > 0) yield take()
}
