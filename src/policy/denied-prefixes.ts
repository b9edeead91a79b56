// SPDX-License-Identifier: Apache-2.0
// Which of `deny_argv_prefixes` an argv begins with. Under a csc policy that is what is written, as in
// csc-runner. Under ours it is also what is left without a folder before the program's name, options
// before its subcommand, or a wrapper.

import { subcommandStarts } from './argv-rules.js'
import { innerStarts } from './inline-code.js'

/** The prefixes of a policy by their first word, each with its place in the list. */
type Denied = ReadonlyMap<string, readonly (readonly [number, readonly string[]])[]>

/** Compares what follows the program's name from some place on. */
function match(denied: Denied, name: string, argv: readonly string[], from: number) {
  return denied
    .get(name)
    ?.find(([, [, ...rest]]) => rest.every((word, index) => argv[from + index] === word))?.[0]
}

/** Compares the command that begins at some place of an argv. */
function matchAt(denied: Denied, argv: readonly string[], start: number): number | undefined {
  const written = argv[start] ?? ''
  const bare = written.slice(written.lastIndexOf('/') + 1)
  const found = match(denied, written, argv, start + 1) ?? match(denied, bare, argv, start + 1)
  if (found !== undefined || !denied.has(bare)) return found
  if (argv[start + 1]?.startsWith('-') !== true) return undefined
  for (const at of subcommandStarts(argv, start)) {
    const behind = match(denied, bare, argv, at)
    if (behind !== undefined) return behind
  }
  return undefined
}

/** Returns the place of the first prefix with which an argv begins as it is written. */
export function writtenPrefixOf(argv: readonly string[], denied: Denied): number | undefined {
  return match(denied, argv[0] ?? '', argv, 1)
}

/**
 * Returns the place of the first prefix with which an argv begins, or a command that it starts.
 *
 * @param argv of a command
 * @param denied of the policy
 */
export function deniedPrefixOf(argv: readonly string[], denied: Denied): number | undefined {
  if (denied.size === 0) return undefined
  const first = matchAt(denied, argv, 0)
  if (first !== undefined) return first
  for (const start of innerStarts(argv)) {
    const inner = matchAt(denied, argv, start)
    if (inner !== undefined) return inner
  }
  return undefined
}
