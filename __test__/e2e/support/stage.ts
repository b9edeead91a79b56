// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { generateKey, probe } from '../../../dist/index.js'
import { type Installed, install } from './installed.js'
import { type Ended, type Running, type StartOptions, start } from './processes.js'
import { SELF, type User, folder, give, newTop } from './users.js'

/** How `ambit` is started. */
export interface AmbitOptions extends Omit<StartOptions, 'user'> {
  readonly user?: User
  /** AMBIT_HOME. */
  readonly home: string
}

/** Everything the tests of one file share: an installation, and a place for their folders. */
export class Stage {
  readonly top: string
  readonly installed: Installed
  #folders = 0

  /** `above` is the folder in which all of it lies; the system's for temporary files by default. */
  constructor(above?: string) {
    this.top = newTop(above)
    try {
      this.installed = install(this.top)
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /** Makes a new folder that everybody can read, of a user. */
  folder(user: User = SELF): string {
    this.#folders += 1
    return folder(join(this.top, `d${this.#folders}`), user)
  }

  /** Makes an AMBIT_HOME without a key. */
  emptyHome(user: User = SELF): string {
    return folder(join(this.folder(user), 'home'), user, 0o700)
  }

  /** Makes an AMBIT_HOME with a key. */
  home(user: User = SELF): string {
    const home = this.emptyHome(user)
    const keys = folder(join(home, 'keys'), user, 0o700)
    const files = [join(keys, 'default.pem'), join(keys, 'default.pub.pem')] as const
    generateKey(...files)
    for (const file of files) give(file, user)
    return home
  }

  /** Starts the installed `ambit`. */
  start(argv: readonly string[], options: AmbitOptions): Running {
    const { user = SELF, home, env, ...rest } = options
    const { bin, node } = this.installed
    return start(node, [bin, ...argv], { user, env: { AMBIT_HOME: home, ...env }, ...rest })
  }

  /** Runs the installed `ambit` to its end. */
  async ambit(argv: readonly string[], options: AmbitOptions): Promise<Ended> {
    return await this.start(argv, options).ended
  }

  dispose(): void {
    rmSync(this.top, { recursive: true, force: true })
  }
}

export const publicKeyIn = (home: string): string => join(home, 'keys', 'default.pub.pem')

const REQUIRED = process.env['REQUIRE_SANDBOX'] === '1'
const setting = (name: string): string => {
  try {
    return readFileSync(join('/proc/sys', name), 'utf8').trim()
  } catch {
    return '' // this kernel does not have it
  }
}

/** Says why runs of a user cannot be confined on this machine. */
async function obstacle(user: User): Promise<string | undefined> {
  const report = await probe()
  if (report.tier !== 'full') return `a run gets tier ${report.tier}: ${report.reason ?? ''}`
  if (!user.ids) return undefined
  if (setting('kernel/unprivileged_userns_clone') === '0') return 'unprivileged_userns_clone is 0'
  const restricted = setting('kernel/apparmor_restrict_unprivileged_userns') === '1'
  return restricted ? 'AppArmor restricts user namespaces' : undefined
}

/**
 * Returns whether tests that need the sandbox are to be skipped, with the reason printed. With
 * REQUIRE_SANDBOX=1 they are not: what is missing fails them.
 */
export async function withoutSandbox(user: User = SELF): Promise<boolean> {
  const reason = await obstacle(user)
  return reason !== undefined && skips(`sandbox tests of ${user.name}: ${reason}`)
}

/** The same for programs that a test needs. */
export function withoutPrograms(...paths: readonly string[]): boolean {
  const missing = paths.filter((path) => !isThere(path))
  return missing.length > 0 && skips(`not installed: ${missing.join(', ')}`)
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function skips(reason: string): boolean {
  if (!REQUIRED) process.stderr.write(`skipped: ${reason}\n`)
  return !REQUIRED
}
