// SPDX-License-Identifier: Apache-2.0
// Tests that take longer than CI has time for.
//
//   npm run soak -- [KILLS]           a process that appends to a ledger from eight threads is killed, 1,000
//                                     times unless said; CI does it 100 times
//   npm run soak -- launches [COUNT]  10,000 launches in one process, unless said, leave nothing behind; CI
//                                     does 300
import { ScriptError, main, run } from './lib/proc.js'
import { setup } from './setup.js'

const TEST = 'processes::what_was_acknowledged_before_a_kill_is_there_after_it'
const COUNT = /^[1-9]\d{0,6}$/u

async function soak() {
  const [first = '1000', ...rest] = process.argv.slice(2)
  const isLaunches = first === 'launches'
  const [count = isLaunches ? '10000' : first, ...others] = isLaunches ? rest : [first, ...rest]
  if (!COUNT.test(count) || others.length > 0) {
    throw new ScriptError('usage: npm run soak -- [KILLS], or npm run soak -- launches [COUNT]')
  }
  await setup()
  return isLaunches ? await launches(count) : await kills(count)
}

async function launches(count) {
  return await run(process.execPath, ['--expose-gc', 'scripts/soak-launches.js', count])
}

async function kills(rounds) {
  const names = ['--exact', '--nocapture', TEST]
  const args = ['test', '-p', 'ambit-store', '--test', 'ledger', '--', ...names]
  return await run('cargo', args, { env: { AMBIT_SOAK_ROUNDS: rounds } })
}

await main(import.meta.url, soak)
