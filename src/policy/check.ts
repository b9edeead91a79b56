// SPDX-License-Identifier: Apache-2.0
import type { Command } from '../contract/schema.js'
import type { Mode } from './decision.js'
import type { Findings } from './findings.js'
import type { Rules } from './rules.js'
import type { PolicyDocument } from './schema.js'

/** One command under one policy, and where what is found goes. */
export interface Check {
  readonly command: Command
  readonly policy: PolicyDocument
  readonly rules: Rules
  readonly mode: Mode
  /** The risk class of the contract. */
  readonly risk: string
  readonly findings: Findings
}
