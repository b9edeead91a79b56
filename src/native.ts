// SPDX-License-Identifier: Apache-2.0
// The only file that loads the addon. It turns the addon's answers into values and typed errors.
import addon from '../index.js'
import {
  AmbitError,
  type ErrorCode,
  type ErrorDetails,
  InternalError,
  KeyError,
  LedgerError,
  ReceiptError,
  SandboxError,
  isErrorCode,
} from './errors.js'

interface Failure {
  readonly kind: 'err'
  readonly code: string
  readonly message: string
  readonly details?: string
}

/** Bounds of a strict JSON document. */
export interface JsonLimits {
  /** Largest document, bytes. */
  readonly maxBytes: number
  /** Deepest nesting. */
  readonly maxDepth: number
}

/** Strict JSON in canonical form, or what is wrong with the text and where. */
export type StrictJson =
  | { readonly ok: true; readonly canonical: string }
  | {
      readonly ok: false
      /** The kind of fault, such as `DUPLICATE_MEMBER`. */
      readonly code: string
      readonly message: string
      /** Bytes from the start. */
      readonly offset: number
      /** From 1. */
      readonly line: number
      /** From 1. */
      readonly column: number
    }

/** What a public key is, in its usual forms. */
export interface KeyDescription {
  /** RFC 7638 thumbprint, 43 base64url characters: the key's id. */
  readonly thumbprint: string
  /** 64 lower-case hex digits. */
  readonly hex: string
  readonly jwk: Readonly<Record<string, string>>
  /** SPKI PEM. */
  readonly pem: string
}

/** What verifying one receipt found. */
export interface Verdict {
  readonly status: 'invalid' | 'undecidable' | 'valid'
  /** Why, for example `INVALID_SIGNATURE`. */
  readonly code: string
  /** For people; hostile text in it is escaped and cut. */
  readonly detail: string
  /** The format, where the document has the shape of one. */
  readonly format: string | null
  /** The key the receipt names: its own claim unless the receipt is valid. */
  readonly key_id: string | null
  /** The payload's type: its own claim unless the receipt is valid. */
  readonly payload_type: string | null
  /** SHA-256 of the document's canonical text, 64 hex digits. */
  readonly digest: string | null
}

/** A public key file to verify with; without `id` it serves for any key id. */
export interface TrustedKey {
  readonly path: string
  readonly id?: string
}

/** State of one mechanism of the sandbox. */
export interface Mechanism {
  readonly state: 'degraded' | 'enforced' | 'not_requested' | 'unavailable'
  readonly facts?: Readonly<Record<string, string>>
  readonly reason?: string
}

/** What was really enforced. */
export interface Enforcement {
  readonly tier: 'full' | 'lite' | 'none'
  readonly mechanisms: Readonly<Record<string, Mechanism>>
}

/** How a command ended. */
export type Termination =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: number }
  | { readonly kind: 'not_executable'; readonly errno: number }
  | { readonly kind: 'cancelled' | 'not_found' | 'sandbox_lost' | 'timed_out' }

/** What is known of one output stream. */
export interface StreamOutcome {
  /** Of the whole stream, 64 hex digits. */
  readonly sha256: string
  /** Length of the whole stream. */
  readonly bytes: number
  /** Whether less than all of it was kept. */
  readonly truncated: boolean
}

/** How one launch went. */
interface LaunchOutcome {
  readonly termination: Termination
  readonly duration_us: number
  readonly user_us: number
  readonly system_us: number
  readonly max_rss_kib: number
  readonly stdout: StreamOutcome
  readonly stderr: StreamOutcome
  readonly enforcement: Enforcement
}

/** A launch that has ended, with the output that was kept. */
export interface Launched {
  readonly outcome: LaunchOutcome
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** What a listener threw; the run was stopped for it. */
  readonly thrown?: { readonly cause: unknown }
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

/** A run that was begun and whose process has ended. */
export interface OpenRun {
  readonly run_id: string
  readonly intent_seq: string
  /** The exact text of the intent. */
  readonly intent: string
}

/** What this machine can enforce. */
export interface ProbeReport extends Enforcement {
  readonly kernel: string
  readonly machine: string
  readonly reason?: string
}

/** What an entry means for its run. */
export type Phase = 'intent' | 'outcome' | 'refusal'

/**
 * Reads strict I-JSON: duplicate members, unsafe integers, lone surrogates and the like are refused.
 *
 * @param bytes the document
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): StrictJson {
  const answer = addon.parseJson(bytes, limits.maxBytes, limits.maxDepth)
  if (answer.kind === 'ok') return { ok: true, canonical: answer.value }
  const fault = detailsOf(answer) as { reason: string } & Record<string, number>
  return {
    ok: false,
    code: fault.reason,
    message: answer.message,
    offset: fault['offset'] ?? 0,
    line: fault['line'] ?? 1,
    column: fault['column'] ?? 1,
  }
}

/** Bounds of documents that we wrote ourselves. */
const OWN_LIMITS: JsonLimits = { maxBytes: 16 * 1024 * 1024, maxDepth: 64 }

/**
 * Returns the RFC 8785 text of a JSON text.
 *
 * @throws {@link InternalError} when the text is not strict JSON
 */
export function canonicalize(json: string): string {
  const result = parseJson(Buffer.from(json), OWN_LIMITS)
  if (!result.ok) throw new InternalError(`not strict JSON: ${result.message}`)
  return result.canonical
}

/** Returns SHA-256 as 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return addon.sha256Hex(bytes)
}

/** A loaded signing key; nothing of it can be read. */
export class Signer {
  readonly #handle = new addon.Signer()
  /** The public half. */
  readonly publicKey: KeyDescription

  /**
   * Loads a private key from a file that only its owner can read.
   *
   * @throws {@link KeyError}
   */
  constructor(path: string) {
    this.publicKey = JSON.parse(unwrap(this.#handle.load(path)).value) as KeyDescription
  }

  /**
   * Signs a csc receipt.
   *
   * @param receipt JSON without the signature
   * @returns the text to store, byte for byte
   * @throws {@link ReceiptError} when the receipt breaks its schema
   */
  signCsc(receipt: string, keyId: string, signedAt: string): string {
    return unwrap(addon.signCscReceipt(receipt, this.#handle, keyId, signedAt)).value
  }

  /** Signs a payload at its place in a ledger and makes it durable there. */
  async append(
    ledger: InstanceType<typeof addon.LedgerHandle>,
    entry: { phase: Phase; runId: string; createdAtMs: number; payload: string },
  ): Promise<Recorded> {
    const { phase, runId, createdAtMs, payload } = entry
    const answer = await ledger.append(phase, runId, createdAtMs, payload, this.#handle)
    const { seq, digest, bytes } = unwrap(answer)
    return { seq, digest, bytes }
  }
}

/** An open ledger. */
export class Ledger {
  readonly #handle = new addon.LedgerHandle()
  /** The ledger's id, 32 hex digits. */
  readonly id: string

  /**
   * Opens the ledger in a folder, making it if there is none.
   *
   * @throws {@link LedgerError}
   */
  constructor(folder: string) {
    this.id = unwrap(this.#handle.open(folder)).value
  }

  /**
   * Signs a payload and appends it; it is durable when the promise resolves.
   *
   * @throws {@link LedgerError}, or {@link ReceiptError} for a payload that breaks its rules
   */
  async append(
    signer: Signer,
    entry: { phase: Phase; runId: string; createdAtMs: number; payload: string },
  ): Promise<Recorded> {
    return await signer.append(this.#handle, entry)
  }

  /** Lists the runs that were begun and whose process has ended, oldest first. */
  orphans(): readonly OpenRun[] {
    return JSON.parse(unwrap(this.#handle.orphans()).value) as OpenRun[]
  }

  /** Closes the ledger. */
  close(): void {
    this.#handle.close()
  }
}

/**
 * Makes a key pair in two new files.
 *
 * @throws {@link KeyError} when one exists already or cannot be written
 */
export function generateKey(privatePath: string, publicPath: string): KeyDescription {
  return JSON.parse(unwrap(addon.generateKey(privatePath, publicPath)).value) as KeyDescription
}

/**
 * Describes a public key file: SPKI PEM, JWK, 64 hex digits or 32 raw bytes.
 *
 * @throws {@link KeyError}
 */
export function describePublicKey(path: string): KeyDescription {
  return JSON.parse(unwrap(addon.describePublicKey(path)).value) as KeyDescription
}

/**
 * Verifies one receipt of any format that is known.
 *
 * @throws {@link KeyError} when a key cannot be read; a bad receipt is a verdict
 */
export function verifyDocument(document: Uint8Array, keys: readonly TrustedKey[]): Verdict {
  return JSON.parse(unwrap(addon.verifyReceipt(document, [...keys])).value) as Verdict
}

/** Options of {@link launchPlan}. */
export interface LaunchOptions {
  readonly signal?: AbortSignal | undefined
  readonly onStdout?: ((piece: Uint8Array) => void) | undefined
  readonly onStderr?: ((piece: Uint8Array) => void) | undefined
}

/**
 * Runs a launch plan.
 *
 * @param plan JSON of a launch plan
 * A callback that throws stops the run; what it threw stands in the answer.
 *
 * @throws {@link SandboxError} when the sandbox could not be built; then nothing ran
 */
export async function launchPlan(plan: string, options: LaunchOptions): Promise<Launched> {
  const canceller = new addon.Canceller()
  let thrown: { readonly cause: unknown } | undefined
  const guarded = (callback: ((piece: Uint8Array) => void) | undefined) =>
    callback &&
    ((piece: Uint8Array) => {
      if (thrown) return
      try {
        callback(piece)
      } catch (cause) {
        thrown = { cause }
        canceller.cancel()
      }
    })
  const onAbort = () => canceller.cancel()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    if (options.signal?.aborted === true) canceller.cancel()
    const answer = await addon.launchPlan(
      plan,
      canceller,
      guarded(options.onStdout),
      guarded(options.onStderr),
    )
    const { outcome, stdout, stderr } = unwrap(answer)
    const launched = { outcome: JSON.parse(outcome) as LaunchOutcome, stdout, stderr }
    return thrown ? { ...launched, thrown } : launched
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
    // until here the handle must live: the addon stops a run whose handle is gone
    canceller.release()
  }
}

/** Tries every mechanism of the sandbox on this machine. */
export async function probe(): Promise<ProbeReport> {
  return JSON.parse(unwrap(await addon.probe()).value) as ProbeReport
}

function detailsOf(failure: Failure): ErrorDetails {
  return failure.details === undefined ? {} : (JSON.parse(failure.details) as ErrorDetails)
}

/** Returns the value of an answer, or throws its failure as an error of its area. */
function unwrap<A extends { kind: 'ok' } | Failure>(answer: A): Exclude<A, Failure> {
  if (answer.kind === 'ok') return answer as Exclude<A, Failure>
  throw errorOf(answer)
}

function errorOf(failure: Failure): AmbitError {
  const { code, message } = failure
  const options = { details: detailsOf(failure) }
  if (!isErrorCode(code)) return new InternalError(`unknown code ${code}: ${message}`, options)
  if (code.startsWith('ERR_SANDBOX_')) return new SandboxError(code as never, message, options)
  if (code.startsWith('ERR_LEDGER_')) return new LedgerError(code as never, message, options)
  if (code.startsWith('ERR_KEY_')) return new KeyError(code as never, message, options)
  if (code.startsWith('ERR_RECEIPT_')) return new ReceiptError(code as never, message, options)
  return new AmbitError(code satisfies ErrorCode, message, options)
}
