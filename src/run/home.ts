// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { ConfigError } from '../errors.js'

/** Where Ambit keeps its state, and what stands where in it. */
export interface Home {
  /** The folder itself. */
  readonly folder: string
  /** Folder of the ledger. */
  readonly ledger: string
  /** Folder of the own keys and their log. */
  readonly keys: string
  /** Folder of the keys of others that are trusted. */
  readonly trust: string
  /** Folder of approvals that were signed here. */
  readonly approvals: string
  /** Private key that signs unless another is named. */
  readonly signingKey: string
  /** Its public half. */
  readonly publicKey: string
}

/**
 * Returns the folder that holds keys and ledger: `$AMBIT_HOME`, else `$XDG_STATE_HOME/ambit`, else
 * `~/.local/state/ambit`.
 *
 * @param env environment of the caller
 * @throws {@link ConfigError} `ERR_CONFIG_INVALID` when a variable holds a relative path
 */
export function findHome(env: NodeJS.ProcessEnv): Home {
  const named = env['AMBIT_HOME']
  const state = env['XDG_STATE_HOME']
  if (named !== undefined && named !== '') return homeAt(absolute('AMBIT_HOME', named))
  if (state !== undefined && state !== '') {
    return homeAt(join(absolute('XDG_STATE_HOME', state), 'ambit'))
  }
  return homeAt(join(homedir(), '.local', 'state', 'ambit'))
}

function absolute(name: string, value: string): string {
  if (isAbsolute(value)) return value
  throw new ConfigError('ERR_CONFIG_INVALID', `\`${name}\` must be an absolute path`)
}

function homeAt(folder: string): Home {
  return {
    folder,
    ledger: join(folder, 'ledger'),
    keys: join(folder, 'keys'),
    trust: join(folder, 'trust'),
    approvals: join(folder, 'approvals'),
    signingKey: join(folder, 'keys', 'default.pem'),
    publicKey: join(folder, 'keys', 'default.pub.pem'),
  }
}
