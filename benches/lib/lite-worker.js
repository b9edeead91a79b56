// SPDX-License-Identifier: Apache-2.0
// Launches a plan for each line, in a process that can make no user namespaces, and says how long it
// took. Started by `launches.js`.
import { createInterface } from 'node:readline'
import { launched } from './launches.js'

const plan = process.env['AMBIT_BENCH_PLAN'] ?? ''
for await (const _ of createInterface({ input: process.stdin })) {
  try {
    process.stdout.write(`${JSON.stringify({ took: await launched(plan, 'lite') })}\n`)
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ failure: `no lite tier: ${error.message}` })}\n`)
  }
}
