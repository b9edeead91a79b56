// SPDX-License-Identifier: Apache-2.0
// Fuzzes: every target of `fuzz/`, or those named, `--seconds` each (30), two at a time. Needs no
// nightly compiler: coverage comes from LLVM's own pass, and address checks would find little in
// crates that forbid unsafe code. What is found first stands in `fuzz/artifacts/`; `--keep` adds what
// reached new code to the checked-in corpus, as few inputs as cover it. The last line is
// `N passed, N failed`.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { closingLine, sum } from './lib/counts.js'
import { ScriptError, inCi, main, must, root, run, say } from './lib/proc.js'

const FOLDER = join(root, 'fuzz')
const AT_ONCE = 2
/** The engine's own settings: an input that takes 10 s or half a GiB is a finding. */
const BOUNDS = ['-timeout=10', '-rss_limit_mb=512', '-max_len=65536']
const COVERAGE = [
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
]
const RUSTFLAGS = ['--cfg', 'fuzzing', ...COVERAGE, '-Cdebug-assertions', '-Coverflow-checks']

function select(names) {
  const all = readdirSync(join(FOLDER, 'fuzz_targets'))
    .filter((file) => file.endsWith('.rs'))
    .map((file) => file.slice(0, -'.rs'.length))
    .toSorted()
  const unknown = names.find((name) => !all.includes(name))
  if (unknown !== undefined) {
    throw new ScriptError(`no fuzz target \`${unknown}\`; there are: ${all.join(', ')}`)
  }
  return names.length === 0 ? all : names
}

/** Builds every target; returns the folder of the programs. */
async function buildTargets() {
  const host = hostTriple(await output('rustc', ['-vV']))
  const target = process.env['CARGO_TARGET_DIR'] ?? join(root, 'target')
  const folder = join(target, 'fuzz')
  const manifest = ['--manifest-path', join(FOLDER, 'Cargo.toml')]
  const args = ['build', '--release', '--quiet', ...manifest, '--target', host]
  await must('building the fuzz targets', 'cargo', inCi ? [...args, '--locked'] : args, {
    env: { CARGO_TARGET_DIR: folder, RUSTFLAGS: RUSTFLAGS.join(' ') },
  })
  return join(folder, host, 'release')
}

async function output(command, args) {
  const lines = []
  const code = await run(command, args, { onLine: (line) => lines.push(line) })
  if (code !== 0) throw new ScriptError(`\`${command}\` failed (exit ${code})`)
  return lines.join('\n')
}

function hostTriple(text) {
  const host = /^host: (\S+)$/mu.exec(text)?.[1]
  if (host === undefined) throw new ScriptError('rustc does not say which machine this is')
  return host
}

/** Runs one target; says how many inputs it tried, or shows the input that failed. */
async function fuzz(programs, name, { time, keep }) {
  const found = mkdtempSync(join(tmpdir(), `ambit-fuzz-${name}-`))
  const artifacts = join(FOLDER, 'artifacts', name)
  const corpus = join(FOLDER, 'corpus', name)
  mkdirSync(artifacts, { recursive: true })
  if (!existsSync(corpus)) throw new ScriptError(`fuzz/corpus/${name} is missing`)
  const lines = []
  const onLine = (line) => lines.push(line)
  const args = [...BOUNDS, `-max_total_time=${time}`, `-artifact_prefix=${artifacts}/`]
  try {
    const start = performance.now()
    const code = await run(join(programs, name), [...args, found, corpus], { onLine })
    const runs = Number(lines.map((line) => /^Done (\d+) runs/u.exec(line)?.[1]).findLast(Boolean))
    if (code !== 0 || !(runs > 0)) {
      say(`\n✗ ${name} (exit ${code})\n${lines.slice(-40).join('\n')}\n${newest(artifacts)}`)
      return { passed: 0, failed: 1, skipped: 0 }
    }
    const took = ((performance.now() - start) / 1000).toFixed(0)
    say(`✓ ${name.padEnd(16)} ${runs.toLocaleString('en')} inputs in ${took} s`)
    if (keep) await merge(programs, name, corpus, found)
    return { passed: 1, failed: 0, skipped: 0 }
  } finally {
    rmSync(found, { recursive: true, force: true })
  }
}

/** The input that failed, so that a log is enough to repeat it. */
function newest(artifacts) {
  const name = readdirSync(artifacts).at(-1)
  if (name === undefined) return 'no input was kept'
  return `${name}: ${readFileSync(join(artifacts, name)).toString('base64').slice(0, 4096)}`
}

async function merge(programs, name, corpus, found) {
  // edges alone: an input for each count of each edge would be a thousand files
  const args = ['-merge=1', '-max_len=4096', '-use_counters=0', corpus, found]
  await must(`merging the corpus of ${name}`, join(programs, name), args, { onLine: () => {} })
}

async function fuzzAll() {
  const options = {
    seconds: { type: 'string', default: '30' },
    keep: { type: 'boolean', default: false },
  }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const time = Number(values.seconds)
  if (!Number.isInteger(time) || time < 1) throw new ScriptError('--seconds is a whole number')
  const queue = select(positionals)
  const programs = await buildTargets()
  const counts = []
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      counts.push(await fuzz(programs, name, { time, keep: values.keep }))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const total = sum(counts)
  say(`\n${closingLine(total)}`)
  return total.failed === 0 ? 0 : 1
}

await main(import.meta.url, fuzzAll)
