// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

interface Row {
  readonly name: string
  readonly absent?: string
  readonly min_us?: number
  readonly median_us?: number
}

const EVALUATE = fileURLToPath(new URL('../benches/evaluate.js', import.meta.url))
const OURS = ['evaluate_small', 'evaluate_large', 'load_policy', 'check']
const WITH_THEIRS = OURS.flatMap((name) => [name, `csc_${name}`])

describe('the evaluation benchmark', () => {
  it('measures ours with theirs beside it, or says why not', { timeout: 60_000 }, async () => {
    // without a Python nothing is installed, and what is ours is measured all the same
    const env = { PATH: '/nonexistent' }
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [EVALUATE, '--smoke', '--json'],
      { env },
    )
    const report = JSON.parse(stdout) as { name: string; version: string; rows: readonly Row[] }
    expect([report.version, report.name]).toEqual(['ambit.bench.v1', 'evaluate'])
    expect(report.rows.map(({ name }) => name)).toEqual(WITH_THEIRS.toSpliced(-2, 0, 'node'))
    const measured = report.rows.filter(({ absent }) => absent === undefined)
    expect(measured.map(({ name }) => name)).toEqual(expect.arrayContaining(OURS))
    for (const { name, min_us: min = 0, median_us: median = 0 } of measured) {
      expect({ name, ordered: 0 < min && min <= median }).toEqual({ name, ordered: true })
    }
    for (const { absent } of report.rows) expect(absent ?? 'measured').not.toBe('')
  })
})
