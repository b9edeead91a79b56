// SPDX-License-Identifier: Apache-2.0
// Builds the addon (with the launcher inside), the TypeScript shell and the command manifest.
// cargo decides what is up to date; the rest takes seconds and is always done.
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { bundleCheck } from './lib/bundle.js'
import { inCi, main, must, programOf, root, say, seconds } from './lib/proc.js'

const ADDON = 'ambit.linux-x64-gnu.node'
const LAUNCHER = 'ambit-launcher'
const TYPES = 'index.d.ts'
const TYPES_HEADER = `// SPDX-License-Identifier: Apache-2.0
// Written by \`npm run build\` from crates/node. Do not edit.

declare const addon: typeof import('./index.js')
export default addon

`

/**
 * Builds everything that the package ships, into the project's folder.
 *
 * @returns {Promise<{ typesChanged: boolean }>} whether `index.d.ts`, which is checked in, was not
 *   what the addon's sources say; it is then rewritten
 * @throws {ScriptError} naming the step that failed
 */
export async function build() {
  const before = readTypes()
  await step('addon', buildAddon)
  await step('shell', buildShell)
  await step('commands', buildManifest)
  const typesChanged = readTypes() !== before
  if (typesChanged) say(`build: ${TYPES} has changed, commit it`)
  return { typesChanged }
}

async function step(name, work) {
  const start = performance.now()
  say(`build: ${name} …`)
  await work()
  say(`build: ${name} done in ${seconds(start)} s`)
}

function readTypes() {
  const path = join(root, TYPES)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

async function buildAddon() {
  const manifest = ['--package', 'ambit-node', '--manifest-path', 'crates/node/Cargo.toml']
  const output = ['--output-dir', '.', '--dts', TYPES, '--dts-header', TYPES_HEADER, '--no-js']
  const locked = inCi ? ['--', '--locked'] : []
  const args = ['build', '--platform', '--release', ...manifest, ...output, ...locked]
  await must('building the addon', process.execPath, [programOf('@napi-rs/cli', 'napi'), ...args])
  copyFileSync(join(root, ADDON), join(root, 'npm/linux-x64-gnu', ADDON))
  const image = createRequire(import.meta.url)(join(root, ADDON)).launcherImage()
  for (const folder of ['.', 'npm/linux-x64-gnu']) writeLauncher(join(root, folder), image)
}

/** The launcher as a file, for machines on which nothing in memory may be executed. */
function writeLauncher(folder, image) {
  const path = join(folder, LAUNCHER)
  // a file that runs cannot be written over
  rmSync(path, { force: true })
  writeFileSync(path, image)
  chmodSync(path, 0o755)
}

async function buildShell() {
  // a command that was removed must not live on in dist
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const tsc = programOf('typescript', 'tsc')
  await must('compiling TypeScript', process.execPath, [tsc, '-p', '.'])
  await bundleCheck(root)
}

/** With the manifest a command line starts faster, and a command that cannot load says why. */
async function buildManifest() {
  const program = join(root, 'scripts/lib/manifest.js')
  await must('writing the command manifest', process.execPath, [program, root])
}

await main(import.meta.url, async () => {
  await build()
})
