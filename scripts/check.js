// SPDX-License-Identifier: Apache-2.0
// Runs every check that is not a test: build, format, lints, types, documents, dependencies,
// packaging, freshness of what is generated. All of them run; a table and one line end it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { build } from './build.js'
import { closingLine, sum } from './lib/counts.js'
import { inCi, main, programOf, root, run, say, seconds } from './lib/proc.js'
import { prepare } from './setup.js'

const QUIET = { CARGO_TERM_COLOR: 'never', NO_COLOR: '1' }
const LOCKED = inCi ? ['--locked'] : []
const DENY_WARNINGS = ['--', '-D', 'warnings']
const PASSED = { passed: 1, failed: 0, skipped: 0 }
const FAILED = { passed: 0, failed: 1, skipped: 0 }

/** One after the other: they share a target folder and its lock. */
function rustChecks() {
  const launcher = ['-p', 'ambit-launcher', '--features', 'bin', '--bin', 'ambit-launcher']
  const checks = [
    { name: 'cargo fmt', args: ['fmt', '--all', '--check'], fix: 'npm run format' },
    {
      name: 'clippy',
      args: ['clippy', ...LOCKED, '--workspace', '--all-targets', ...DENY_WARNINGS],
    },
    {
      name: 'rustdoc',
      args: ['doc', ...LOCKED, '--workspace', '--no-deps'],
      env: { RUSTDOCFLAGS: '-D warnings' },
    },
    {
      name: 'cargo deny',
      args: ['deny', '--locked', 'check', 'bans', 'licenses', 'sources'],
      fix: 'when it is not installed: cargo install cargo-deny --locked',
    },
  ]
  if (existsSync(join(root, 'crates/launcher/src/main.rs'))) {
    // the program has no standard library: it is compiled apart, with a profile of its own
    const args = ['clippy', ...LOCKED, ...launcher, '--profile', 'launcher', ...DENY_WARNINGS]
    checks.splice(2, 0, { name: 'clippy, launcher', args })
  }
  return checks
}

function nodeChecks() {
  const checks = [
    { name: 'prettier', args: [programOf('prettier'), '--check', '.'], fix: 'npm run format' },
    { name: 'oxlint', args: [programOf('oxlint'), '--type-aware', '--deny-warnings'] },
    { name: 'types', args: [programOf('typescript', 'tsc'), '--noEmit', '-p', '.'] },
    { name: 'types, tests', args: [programOf('typescript', 'tsc'), '--noEmit', '-p', '__test__'] },
    { name: 'knip', args: [programOf('knip'), '--no-progress'] },
    { name: 'publint', args: [programOf('publint'), 'run', '--strict', '--pack', 'npm'] },
    { name: 'schemas', args: ['scripts/schema.js', '--check'], fix: 'npm run schema' },
    { name: 'tables in docs', args: ['scripts/docs.js', '--check'], fix: 'npm run docs' },
  ]
  return checks
}

/** In CI: nothing that is checked in may have been stale and rewritten on the way. */
function treeCheck() {
  // the clone may belong to somebody else
  const args = ['-c', 'safe.directory=*', 'diff', '--stat', '--exit-code', 'HEAD']
  return { name: 'clean tree', args, fix: 'commit what the build rewrites' }
}

/** Runs one check; shows its output only when it fails. */
async function perform(command, { name, args, env = {}, fix }) {
  const start = performance.now()
  const lines = []
  const onLine = (line) => lines.push(stripVTControlCharacters(line))
  const code = await run(command, args, { env: { ...QUIET, ...env }, onLine })
  const result = { name, ok: code === 0, time: seconds(start), fix }
  if (result.ok) say(`ok      ${name}`)
  else say([`FAILED  ${name} (exit ${code})`, ...lines.map((line) => `    ${line}`)].join('\n'))
  return result
}

async function inOrder(command, checks) {
  const results = []
  for (const entry of checks) results.push(await perform(command, entry))
  return results
}

async function buildCheck() {
  const start = performance.now()
  const fix = 'npm run build, then commit index.d.ts'
  try {
    const { typesChanged } = await build()
    const time = seconds(start)
    return [
      { name: 'build', ok: true, time },
      { name: 'index.d.ts is fresh', ok: !typesChanged, time: '0.0', fix },
    ]
  } catch (error) {
    say(`FAILED  build: ${error.message}`)
    return [{ name: 'build', ok: false, time: seconds(start) }]
  }
}

function report(results) {
  say()
  for (const { name, ok, time, fix } of results) {
    const hint = ok || fix === undefined ? '' : `   ${fix}`
    say(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(22)} ${time.padStart(6)} s${hint}`)
  }
  const total = sum(results.map(({ ok }) => (ok ? PASSED : FAILED)))
  say(`\n${closingLine(total)}`)
  return total.failed === 0 ? 0 : 1
}

async function check() {
  await prepare({ tests: false })
  const results = await buildCheck()
  const lanes = await Promise.all([
    inOrder('cargo', rustChecks()),
    inOrder(process.execPath, nodeChecks()),
  ])
  results.push(...lanes.flat())
  if (inCi) results.push(await perform('git', treeCheck()))
  return report(results)
}

await main(import.meta.url, check)
