// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** As many links as the kernel follows in one path (`path_resolution(7)`). */
const MAX_LINKS = 40

/**
 * Returns where every symbolic link stands that is followed on the way to a path. Whoever can write
 * one of these places decides where the path leads.
 */
export function linksTo(path: string): readonly string[] {
  const links: string[] = []
  let rest = resolve(path)
  let at = '/'
  while (rest !== '/' && links.length <= MAX_LINKS) {
    const [name = '', ...after] = rest.slice(1).split('/')
    const here = join(at, name)
    const target = linkTarget(here)
    if (target === undefined) at = here
    else links.push(here)
    const from = target === undefined ? here : resolve(dirname(here), target)
    // a link's target is walked from the root: it may lead through links itself
    rest = target === undefined ? `/${after.join('/')}` : join(from, ...after)
    if (target !== undefined) at = '/'
  }
  return links
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined
  } catch {
    return undefined // not there or not to be seen: whoever opens the path says why
  }
}
