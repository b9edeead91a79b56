// SPDX-License-Identifier: Apache-2.0

/**
 * Returns a test for texts that are like a pattern: `*` is any text, everything else is itself.
 *
 * @param pattern such as `LC_*`
 */
export function wildcard(pattern: string): (text: string) => boolean {
  const [start = '', ...rest] = pattern.split('*')
  const end = rest.pop()
  if (end === undefined) return (text) => text === pattern
  return (text) => {
    const last = text.length - end.length
    if (!text.startsWith(start) || !text.endsWith(end)) return false
    let at = start.length
    for (const part of rest) {
      const found = text.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return at <= last
  }
}
