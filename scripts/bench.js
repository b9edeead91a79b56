// SPDX-License-Identifier: Apache-2.0
// Runs the benchmarks: every `benches/*.js`, or those named. `--smoke` asks each for a run that only
// shows that it works; other arguments after the names are refused. A benchmark is a program that
// prints its numbers and ends with 0.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ScriptError, main, run, root, say } from './lib/proc.js'
import { setup } from './setup.js'

function select(names) {
  const all = readdirSync(join(root, 'benches'))
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length))
    .toSorted()
  if (all.length === 0) throw new ScriptError('there are no benchmarks in benches/')
  const unknown = names.find((name) => !all.includes(name))
  if (unknown !== undefined) {
    throw new ScriptError(`no benchmark \`${unknown}\`; there are: ${all.join(', ')}`)
  }
  return names.length === 0 ? all : names
}

async function bench() {
  const options = { smoke: { type: 'boolean', default: false } }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const chosen = select(positionals)
  await setup()
  let worst = 0
  for (const name of chosen) {
    say(`\n== ${name}`)
    const flags = values.smoke ? ['--smoke'] : []
    worst = Math.max(worst, await run(process.execPath, [join('benches', `${name}.js`), ...flags]))
  }
  return worst
}

await main(import.meta.url, bench)
