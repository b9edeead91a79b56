// SPDX-License-Identifier: Apache-2.0
// Does what the test asks for, a JSON document a line: a command outside the sandbox, or a contract
// inside, in this very process. What this process holds, open descriptors and environment included,
// is what a confined command must not get at. Answers with a line each.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from 'ambit'

/** A daemon that the command leaves behind holds its output: no more than this is waited for it. */
const AFTER_EXIT_MS = 250

async function outside({ argv, cwd }) {
  const child = spawn(argv[0], argv.slice(1), { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const heard = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => (heard[name] += data))
  const closed = once(child, 'close')
  const [code, signal] = await once(child, 'exit')
  await Promise.race([closed, delay(AFTER_EXIT_MS, undefined, { ref: false })])
  return { code, signal, ...heard }
}

async function inside({ contract, policy }) {
  const result = await run({ contract, policy })
  const [command] = result.commands
  return {
    code: result.exit_code,
    status: result.status,
    reasons: result.decision.reason_codes,
    termination: command?.termination,
    tier: command?.enforcement.tier,
    stdout: Buffer.from(result.stdout).toString('utf8'),
    stderr: Buffer.from(result.stderr).toString('utf8'),
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line)
  try {
    const answer = job.kind === 'outside' ? await outside(job) : await inside(job)
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ failure: error.code ?? String(error) })}\n`)
  }
}
