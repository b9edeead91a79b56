// SPDX-License-Identifier: Apache-2.0
// Runs all tests: Rust, then JavaScript. `--node PATH` runs the JavaScript ones alone, with another
// Node, on what is already built. The last line is `N passed, N failed`.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cargoCounts, closingLine, settle, sum, vitestCounts } from './lib/counts.js'
import { ScriptError, inCi, main, programOf, root, run, say, seconds } from './lib/proc.js'
import { setup } from './setup.js'

/** In CI a sandbox test that cannot run is a failure. */
const SANDBOX_ENV = inCi ? { REQUIRE_SANDBOX: '1' } : {}
/** `test some::name ... ok` and the lines around it, thousands of them, say nothing. */
const CARGO_NOISE = /^(?:test .* \.\.\. (?:ok|ignored.*)|running \d+ tests?|)$/u
const NO_COUNTS = { passed: 0, failed: 0, skipped: 0 }

async function rustTests() {
  const args = ['test', '--workspace', '--no-fail-fast', ...(inCi ? ['--locked'] : [])]
  const results = []
  const onLine = (line) => {
    const counts = cargoCounts(line)
    if (counts !== undefined) results.push(counts)
    if (!CARGO_NOISE.test(line)) say(line)
  }
  const code = await run('cargo', args, {
    env: { ...SANDBOX_ENV, CARGO_TERM_COLOR: 'never' },
    onLine,
  })
  return settle(sum(results), code)
}

async function javaScriptTests(node) {
  const folder = mkdtempSync(join(tmpdir(), 'ambit-test-'))
  const file = join(folder, 'report.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const args = [programOf('vitest'), 'run', ...reporters]
    const code = await run(node, args, { env: SANDBOX_ENV })
    return settle(readReport(file), code)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readReport(file) {
  try {
    return vitestCounts(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    if (cause.code === 'ENOENT') return NO_COUNTS // it died before it could report
    throw cause
  }
}

async function versionOf(node) {
  let version = ''
  const code = await run(node, ['--version'], { onLine: (line) => (version = line) })
  if (code !== 0) throw new ScriptError(`\`${node}\` is not a Node that runs (exit ${code})`)
  return version
}

async function suite(name, work) {
  say(`\n== ${name}`)
  const start = performance.now()
  const counts = await work()
  return { name, counts, time: seconds(start) }
}

async function test() {
  const { values } = parseArgs({ options: { node: { type: 'string' } } })
  const node = values.node ?? process.execPath
  if (values.node !== undefined && !existsSync(join(root, 'node_modules'))) {
    throw new ScriptError('--node tests what is already built: run `npm test` first')
  }
  const version = await versionOf(node)
  const suites = []
  if (values.node === undefined) {
    await setup({ tests: true })
    suites.push(await suite('Rust', rustTests))
  }
  suites.push(await suite(`JavaScript, node ${version}`, () => javaScriptTests(node)))
  say()
  for (const { name, counts, time } of suites) {
    say(`${name.padEnd(28)} ${closingLine(counts).padEnd(40)} ${time.padStart(7)} s`)
  }
  const total = sum(suites.map(({ counts }) => counts))
  say(`\n${closingLine(total)}`)
  return total.failed === 0 ? 0 : 1
}

await main(import.meta.url, test)
