// SPDX-License-Identifier: Apache-2.0
// How long the default chain takes from JavaScript, the boundary included: a small call of a shell,
// one of 4 KB and one of 64 KB, each in a session that is in use. `--json`; `--smoke` is a quick run
// whose figures mean nothing. In Rust, against car-policy: crates/inspect.
import { parseArgs } from 'node:util'
import { defaultChain } from '../dist/index.js'
import { ScriptError, main, say } from '../scripts/lib/proc.js'
import { machine } from './lib/machine.js'
import { summarizeMicro } from './lib/stats.js'

const SIZES = [
  ['small', 40, 2000],
  ['4_kb', 4096, 500],
  ['64_kb', 65_536, 50],
]

/** A harmless command of about this many bytes; no two are the same. */
function commandOf(bytes, number) {
  const head = `git log --oneline -n ${number} -- src`
  return head + ' docs/a.md'.repeat(Math.max(0, Math.floor((bytes - head.length) / 10)))
}

/** Returns microseconds for one call, batch by batch. */
function measure(bytes, calls, batches) {
  const session = defaultChain().session()
  const params = Array.from({ length: calls }, (_, at) => ({ command: commandOf(bytes, at) }))
  return Array.from({ length: batches }, () => {
    session.resetSession()
    const start = performance.now()
    for (const each of params) {
      if (session.inspect('shell', each).verdict !== 'allow') throw new ScriptError('not allowed')
    }
    return ((performance.now() - start) * 1000) / calls
  })
}

await main(import.meta.url, () => {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, smoke: { type: 'boolean' } },
  })
  const batches = values.smoke === true ? 2 : 50
  const results = Object.fromEntries(
    SIZES.map(([name, bytes, calls]) => [
      `inspect_${name}`,
      summarizeMicro(measure(bytes, values.smoke === true ? 20 : calls, batches)),
    ]),
  )
  if (values.json === true) say(JSON.stringify({ machine: machine(), unit: 'us', results }))
  else
    for (const [name, figures] of Object.entries(results)) say(`${name} ${JSON.stringify(figures)}`)
})
