// SPDX-License-Identifier: Apache-2.0
import { expect } from 'vitest'

/** The one object that `--json` prints. */
export type JsonAnswer = Record<string, unknown> & { readonly version: string }

/** Reads an output that must be one JSON object in one line, and nothing else. */
export function oneObject(stdout: string): JsonAnswer {
  expect(stdout).toMatch(/^\{.*\}\n$/u)
  const document = JSON.parse(stdout) as JsonAnswer
  expect(document.version).toMatch(/^ambit\.[a-z]+\.v1$/u)
  return document
}
