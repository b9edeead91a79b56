// SPDX-License-Identifier: Apache-2.0
// Counts tests from what the runners report. Pure: text and values in, counts out.

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

const CARGO_RESULT = /^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored;/u

/** Returns the counts of one `test result:` line of `cargo test`; `undefined` for other lines. */
export function cargoCounts(line) {
  const found = CARGO_RESULT.exec(line)
  if (found === null) return undefined
  return { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3]) }
}

/**
 * Returns the counts of a vitest JSON report. A file that could not be loaded has no tests and
 * counts as one failure.
 *
 * @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number,
 *   numTodoTests: number, testResults: { status: string, assertionResults: { status: string }[] }[]
 * }} report
 * @returns {Counts}
 */
export function vitestCounts(report) {
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/**
 * Returns the counts of a suite whose runner has ended. A runner that fails without a failing test
 * (it did not compile, it crashed), and one that ran nothing at all, are one failure.
 *
 * @param {Counts} counts
 * @param {number} exitCode the runner's
 * @returns {Counts}
 */
export function settle(counts, exitCode) {
  const ranNothing = counts.passed + counts.failed === 0
  const silent = exitCode !== 0 && counts.failed === 0
  return ranNothing || silent ? { ...counts, failed: counts.failed + 1 } : counts
}

/**
 * Returns the sum of counts.
 *
 * @param {Counts[]} list
 * @returns {Counts}
 */
export function sum(list) {
  return list.reduce(
    (total, { passed, failed, skipped }) => ({
      passed: total.passed + passed,
      failed: total.failed + failed,
      skipped: total.skipped + skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  )
}

/** Returns `3 passed, 0 failed`, with `, 1 skipped` at its end where something was skipped. */
export function closingLine({ passed, failed, skipped }) {
  const line = `${passed} passed, ${failed} failed`
  return skipped === 0 ? line : `${line}, ${skipped} skipped`
}
