// SPDX-License-Identifier: Apache-2.0
// What is wrong with receipts as a set. Codes, their order and exit codes are those of
// crates/receipt.

/** The codes that this verifier gives, and the exit codes of `ambit verify` for them. */
const EXIT_CODES = {
  /** A receipt does not name the one before it. */
  CHAIN_BROKEN: 1,
  /** The same receipt stands in a chain twice. */
  CHAIN_DUPLICATE: 1,
  /** Two receipts have one predecessor or one number. */
  CHAIN_FORK: 6,
  /** Receipts are missing before or between those that are there. */
  CHAIN_GAP: 6,
  /** Receipts stand in another order than they were made. */
  CHAIN_ORDER: 1,
  /** Fewer entries than the checkpoint covers. */
  CHAIN_TRUNCATED: 6,
  /** A checkpoint was given, and no receipt is of the ledger that it covers. */
  CHECKPOINT_UNUSED: 6,
  /** An execution names a decision that is not there, is another's, or did not allow it. */
  DECISION_MISMATCH: 1,
  /** There is no receipt. */
  EMPTY: 2,
  /** The entries are not those that the checkpoint covers. */
  LOG_FORKED: 6,
  /** Everything holds. */
  OK: 0,
  /** A receipt is invalid. */
  RECEIPT_INVALID: 1,
  /** A receipt is undecidable. */
  RECEIPT_UNDECIDABLE: 2,
  /** A receipt names a key that was not given. */
  UNKNOWN_KEY: 5,
} as const

/** The reason for a verdict about a set. */
export type SetCode = keyof typeof EXIT_CODES

/** The outcome for a set. */
export type SetStatus = 'incomplete' | 'invalid' | 'undecidable' | 'valid'

/** Returns the exit code of `ambit verify` for a code. */
export function exitCodeOf(code: SetCode): number {
  return EXIT_CODES[code]
}

/** Returns what a code means for the set. */
export function setStatusOf(code: SetCode): SetStatus {
  const exit = exitCodeOf(code)
  if (exit === 0) return 'valid'
  return exit === 1 ? 'invalid' : exit === 6 ? 'incomplete' : 'undecidable'
}

/** Returns the worst of some codes: where a receipt is not what was signed, its chain breaks too. */
export function worst(codes: Iterable<SetCode>): SetCode {
  let found: SetCode = 'OK'
  for (const code of codes) if (rank(code) < rank(found)) found = code
  return found
}

function rank(code: SetCode): number {
  return code === 'RECEIPT_INVALID' ? -1 : ORDER.indexOf(exitCodeOf(code))
}

/** Exit codes, the worst first. */
const ORDER = [1, 6, 5, 2, 0]
