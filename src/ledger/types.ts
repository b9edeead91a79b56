// SPDX-License-Identifier: Apache-2.0

/** What an entry means for its run. */
export type Phase = 'intent' | 'outcome' | 'refusal'

/** A payload to sign and append. */
export interface Submission {
  /** What the entry means for its run. */
  readonly phase: Phase
  /** The run: 1 to 128 of `A-Z a-z 0-9 . _ : -`. */
  readonly runId: string
  /** When it is made, milliseconds since 1970-01-01T00:00:00Z. */
  readonly createdAtMs: number
  /** The payload, the text of a JSON object; its place in the ledger is added when it is signed. */
  readonly payload: string
}

/** An entry that is durable in the ledger. */
export interface Recorded {
  /** Number of the entry, decimal digits. */
  readonly seq: string
  /** SHA-256 of the bytes, 64 hex digits. */
  readonly digest: string
  /** The exact bytes that were signed. */
  readonly bytes: Uint8Array
}

/** An approval by what its approver calls it. */
export interface NamedApproval {
  /** The thumbprint of the key that signed it, or `unsigned`. */
  readonly keyId: string
  readonly id: string
}

/** A run that was begun and whose process has ended. */
export interface OpenRun {
  readonly run_id: string
  readonly intent_seq: string
  /** The exact text of the intent. */
  readonly intent: string
}

/** An entry as it lies in the ledger. */
export interface LedgerEntry {
  /** Number of the entry, decimal digits. */
  readonly seq: string
  readonly phase: Phase
  readonly run_id: string
  /** Milliseconds since 1970-01-01T00:00:00Z, by the clock of who made it. */
  readonly created_at_ms: number
  /** SHA-256 of the document, 64 hex digits. */
  readonly digest: string
  /** The exact text that was signed. */
  readonly document: string
}

/** Which entries are wanted; every condition that is given must hold. */
export interface LedgerFilter {
  /** The lowest number. */
  readonly fromSeq?: string | undefined
  /** The highest number. */
  readonly untilSeq?: string | undefined
  /** The earliest time, milliseconds since 1970-01-01T00:00:00Z. */
  readonly sinceMs?: number | undefined
  /** The time before which entries were made, in the same unit. */
  readonly untilMs?: number | undefined
  readonly phase?: Phase | undefined
  readonly runId?: string | undefined
  /** `decision` in the signed payload. */
  readonly decision?: string | undefined
  /** `agent_id` in the signed payload, or in its `actor`. */
  readonly agent?: string | undefined
  /** `session_id` in the signed payload, or in its `actor`. */
  readonly session?: string | undefined
  /** One of `reason_codes` in the signed payload, or `code` in its `error`. */
  readonly code?: string | undefined
}

/** How entries are read. */
export interface QueryOptions {
  /** From the highest number down. */
  readonly newestFirst?: boolean | undefined
  /** The most entries to read; all unless given. */
  readonly limit?: number | undefined
}

/** What a ledger holds. */
export interface LedgerStatus {
  readonly entries: number
  /** SHA-256 of the last entry, 64 hex digits. */
  readonly head: string | null
  /** When the first entry was made, milliseconds since 1970-01-01T00:00:00Z. */
  readonly first_ms: number | null
  /** When the last entry was made, in the same unit. */
  readonly last_ms: number | null
  /** Runs with an intent and no outcome. */
  readonly open_runs: number
  readonly database_bytes: number
  readonly log_bytes: number
  /** The latest checkpoint: how many entries it covers (decimal digits), and when it was made. */
  readonly checkpoint: { readonly size: string; readonly created_at_ms: number } | null
  /** Why the last checkpoint that was to be made by itself could not be made. */
  readonly checkpoint_error: { readonly code: string; readonly message: string } | null
}

/** What a collection of garbage removed; entries never are. */
export interface CollectedGarbage {
  /** Lock files of processes that have ended. */
  readonly locks: number
  /** Folders of imports that were never finished. */
  readonly imports: number
  /** Bytes of the write-ahead log that were given back. */
  readonly log_bytes: number
  /** Bytes of the database that were given back. */
  readonly database_bytes: number
}

/** A ledger that was passed on. */
export interface Moved {
  readonly ledger_id: string
  readonly entries: number
  /** SHA-256 of the last entry, 64 hex digits. */
  readonly head: string | null
}

/** Hears how many entries are done, of how many. */
export type ProgressListener = (done: number, total: number) => void
