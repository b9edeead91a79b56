// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'

/** Copies a folder that does not exist yet with its modes, which `fs.cpSync` of Node 22 does not keep. */
export function copyTree(from: string, to: string): void {
  execFileSync('cp', ['-a', '--', from, to])
}
