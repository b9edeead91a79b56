// SPDX-License-Identifier: Apache-2.0
// What verification of a set answers.
import type { SetCode, SetStatus } from './codes.js'
import type { Completeness } from './completeness.js'

/** One thing that is wrong with what joins receipts. */
export interface SetFinding {
  readonly code: SetCode
  /** The receipt where it shows, from 1; null if it shows at none. */
  readonly number: number | null
  readonly chain: string | null
  /** For people; hostile text in it is escaped and cut. */
  readonly detail: string
}

/** One chain. */
export interface ChainReport {
  /** `ledger:` and the ledger's id, `sb-runtime:` and the key, or the name of a format. */
  readonly id: string
  readonly receipts: number
  readonly first_seq: number | null
  readonly last_seq: number | null
  /** The digest by which a successor would name its last receipt. */
  readonly head: string | null
  /** The keys that its valid receipts name; at most 16. */
  readonly issuers: readonly string[]
  /** How often the key changed from one receipt to the next. */
  readonly issuer_changes: number
  /** Decisions that allow a run and have no outcome here. */
  readonly open_runs: number
  /** Chains, where the receipts of a format form more than one. */
  readonly parts: number
  /** Receipts dated before the one that they follow. */
  readonly clock_steps_back: number
  /** What its links name in place of the whole receipt's digest, where that was recognised. */
  readonly convention: string | null
}

/** The verdict for receipts as a set. */
export interface SetVerdict {
  readonly status: SetStatus
  /** The worst of what was found; `OK` if nothing was. */
  readonly code: SetCode
  readonly detail: string
  /** The exit code of `ambit verify`. */
  readonly exit_code: number
  readonly counts: {
    readonly receipts: number
    readonly valid: number
    readonly invalid: number
    readonly undecidable: number
    /** Links without the prefix that the draft asks for; it allows to accept them. */
    readonly bare_links: number
    /** Valid receipts whose key has no window and no revocation. */
    readonly key_not_established: number
  }
  readonly completeness: Completeness
  readonly chains: readonly ChainReport[]
  readonly findings: readonly SetFinding[]
}
