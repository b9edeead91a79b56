// SPDX-License-Identifier: Apache-2.0
// Written by `npm run build` from crates/node. Do not edit.

declare const addon: typeof import('./index.js')
export default addon

/**
 * Stops a run: when asked, and when JavaScript lets go of it before the run has ended, as it does
 * when its worker is terminated.
 */
export declare class Canceller {
  /** Makes the handle of a run that is to be started. */
  constructor()
  /** Kills everything in the sandbox. Answers whether the word got through. */
  cancel(): boolean
  /** Sends a signal to the command. Answers whether the word got through. */
  signal(number: number): boolean
  /** Gives the command's terminal another size. Answers whether it has one. */
  resize(columns: number, rows: number): boolean
  /** Lets go of a run that has ended. */
  release(): void
}

/** A chain and what it saw of one session. */
export declare class InspectorSession {
  /** Makes a session of an empty chain; `load` gives it another. */
  constructor()
  /** Takes a chain, a JSON array of inspectors, and answers with nothing. */
  load(inspectors: string, failOpen: boolean): Failure | null
  /** Returns another session of the same chain, in which nothing was seen yet. */
  fork(): InspectorSession
  /**
   * Looks at a call whose parameters are a JSON text, and answers with its findings as a JSON
   * array, or with nothing where there are none. `all`: a deny does not stop the chain.
   * `settle`: the call is judged by this chain alone; else `settle` has to be called.
   */
  inspect(tool: string, params: string, all: boolean, settle: boolean): string | null
  /** Tells the chain whether the call that it saw last was denied. */
  settle(denied: boolean): void
  /** Tells the chain of a call that was denied before it came here. */
  skip(tool: string, params: string): void
  /** Forgets what was seen. */
  reset(): void
}

/** An open ledger. */
export declare class LedgerHandle {
  /** Makes an empty handle; `open` fills it. */
  constructor()
  /** Opens the ledger in a folder, making it if there is none; answers with the ledger's id. */
  open(folder: string): TextAnswer
  /** Opens a ledger for reading only, and changes nothing; answers with the ledger's id. */
  openReadOnly(folder: string): TextAnswer
  /** Closes the ledger; work that was begun goes on to its end. */
  close(): void
  /**
   * Signs payloads and appends them in their order, in one commit with whatever else is being
   * appended; the position of each (`ledger_id`, `seq`, `previousReceiptHash`) is added inside
   * the transaction. Answers once they are durable, with a result for each.
   */
  appendAll(submissions: Array<Submission>, signer: Signer): Promise<Array<Recorded | Failure> | Failure>
  /**
   * Lists the runs that were begun and whose process has ended, oldest first: a JSON array of
   * `{run_id, intent_seq, intent}` with the intent's text.
   */
  orphans(): TextAnswer
  /**
   * Says which approvals were used: a JSON array with the number of the entry that used each, in
   * decimal digits, or null.
   */
  approvalsUsed(approvals: Array<NamedApproval>): TextAnswer
  /**
   * Lists entries from a number on, oldest first, as a JSON array of `{seq, phase, run_id,
   * created_at_ms, digest, document}`; `document` is the exact text that was signed.
   */
  entries(fromSeq: number, limit: number): TextAnswer
  /**
   * Finds entries: the JSON object `{entries, next}` with at most `limit` of them as `entries`
   * lists them, fewer when they are large. `next` is the number where the next page begins,
   * decimal digits, or null after the last.
   */
  query(filter: EntryFilter, newestFirst: boolean, limit: number): Promise<Text | Failure>
  /**
   * Says what the ledger holds: the JSON object `{entries, head, first_ms, last_ms, open_runs,
   * database_bytes, log_bytes}`.
   */
  status(): Promise<Text | Failure>
  /** Removes what may be removed: the JSON object `{locks, imports, log_bytes, database_bytes}`. */
  collectGarbage(): Promise<Text | Failure>
  /**
   * Writes all entries to a new file or folder: the JSON object `{ledger_id, entries, head}`.
   * `form` is `lines` or `files`.
   */
  exportTo(target: string, form: string, progress: Progress): Promise<Text | Failure>
}

/** How far a long piece of work has come; read while it goes on. */
export declare class Progress {
  /** Makes a counter at its start. */
  constructor()
  /** Returns how many entries are done, and of how many; 0 of 0 at the start. */
  read(): Array<number>
}

/** A signing key. It has no property that JavaScript could read. */
export declare class Signer {
  /** Makes an empty handle; `load` fills it. */
  constructor()
  /**
   * Loads a private key, and answers with the key's description as `describePublicKey` gives it.
   * `source` is a file that only its owner can read, or a `pkcs11:` URI.
   */
  load(source: string, secret: Secret): TextAnswer
  /** Loads the current key of a folder of keys, and answers as `load` does. */
  loadOwn(folder: string, secret: Secret): TextAnswer
}

/** Steers a verification: how many batches may wait for JavaScript, and whether it goes on. */
export declare class Verification {
  /** Makes the handle of a verification that is to be started. */
  constructor()
  /** Says that a batch was used up, so that the next may come. */
  taken(): void
  /** Breaks off; the answer is then `null`. */
  stop(): void
}

/** Answers with the text of the document in which a policy is published. */
export declare function bundlePolicy(engine: string, files: Array<NamedFile>, generatedAt: string): TextAnswer

/**
 * Returns the RFC 8785 text of a strict JSON text, of at most 16 MiB and 64 levels. The text comes
 * alone, without an object around it: this call is counted in hundreds of nanoseconds.
 */
export declare function canonicalize(document: string | Uint8Array): string | Failure

/** Checks a published policy and answers with its digest: `sha256:` and 64 hex digits. */
export declare function checkBundle(bundle: Uint8Array): TextAnswer

/** Checks a pattern of a rule; answers with the pattern. */
export declare function checkInspectorPattern(pattern: string): TextAnswer

/**
 * Makes a checkpoint if one is due, after `entries` entries or `interval_ms` milliseconds with one
 * at least; answers as `checkpointLedger`, or with `null`.
 */
export declare function checkpointIfDue(ledger: LedgerHandle, signer: Signer, nowMs: number, entries: number, intervalMs: number): Promise<Text | Failure>

/**
 * Makes, signs and stores a checkpoint of all entries, or answers with the latest one where it
 * covers them: `{size, root, note, created_at_ms}` as JSON, size in digits, root in hex.
 */
export declare function checkpointLedger(ledger: LedgerHandle, signer: Signer, nowMs: number): Promise<Text | Failure>

/**
 * Compares the ledger with a checkpoint that was kept elsewhere, signed by one of the public keys
 * in `keys` (files): answers with `{status, have, want}` as JSON, `status` being `complete`,
 * `forked`, `rolled_back` or `truncated`, and the numbers of entries in digits.
 */
export declare function compareLedger(ledger: LedgerHandle, checkpoint: Uint8Array, keys: Array<string>): Promise<Text | Failure>

/**
 * Cosigns a checkpoint, or a request with one, if its log only grew; answers with `{note, vkey}`
 * as JSON: the checkpoint with the cosignature, and the witness's key as verifiers write it.
 */
export declare function cosignCheckpoint(request: Uint8Array, signer: Signer, options: WitnessOptions): Promise<Text | Failure>

/**
 * Reads a public key file (SPKI PEM, JWK, 64 hex digits or 32 raw bytes) and answers with
 * `{thumbprint, issuer_id, hex, jwk, pem}` as JSON.
 */
export declare function describePublicKey(path: string): TextAnswer

/**
 * Answers with `{sha256, bytes}` of a regular file as JSON; no part of its path may be a symbolic
 * link. Reading is work off the JavaScript thread.
 */
export declare function digestArtifact(path: string, maxBytes: number): Promise<Text | Failure>

/**
 * Answers with the digest of compiled rules in their order, a JSON array: `sha256:` and 64 hex
 * digits.
 */
export declare function digestCompiledPolicy(engine: string, rules: string): TextAnswer

/** Answers with the `acta-policy-digest-v1` of files: `sha256:` and 64 hex digits. */
export declare function digestPolicy(engine: string, files: Array<NamedFile>): TextAnswer

/** Which entries are wanted; every condition that is given must hold. */
export interface EntryFilter {
  /** The lowest number, decimal digits. */
  fromSeq?: string
  /** The highest number, decimal digits. */
  untilSeq?: string
  /** The earliest time, in milliseconds since 1970-01-01T00:00:00Z. */
  sinceMs?: number
  /** The time before which entries were made. */
  untilMs?: number
  /** `intent`, `refusal` or `outcome`. */
  phase?: string
  /** The run. */
  runId?: string
  /** `decision` in the payload. */
  decision?: string
  /** `agent_id` in the payload, or in its `actor`. */
  agent?: string
  /** `session_id` in the payload, or in its `actor`. */
  session?: string
  /** A reason code or an error code in the payload. */
  code?: string
}

/**
 * Puts a receipt that verifies with these keys into a DSSE envelope that `signer` signs; answers
 * with the envelope's text.
 */
export declare function exportDsse(receipt: Uint8Array, keys: Array<TrustedKey>, jwks: Array<Uint8Array>, exportedAt: string, signer: Signer): TextAnswer

/**
 * Writes the log of the latest checkpoint as C2SP `tlog-tiles` into a new folder; answers with
 * `{size, root}` as JSON.
 */
export declare function exportTiles(ledger: LedgerHandle, folder: string): Promise<Text | Failure>

/** A call that could not do its work. */
export interface Failure {
  /** Always `err`. */
  kind: 'err'
  /** Stable code, `ERR_<AREA>_<WHAT>`. */
  code: string
  /** One line for people. */
  message: string
  /** Further facts as a JSON object, if there are any. */
  details?: string
}

/** Returns the fingerprint of a secret: one line. */
export declare function fingerprintSecret(secret: string | Uint8Array): TextAnswer

/**
 * Makes a new key pair: the private key as PKCS#8 PEM into a new file with mode 0600, encrypted
 * where there is a secret, the public one as SPKI PEM into a new file beside it. Neither may exist.
 * Answers with the key's description.
 */
export declare function generateKey(privatePath: string, publicPath: string, secret?: Secret | undefined | null): TextAnswer

/**
 * Makes the first key of a folder, or the next one after the current was revoked; answers with its
 * description. `now` is asked for the time, UTC with
 * milliseconds, once the lock is held and the passphrase known.
 */
export declare function generateOwnKey(folder: string, now: () => string, secret?: Secret | undefined | null): TextAnswer

/**
 * Takes a receipt out of a DSSE envelope that one of these keys signed; answers with `{receipt,
 * exported_at, signers}` as JSON, `receipt` being the receipt's exact text.
 */
export declare function importDsse(envelope: Uint8Array, keys: Array<TrustedKey>, jwks: Array<Uint8Array>): TextAnswer

/** Makes a new ledger of an export: the JSON object `{ledger_id, entries, head}`. */
export declare function importLedger(source: string, folder: string, progress: Progress): Promise<Text | Failure>

/** Answers with the latest checkpoint as `checkpointLedger` does, or with `null`. */
export declare function latestCheckpoint(ledger: LedgerHandle): TextAnswer

/** A run that was started; the types alone, for JavaScript. */
export interface Launch {
  /** How it ended. */
  done: Promise<Ran | Failure>
  /** Writing end of the pipe of standard input, if one was asked for. */
  stdin?: number
  /** Reading end of the pipe of standard output, if one was asked for. */
  stdout?: number
  /** Reading end of the pipe of standard error, if one was asked for. */
  stderr?: number
}

/** Returns the launcher, the static program that is pid 1 of every sandbox, for packaging. */
export declare function launcherImage(): Uint8Array

/**
 * The same without a sandbox: nothing of the plan's scopes, network and limits is enforced.
 *
 * # Errors
 * When no promise, pipe or thread can be made, or a descriptor is none; then nothing ran.
 */
export declare function launchLocalPlan(plan: string, canceller: Canceller, streams: LaunchStreams): Launch

/**
 * Runs a launch plan (JSON). `done` answers once the last process of the sandbox is gone; the others
 * are JavaScript's ends of the pipes that were asked for, not waiting, for JavaScript to close.
 *
 * # Errors
 * When no promise, pipe or thread can be made, or a descriptor is none; then nothing ran.
 */
export declare function launchPlan(plan: string, canceller: Canceller, streams: LaunchStreams, onStart?: ((pid: number | null) => void) | undefined | null): Launch

/**
 * What goes into a run and where its output goes. A descriptor stays the caller's: the run copies
 * from or to it, and closes its own copy. -1 asks for a pipe, whose other end is JavaScript's.
 */
export interface LaunchStreams {
  /** What a plan with `stdin` of kind `bytes` reads. */
  bytes?: Uint8Array
  /** What a plan with `stdin` of kind `stream`, or with a terminal reads. */
  stdin?: number
  /** Where standard output goes. */
  stdout?: number
  /** Where standard error goes. */
  stderr?: number
  /** Values of the plan's secrets, in their order. */
  secrets?: Array<Uint8Array>
}

/**
 * Answers with `{keys: [{key, standing, valid_from, valid_until, revoked_at, reason}], jwks}`, oldest
 * first: `jwks` is text. A folder that is missing has no keys. Nothing is changed.
 */
export declare function listOwnKeys(folder: string): TextAnswer

/** Answers with `[{name, file, jwks}]`, by name. A folder that is missing has none. */
export declare function listTrustedKeys(folder: string): TextAnswer

/** An approval by what an approver calls it. */
export interface NamedApproval {
  /** The key that signed it, or `unsigned`. */
  approverKeyId: string
  /** Its id. */
  approvalId: string
}

/** A file's name and bytes. */
export interface NamedBytes {
  /** The name. */
  name: string
  /** The bytes. */
  bytes: Uint8Array
}

/** A policy's file. */
export interface NamedFile {
  /** Its name in the manifest. */
  name: string
  /** Its bytes as they are. */
  content: Uint8Array
}

/** Answers with the log of a folder's own keys, as it stands; it is verified first. */
export declare function ownKeyLog(folder: string): TextAnswer

/**
 * Reads strict I-JSON and answers with its RFC 8785 text.
 *
 * The failure's code is `ERR_JSON`; its details are `{reason, offset, line, column}`, offset in
 * bytes from 0, line and column from 1.
 */
export declare function parseJson(document: Uint8Array, maxBytes: number, maxDepth: number): TextAnswer

/** Tries every mechanism of the sandbox; answers with the report as JSON. */
export declare function probe(): Promise<Text | Failure>

/**
 * Proves an entry, by its number or by its run (the last entry of that), in a checkpoint of this
 * ledger, or in the latest: answers with `{seq, digest, proof}` as JSON, `proof` being a C2SP
 * `tlog-proof`.
 */
export declare function proveEntry(ledger: LedgerHandle, entry: string, checkpoint?: Uint8Array | undefined | null): Promise<Text | Failure>

/** A run that has ended. */
export interface Ran {
  /** Always `ok`. */
  kind: 'ok'
  /** The outcome as a JSON object. */
  outcome: string
  /** The beginning of standard output, up to the plan's limit. */
  stdout: Uint8Array
  /** The beginning of standard error, up to the plan's limit. */
  stderr: Uint8Array
  /** The end of standard output that its descriptor had not taken when the run ended. */
  restOfStdout: Uint8Array
  /** The same of standard error. */
  restOfStderr: Uint8Array
}

/** An entry that is durable in the ledger. */
export interface Recorded {
  /** Always `ok`. */
  kind: 'ok'
  /** Number of the entry, from 1, in decimal digits. */
  seq: string
  /** SHA-256 of the bytes, 64 hex digits. */
  digest: string
  /** The exact bytes that were signed and stored. */
  bytes: Uint8Array
}

/** Revokes a key, named by its thumbprint, from a time on; answers with the keys as `listOwnKeys`. */
export declare function revokeOwnKey(folder: string, now: () => string, keyId: string, revokedAt: string | undefined | null, reason: string | undefined | null, secret: Secret): TextAnswer

/** Makes a key that takes the current one's place; answers with its description. */
export declare function rotateOwnKey(folder: string, now: () => string, secret: Secret, newSecret: Secret | undefined | null, deleteOld: boolean): TextAnswer

/** Where the passphrase of a private key is to be had: at most one of these. */
export interface Secret {
  /** A file that only its owner may read. */
  file?: string
  /** Name of an environment variable. */
  variable?: string
  /** Whether the terminal may be asked. */
  ask?: boolean
}

/**
 * Answers with `{files, variables}`, where the secrets of a signing key are: its own file, or what holds
 * the PIN of its token.
 */
export declare function secretPlaces(source: string): TextAnswer

/** What somebody saw of a chain, and when. */
export interface SeenChain {
  /** The ledger's id; absent for the one chain of a set without numbers. */
  ledger?: string
  /** How many receipts it had. */
  count: number
  /** The digest of the last of them. */
  terminal?: string
  /** When, milliseconds since 1970-01-01T00:00:00Z. */
  timeMs: number
  /** How far the clocks may be apart, milliseconds. */
  skewMs: number
}

/** Returns SHA-256 of bytes, or of a text's UTF-8, as 64 lower-case hex digits. */
export declare function sha256Hex(data: string | Uint8Array): string

/**
 * Signs a `csc.receipt.v0.1` given as JSON without its signature; answers with the text to store,
 * byte for byte as csc-runner writes it.
 */
export declare function signCscReceipt(receipt: string, signer: Signer, keyId: string, signedAt: string): TextAnswer

/**
 * Signs a payload of a namespaced type and answers with the envelope's exact text. `sb_issuer`
 * chooses the key's id in the form of the draft; `allow_unsandboxed` signs what says that nothing
 * confined it.
 */
export declare function signReceipt(payload: string | Uint8Array, signer: Signer, sbIssuer: boolean, allowUnsandboxed: boolean): string | Failure

/** A payload to sign and append. */
export interface Submission {
  /** What the entry means for its run: `intent`, `refusal` or `outcome`. */
  phase: string
  /** The run. */
  runId: string
  /** When it is made, in milliseconds since 1970-01-01T00:00:00Z. */
  createdAtMs: number
  /** The payload, a JSON object; its `run_id`, if it has one, is that of the entry. */
  payload: string
}

/** Text: a document, a digest or a JSON object, as the entry point says. */
export interface Text {
  /** Always `ok`. */
  kind: 'ok'
  /** The text. */
  value: string
}

/** Text or a failure. */
export type TextAnswer = Text | Failure

/** A public key to verify with. */
export interface TrustedKey {
  /** File that holds it. */
  path: string
  /** The id under which receipts name it; without one the key serves for any id. */
  id?: string
  /** The first moment at which the key was good, RFC 3339. */
  validFrom?: string
  /** The first moment at which it no longer was, RFC 3339. */
  validUntil?: string
  /** The moment from which nothing that it signed is to be believed, RFC 3339. */
  revokedAt?: string
}

/**
 * Keeps a public key, a JWKS or a key log of somebody else in a folder; answers with
 * `{name, file, jwks}`: `jwks` is text.
 */
export declare function trustKeys(folder: string, path: string, options: TrustOptions): TextAnswer

/** How keys are trusted. */
export interface TrustOptions {
  /** What they are called. */
  name: string
  /** How receipts name a single key, if by none of its own ids. */
  id?: string
  /** Public key files that a key log may begin with. */
  roots?: Array<string>
  /** Whether to take the place of what is there under the name. */
  replace?: boolean
}

/**
 * Verifies one receipt with the keys of files and of key sets (JWKS documents); answers with the
 * verdict as JSON: `{status, code, detail, format, key_id, payload_type, key_status, canonical,
 * digest}`. A receipt that is not valid is an answer, not a failure; only a key that cannot be read
 * is one.
 */
export declare function verifyReceipt(document: Uint8Array, keys: Array<TrustedKey>, jwks?: Array<Uint8Array> | undefined | null): TextAnswer

/** What is verified, and against what. */
export interface VerifyRequest {
  /** Files, folders and ledgers. */
  paths: Array<string>
  /** Documents: a receipt, JSON Lines, an array or a bundle each. */
  documents: Array<Uint8Array>
  /** Files of public keys. */
  keys: Array<TrustedKey>
  /** Key sets (JWKS documents). */
  jwks: Array<Uint8Array>
  /** Digests of policies that receipts may be bound to. */
  policies: Array<string>
  /** Files of policies that receipts may be bound to by `acta-policy-digest-v1`. */
  policyFiles: Array<NamedBytes>
  /** Digests of contracts that receipts may be bound to. */
  contracts: Array<string>
  /** Checkpoints and proofs that were kept elsewhere. */
  checkpoints: Array<Uint8Array>
  /** Trusted witnesses, as C2SP writes their keys. */
  witnesses: Array<string>
  /** How many of them must have signed; all where it is absent. */
  quorum?: number
  /** The moment of verification, milliseconds since 1970-01-01T00:00:00Z. */
  atMs: number
  /** What others saw of a chain. */
  commitments: Array<SeenChain>
}

/**
 * Verifies a set; hands out its results in batches (JSON arrays of `{source, number, seq, verdict}`
 * or `{source, number, error}`), in order, and answers with `{batches, set}`: how many batches there
 * are, some of which may still be on their way, and the set's verdict, or `null` when it was stopped.
 * A few batches wait for [`Verification::taken`]; no more come before.
 *
 * # Errors
 * When no promise or no thread can be made.
 */
export declare function verifySet(request: VerifyRequest, verification: Verification, onBatch: (batch: string) => void): Promise<Text | Failure>

/**
 * Checks a folder of tiles against its checkpoint, signed by one of the public keys in `keys`
 * (files); answers with `{origin, size, root}` as JSON.
 */
export declare function verifyTiles(folder: string, keys: Array<string>): Promise<Text | Failure>

/** A witness and what it trusts. */
export interface WitnessOptions {
  /** Its name, as verifiers know it. */
  name: string
  /** File of its state. */
  state: string
  /** Public key files of the logs that it sees. */
  logs: Array<string>
  /** Its clock, in seconds since 1970-01-01T00:00:00Z. */
  time: number
}

/**
 * Answers with what a witness that last saw `old` entries (digits) needs to cosign the latest
 * checkpoint: the request of C2SP `tlog-witness`.
 */
export declare function witnessRequest(ledger: LedgerHandle, old: string): Promise<Text | Failure>
