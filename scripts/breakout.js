// SPDX-License-Identifier: Apache-2.0
// Tries every breakout probe outside and in sandboxes, as root and as a user without rights, and prints
// the table: of ours (`--tier lite`: as where there are no user namespaces), and of others, `--peer NAME`
// as often as wanted: bwrap, bwrap-host, landrun, nono, sandbox-runtime, sandlock; without it, all of
// these that are installed. `--json`.
import { parseArgs } from 'node:util'
import { ScriptError, main, say } from './lib/proc.js'
import { loadBreakout } from './lib/typescript.js'
import { setup } from './setup.js'

const MARKS = { blocked: '.', escaped: 'X', unknown: '?' }

function linesOf({ user, probes, columns }) {
  const present = columns.filter(({ absent }) => absent === undefined)
  const wide = Math.max(...probes.map(({ id }) => id.length))
  const narrow = present.map(({ name }) => name.length + 2)
  const row = (head, cells) =>
    head.padEnd(wide) + cells.map((cell, at) => cell.padStart(narrow[at])).join('')
  const [control] = present
  const worth = probes.filter(({ id }) => control.verdicts[id] === 'escaped')
  const marksOf = ({ id }) => present.map(({ verdicts }) => MARKS[verdicts[id] ?? 'unknown'])
  const escaped = ({ verdicts }) => worth.filter(({ id }) => verdicts[id] === 'escaped').length
  return [
    `as ${user}: ${worth.length} of ${probes.length} acts succeed without a sandbox`,
    ...columns.map(({ name, about, absent }) => `  ${name}: ${absent ?? about}`),
    '',
    row(
      '',
      present.map(({ name }) => name),
    ),
    ...worth.map((probe) => row(probe.id, marksOf(probe))),
    row(
      'escaped',
      present.map((column) => String(escaped(column))),
    ),
    '',
  ]
}

async function breakout() {
  const options = {
    json: { type: 'boolean', default: false },
    peer: { type: 'string', multiple: true },
    tier: { type: 'string', default: 'full' },
  }
  const { values } = parseArgs({ options })
  await setup()
  const { PEERS, findProgram } = await loadBreakout('peers.ts')
  const all = PEERS.filter(({ program }) => findProgram(program) !== undefined)
  const { measure, NAMES: known } = await loadBreakout('suite.ts')
  const ours = values.tier === 'lite' ? 'ambit-lite' : 'ambit'
  if (!['full', 'lite'].includes(values.tier)) throw new ScriptError('--tier takes full or lite')
  const names = [ours, ...(values.peer ?? all.map(({ name }) => name))]
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw new ScriptError(`no tool \`${unknown}\`; there are: ${known.join(', ')}`)
  }
  const tables = await measure(names)
  if (values.json) say(JSON.stringify({ version: 'ambit.breakout.v1', tables }))
  else for (const table of tables) say(linesOf(table).join('\n'))
}

await main(import.meta.url, breakout)
