// SPDX-License-Identifier: Apache-2.0
import { type Signer, handleOf } from '../keys/signer.js'
import { addon, unwrap, unwrapJson } from '../native.js'
import { type StoredCheckpoint } from './checkpointer.js'
import { type Ledger, ledgerHandleOf } from './ledger.js'

/** One entry's place in a log. */
export interface EntryProof {
  /** Number of the entry, decimal digits. */
  readonly seq: string
  /** SHA-256 of the entry's exact bytes, 64 hex digits. */
  readonly digest: string
  /** The proof with its checkpoint (C2SP `tlog-proof`). */
  readonly proof: string
}

/** What a ledger is beside a checkpoint that was kept elsewhere. */
export interface LedgerComparison {
  /**
   * `complete`: all of the checkpoint's entries are there. `truncated`: the end is missing.
   * `rolled_back`: the ledger is in an earlier state, as if from a copy. `forked`: as many entries
   * are there, but other ones.
   */
  readonly status: 'complete' | 'forked' | 'rolled_back' | 'truncated'
  /** How many entries there are, decimal digits; with `forked`, how many were compared. */
  readonly have: string
  /** How many entries the checkpoint covers, decimal digits. */
  readonly want: string
}

/** A log as files, checked. */
export interface VerifiedTiles {
  /** The log's name. */
  readonly origin: string
  /** How many entries it has, decimal digits. */
  readonly size: string
  /** 64 hex digits. */
  readonly root: string
}

/** What a witness works with. */
export interface WitnessOptions {
  /** Its name, as verifiers know it: a URL without scheme by custom. */
  readonly name: string
  /** File that holds what it signed last; made where there is none. */
  readonly state: string
  /** Public key files of the logs that it sees. */
  readonly logs: readonly string[]
  /** Its clock. */
  readonly now?: Date
}

/** A checkpoint that a witness signed. */
export interface Cosigned {
  /** The checkpoint with the cosignature. */
  readonly note: string
  /** The witness's key as verifiers write it. */
  readonly vkey: string
}

/**
 * Returns the latest checkpoint of a ledger, if it has one.
 *
 * @throws {@link LedgerError}
 */
export function latestCheckpoint(ledger: Ledger): StoredCheckpoint | undefined {
  const answer = addon.latestCheckpoint(ledgerHandleOf(ledger))
  return unwrapJson<StoredCheckpoint | null>(answer) ?? undefined
}

/**
 * Proves an entry in a checkpoint of its ledger.
 *
 * @param entry number of the entry, or id of the run whose last entry it is
 * @param checkpoint the note, which may carry cosignatures; the latest that the ledger has unless
 *   given
 * @throws {@link LedgerError} `ERR_LEDGER_PROOF` when there is no such entry, or no checkpoint
 *   covers it; `ERR_LEDGER_EMPTY` when there is no checkpoint
 */
export async function proveEntry(
  ledger: Ledger,
  entry: string,
  checkpoint?: Uint8Array,
): Promise<EntryProof> {
  return unwrapJson<EntryProof>(await addon.proveEntry(ledgerHandleOf(ledger), entry, checkpoint))
}

/**
 * Returns what a witness needs to cosign the latest checkpoint (C2SP `tlog-witness`).
 *
 * @param old how many entries the witness saw last, decimal digits; `0` for none
 * @throws {@link LedgerError}
 */
export async function witnessRequest(ledger: Ledger, old: string): Promise<string> {
  return unwrap(await addon.witnessRequest(ledgerHandleOf(ledger), old)).value
}

/**
 * Cosigns a checkpoint as a witness, if its log only grew since the last one: what was signed is
 * durable in the state before.
 *
 * @param request a checkpoint, or one with a consistency proof as {@link witnessRequest} gives it
 * @throws {@link LedgerError} `ERR_LEDGER_ROLLED_BACK`, `ERR_LEDGER_FORKED`, `ERR_LEDGER_PROOF`
 *   when the log did not only grow or does not show it; `ERR_LEDGER_NOTE`,
 *   `ERR_LEDGER_NOTE_SIGNATURE` for what is no checkpoint of a trusted log
 */
export async function cosignCheckpoint(
  request: Uint8Array,
  signer: Signer,
  options: WitnessOptions,
): Promise<Cosigned> {
  const { name, state, logs, now = new Date() } = options
  const time = Math.floor(now.getTime() / 1000)
  const given = { name, state, logs: [...logs], time }
  return unwrapJson<Cosigned>(await addon.cosignCheckpoint(request, handleOf(signer), given))
}

/**
 * Compares a ledger with a checkpoint of it that was kept elsewhere.
 *
 * @param checkpoint the note
 * @param keys public key files, one of which signed it
 * @throws {@link LedgerError} for what is no checkpoint of this ledger
 */
export async function compareLedger(
  ledger: Ledger,
  checkpoint: Uint8Array,
  keys: readonly string[],
): Promise<LedgerComparison> {
  const answer = await addon.compareLedger(ledgerHandleOf(ledger), checkpoint, [...keys])
  return unwrapJson<LedgerComparison>(answer)
}

/**
 * Writes the log of the latest checkpoint into a new folder (C2SP `tlog-tiles`): digests, no
 * receipts.
 *
 * @throws {@link LedgerError} `ERR_LEDGER_EXISTS` when there is something at the path
 */
export async function exportTiles(
  ledger: Ledger,
  folder: string,
): Promise<{ readonly size: string; readonly root: string }> {
  return unwrapJson(await addon.exportTiles(ledgerHandleOf(ledger), folder))
}

/**
 * Checks a folder of tiles: its checkpoint's signature, and every hash.
 *
 * @param keys public key files, one of which signed the checkpoint
 * @throws {@link LedgerError} `ERR_LEDGER_PROOF` for tiles that do not fit
 */
export async function verifyTiles(folder: string, keys: readonly string[]): Promise<VerifiedTiles> {
  return unwrapJson<VerifiedTiles>(await addon.verifyTiles(folder, [...keys]))
}
