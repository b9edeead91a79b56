// SPDX-License-Identifier: Apache-2.0
// Loads what is written in TypeScript with the tests, for scripts that share it.
import { join } from 'node:path'
import { root } from './proc.js'

/**
 * Loads a module of the breakout suite.
 *
 * @param {string} name of a file in `__test__/e2e/support/breakout`
 */
export async function loadBreakout(name) {
  const { runnerImport } = await import('vite')
  const path = join(root, '__test__/e2e/support/breakout', name)
  const { module } = await runnerImport(path, { root, configFile: false, logLevel: 'silent' })
  return module
}
