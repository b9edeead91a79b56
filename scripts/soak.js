// SPDX-License-Identifier: Apache-2.0
// The crash test of the ledger, longer than CI has time for: a process that appends from eight threads
// is killed 1,000 times, or as often as the argument says. CI does it 100 times.
import { ScriptError, main, run } from './lib/proc.js'
import { setup } from './setup.js'

const TEST = 'processes::what_was_acknowledged_before_a_kill_is_there_after_it'

async function soak() {
  const [rounds = '1000', ...rest] = process.argv.slice(2)
  if (!/^[1-9]\d{0,6}$/u.test(rounds) || rest.length > 0) {
    throw new ScriptError('usage: npm run soak -- [KILLS]')
  }
  await setup()
  const args = [
    'test',
    '-p',
    'ambit-store',
    '--test',
    'ledger',
    '--',
    '--exact',
    '--nocapture',
    TEST,
  ]
  return await run('cargo', args, { env: { AMBIT_SOAK_ROUNDS: rounds } })
}

await main(import.meta.url, soak)
