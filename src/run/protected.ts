// SPDX-License-Identifier: Apache-2.0
import { existsSync, realpathSync } from 'node:fs'
import { ConfigError } from '../errors.js'
import { type Home, findHome } from './home.js'
import { linksTo } from './links.js'
import { isWithin } from './paths.js'

/**
 * Returns the paths that no command may see: keys and ledger, also those of the home that is used
 * when nothing else is named.
 *
 * @param secrets files of the signing key, of its passphrase and of a token's PIN
 * @param writable trees that some command may write
 * @throws {@link ConfigError} `ERR_CONFIG_INVALID` when a command could decide where key or ledger
 *   are found, since a link on the way to them stands in a tree that it may write
 */
export function protectedPaths(
  home: Home,
  secrets: readonly string[],
  env: NodeJS.ProcessEnv,
  writable: readonly string[],
): readonly string[] {
  const { AMBIT_HOME: _named, XDG_STATE_HOME: _state, ...bare } = env
  for (const path of [home.folder, ...secrets]) refuseLinksIn(path, writable)
  const all = [home.folder, ...secrets, findHome(env).folder, findHome(bare).folder]
  return [...new Set(all.filter((path) => existsSync(path)).map((path) => realpathSync(path)))]
}

function refuseLinksIn(path: string, writable: readonly string[]): void {
  const planted = linksTo(path).find((link) => writable.some((tree) => isWithin(link, tree)))
  if (planted === undefined) return
  const message = `\`${path}\` leads through the link \`${planted}\`, which the contract may write`
  throw new ConfigError('ERR_CONFIG_INVALID', message)
}
