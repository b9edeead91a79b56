// SPDX-License-Identifier: Apache-2.0
// What the machine must have before anything can be built, and the command that installs it.
import { spawnSync } from 'node:child_process'

/** Lowest versions: `engines.node` of package.json, `rust-version` of Cargo.toml. */
const NODE_FLOOR = [20, 19]
const RUST_FLOOR = [1, 89]

const RUST_HOW =
  'install it with the command shown at https://rustup.rs; ' +
  'on Debian 12 also: apt-get install rustc-web cargo-web'
const RUST_NEW = 'rustup update stable; on Debian 12 also: apt-get install rustc-web cargo-web'
const NODE_HOW = 'install a newer one from https://nodejs.org/en/download, or: nvm install 24'

/** Every tool: how to ask for its version, the lowest that will do, and how to get it. */
const TOOLS = [
  { name: 'npm', how: NODE_HOW },
  { name: 'rustc', floor: RUST_FLOOR, how: RUST_HOW, update: RUST_NEW },
  { name: 'cargo', floor: RUST_FLOOR, how: RUST_HOW, update: RUST_NEW },
  { name: 'cc', how: 'apt-get install build-essential' },
  { name: 'git', how: 'apt-get install git' },
  { name: 'python3', how: 'apt-get install python3', only: 'tests' },
]

/**
 * Returns the first `major.minor` in the text, or `undefined`.
 *
 * @param {string} text for example `rustc 1.95.0 (59807616e 2026-04-14)`
 * @returns {[number, number] | undefined}
 */
export function versionIn(text) {
  const found = /(\d+)\.(\d+)/u.exec(text)
  return found === null ? undefined : [Number(found[1]), Number(found[2])]
}

/** True when `version` is `floor` or later. */
export function reaches(version, floor) {
  return version[0] > floor[0] || (version[0] === floor[0] && version[1] >= floor[1])
}

/**
 * Returns one line for each thing that is needed and not found, with the command that installs it.
 *
 * @param {{ tests: boolean, ask?: (name: string) => string | undefined, node?: string,
 *   platform?: string }} options `ask` returns what `NAME --version` prints, `undefined` when it
 *   cannot be run; tests hand in their own machine
 * @returns {string[]} empty when all is there
 */
export function missing({ tests, ask = askMachine, node = process.versions.node, platform }) {
  const lines = []
  const here = platform ?? `${process.platform}-${process.arch}`
  if (here !== 'linux-x64') lines.push(`linux-x64: this is ${here}, which Ambit does not run on`)
  if (!reaches(versionIn(node), NODE_FLOOR)) {
    lines.push(`node >= ${NODE_FLOOR.join('.')}: found ${node}; ${NODE_HOW}`)
  }
  for (const tool of TOOLS) {
    if (tool.only === 'tests' && !tests) continue
    const line = complaint(tool, ask(tool.name))
    if (line !== undefined) lines.push(line)
  }
  return lines
}

function complaint({ name, floor, how, update }, answer) {
  const wanted = floor === undefined ? name : `${name} >= ${floor.join('.')}`
  if (answer === undefined) return `${wanted}: not found; ${how}`
  if (floor === undefined) return undefined
  const version = versionIn(answer)
  if (version !== undefined && reaches(version, floor)) return undefined
  return `${wanted}: found ${version?.join('.') ?? 'no version'}; ${update}`
}

function askMachine(name) {
  const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout : undefined
}
