// SPDX-License-Identifier: Apache-2.0
// Where a command runs, and what to do there when tier `full` is missing: docs/platforms.md in short.
import { existsSync, readFileSync } from 'node:fs'

/** Kinds of places that need something done, and how each is known. */
export type Platform = 'container' | 'github-actions' | 'kubernetes' | 'ubuntu' | 'wsl'

/** What tells of a platform. */
export interface Signs {
  readonly env: NodeJS.ProcessEnv
  /** Kernel release. */
  readonly kernel: string
  /** Returns the text of a file, or nothing when there is none. */
  readonly read: (path: string) => string | undefined
}

/** Returns where this is, what says most first. */
export function platformsOf({ env, kernel, read }: Signs): readonly Platform[] {
  const marks: readonly (readonly [Platform, boolean])[] = [
    ['github-actions', env['GITHUB_ACTIONS'] === 'true'],
    ['kubernetes', env['KUBERNETES_SERVICE_HOST'] !== undefined],
    ['container', ['/.dockerenv', '/run/.containerenv'].some((path) => read(path) !== undefined)],
    ['wsl', /microsoft/i.test(kernel)],
    ['ubuntu', /^ID=ubuntu$/m.test(read('/etc/os-release') ?? '')],
  ]
  return marks.filter(([, is]) => is).map(([name]) => name)
}

/** Reads a file of this machine. */
export function readIfThere(path: string): string | undefined {
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined
  } catch {
    return undefined
  }
}

const BY_PLATFORM: Record<Platform, string> = {
  'github-actions':
    'GitHub Actions: `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` in a step before; a job in a `container:` is in Docker',
  kubernetes:
    'Kubernetes: a `Localhost` seccomp profile that allows namespaces and mounts, `procMount: Unmasked` with `hostUsers: false`',
  container:
    'container: a seccomp profile that allows namespaces and mounts, and `--security-opt systempaths=unconfined`; never `--privileged`',
  wsl: 'WSL2: `kernelCommandLine = lsm=landlock,lockdown,yama,integrity` under `[wsl2]` in .wslconfig, then `wsl --shutdown`',
  ubuntu:
    'Ubuntu: an AppArmor profile with `userns,` for the Node that runs Ambit, or `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`',
}

/** A setting, the value that stands in the way, and what to do about it. */
const BY_SETTING: readonly (readonly [name: string, value: string, advice: string])[] = [
  ['user.max_user_namespaces', '0', '`sudo sysctl -w user.max_user_namespaces=15000`'],
  ['kernel.unprivileged_userns_clone', '0', '`sudo sysctl -w kernel.unprivileged_userns_clone=1`'],
]

/** What the advice depends on. */
export interface Missing {
  readonly tier: 'full' | 'lite' | 'none'
  readonly settings: Readonly<Record<string, string>>
}

/** Returns what to do to get tier `full`, most telling first; nothing where it is there. */
export function adviceFor(report: Missing, platforms: readonly Platform[]): readonly string[] {
  if (report.tier === 'full') return []
  const settings = BY_SETTING.filter(([name, value]) => report.settings[name] === value)
  const modules = report.settings['security_modules']
  const isOff = modules !== undefined && !modules.split(',').includes('landlock')
  return [
    ...platforms.map((platform) => BY_PLATFORM[platform]),
    ...settings.map(([, , advice]) => advice),
    ...(isOff ? ['Landlock is off: add it to `lsm=` on the command line of the kernel'] : []),
    ...(report.tier === 'lite'
      ? ['or `enforcement_floor: lite` in the policy: docs/platforms.md says what it cannot hold']
      : []),
  ]
}
