// SPDX-License-Identifier: Apache-2.0
// Loads the addon for this platform: the platform package, else the file beside this one.
// No environment variable can redirect it. That is why packages are looked up here and not by
// `require`, which also searches NODE_PATH and folders below HOME.
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { libcOf } from './libc.js'

const require = createRequire(import.meta.url)
const here = dirname(fileURLToPath(import.meta.url))

/** Returns 'gnu' or 'musl', from the running program; the report is slower and asked second. */
function libc() {
  const start = new Uint8Array(4096)
  let fd
  try {
    fd = openSync(process.execPath, 'r')
    const length = readSync(fd, start, 0, start.length, 0)
    const found = libcOf(start.subarray(0, length))
    if (found !== undefined) return found
  } catch {
    // unreadable says nothing about the library: ask the report
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
  const { report } = process
  const { excludeNetwork } = report
  report.excludeNetwork = true // name look-ups would take seconds
  const { header } = report.getReport()
  report.excludeNetwork = excludeNetwork
  return header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'
}

function platform() {
  const base = `${process.platform}-${process.arch}`
  return process.platform === 'linux' ? `${base}-${libc()}` : base
}

/** Returns the folder of an installed package, looking in node_modules from here upwards. */
function findPackage(name) {
  for (let dir = here; ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules', name)
    if (basename(dir) !== 'node_modules' && existsSync(candidate)) return candidate
    if (dir === dirname(dir)) return undefined
  }
}

function load() {
  const target = platform()
  const name = `ambit-${target}`
  const beside = join(here, `ambit.${target}.node`)
  const causes = []
  for (const path of [findPackage(name), beside]) {
    if (path === undefined) {
      causes.push(new Error(`package \`${name}\` is not installed`))
      continue
    }
    try {
      return require(path)
    } catch (cause) {
      causes.push(cause)
    }
  }
  const message =
    `cannot load the addon for ${target}: ` +
    `install the package \`${name}\`, or build it with \`npm run build\` in a checkout`
  throw Object.assign(new AggregateError(causes, message), { code: 'ERR_ADDON_MISSING' })
}

export default load()
