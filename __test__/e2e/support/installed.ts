// SPDX-License-Identifier: Apache-2.0
// The package as it is installed: the files that are published, the platform package beside it and
// the dependencies of both, in a place that everybody can read.
import { execFileSync } from 'node:child_process'
import { cpSync, copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isExecutableForAll } from './users.js'

export const root = join(import.meta.dirname, '..', '..', '..')

/** What is where in an installation. */
export interface Installed {
  /** Folder that programs can `import 'ambit'` from. */
  readonly folder: string
  /** The entry of the command line. */
  readonly bin: string
  /** A Node that everybody can execute. */
  readonly node: string
}

interface Manifest {
  readonly dependencies?: Record<string, string>
  readonly files: readonly string[]
}

const manifestIn = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

const PLATFORM_PACKAGE = 'ambit-linux-x64-gnu'
const ADDON = 'ambit.linux-x64-gnu.node'

/** Returns the folders of all packages that a package needs to run. */
export function runtimePackages(folder: string, found = new Set<string>()): Set<string> {
  for (const name of Object.keys(manifestIn(folder).dependencies ?? {})) {
    const at = findPackage(name, folder)
    if (found.has(at)) continue
    found.add(at)
    runtimePackages(at, found)
  }
  return found
}

function findPackage(name: string, from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name)
    if (existsSync(candidate)) return candidate
    if (at === dirname(at)) throw new Error(`\`${name}\` is not installed`)
  }
}

/** Puts the platform package with the built addon into a node_modules folder. */
export function installPlatformPackage(modules: string): void {
  const folder = join(modules, PLATFORM_PACKAGE)
  mkdirSync(folder)
  copyFileSync(join(root, 'npm/linux-x64-gnu/package.json'), join(folder, 'package.json'))
  copyFileSync(join(root, ADDON), join(folder, ADDON))
}

/** Installs what is built into a new folder of `top`. */
export function install(top: string): Installed {
  const folder = join(top, 'app')
  const modules = join(folder, 'node_modules')
  const target = join(modules, 'ambit')
  mkdirSync(target, { recursive: true })
  const published = manifestIn(root).files.filter((name) => existsSync(join(root, name)))
  for (const name of [...published, 'package.json']) {
    cpSync(join(root, name), join(target, name), { recursive: true })
  }
  installPlatformPackage(modules)
  for (const path of runtimePackages(root)) {
    const to = join(modules, path.slice(path.lastIndexOf('node_modules/') + 13))
    mkdirSync(dirname(to), { recursive: true })
    execFileSync('cp', ['-r', path, to])
  }
  execFileSync('chmod', ['-R', 'a+rX', folder])
  return { folder, bin: join(target, 'bin/ambit.js'), node: nodeForAll(top) }
}

/** Returns this Node, or a copy of it where not everybody can execute it. */
function nodeForAll(top: string): string {
  const node = realpathSync(process.execPath)
  if (isExecutableForAll(node)) return node
  const copy = join(top, 'node')
  copyFileSync(node, copy)
  return copy
}
