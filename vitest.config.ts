// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['__test__/**/*.test.ts'],
    // a process each: what a test does to its process, the addon included, stays its own
    pool: 'forks',
    globals: false,
    // real launches on a busy machine take their time; a hang must still end
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // a test changes no environment, clock or mock for the next one
    restoreMocks: true,
    unstubEnvs: true,
    // an exclusive test that was left in is a failure
    allowOnly: false,
    passWithNoTests: false,
  },
})
