// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Approval } from '../approval/index.js'
import { KeyError, LedgerError, ReceiptError } from '../errors.js'
import { ownKeys } from '../keys/own-keys.js'
import { type Secret, Signer } from '../keys/signer.js'
import { Ledger } from '../ledger/ledger.js'
import type { Recorded } from '../ledger/types.js'
import { parseJson, sha256Hex } from '../native.js'
import { type Home } from './home.js'
import { type RecordedDecision, interruptedPayload } from './payloads.js'

/** What a recorder needs. */
export interface RecorderOptions {
  readonly home: Home
  /** Private key file or `pkcs11:` URI; the key of `home` unless another is named. */
  readonly signingKey?: string | undefined
  /** Where the passphrase of an encrypted key is. */
  readonly passphrase?: Secret | undefined
  /** Key id for csc receipts; the key's thumbprint unless another is named. */
  readonly keyId?: string | undefined
}

const RESERVE = 'reserve-'

/** Removes what processes that were killed have left; returns how many files. */
export function sweepReserves(folder: string): number {
  let removed = 0
  for (const name of readdirSync(folder)) {
    const pid = new RegExp(`^${RESERVE}(\\d+)-`).exec(name)?.[1]
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue
    rmSync(join(folder, name), { force: true })
    removed += 1
  }
  return removed
}

/** Room for an outcome with its place in the log, with plenty to spare. */
const RESERVED_BYTES = 1024 * 1024

/** Signs and records: nothing of a run happens that did not pass through here first. */
export class Recorder {
  readonly #ledger: Ledger
  readonly #options: RecorderOptions
  #signer: Signer
  readonly #reserve: string

  /**
   * Loads the key and opens the ledger.
   *
   * @throws {@link KeyError}, {@link LedgerError}
   */
  constructor(options: RecorderOptions) {
    this.#options = options
    this.#signer = loadSigner(options)
    this.#ledger = new Ledger(options.home.ledger)
    sweepReserves(options.home.folder)
    this.#reserve = join(options.home.folder, `${RESERVE}${process.pid}-${randomUUID()}`)
  }

  /** The id of the ledger, 32 hex digits. */
  get ledgerId(): string {
    return this.#ledger.id
  }

  /** Returns which of these approvals a run before has used up. */
  approvalsUsed(approvals: readonly Approval[]): ReadonlySet<Approval> {
    if (approvals.length === 0) return new Set()
    const entries = this.#ledger.approvalsUsed(approvals)
    return new Set(approvals.filter((_, index) => entries[index] !== null))
  }

  /** Records a decision before anything happens: as an intent when it allows. */
  async decision(runId: string, payload: string, allows: boolean, now: Date): Promise<Recorded> {
    const phase = allows ? 'intent' : 'refusal'
    return await this.#ledger.append(this.#signer, {
      phase,
      runId,
      createdAtMs: now.getTime(),
      payload,
    })
  }

  /**
   * Holds disk space for the outcome of a run, since what runs may fill the disk.
   *
   * @throws {@link LedgerError} `ERR_LEDGER_WRITE` when there is none
   */
  reserve(): void {
    try {
      writeFileSync(this.#reserve, Buffer.alloc(RESERVED_BYTES), { flag: 'wx', mode: 0o600 })
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      const message = `no room can be kept for the outcome of a run: ${reason}`
      throw new LedgerError('ERR_LEDGER_WRITE', message, { cause })
    }
  }

  /**
   * Takes the key that took the place of ours while commands ran: what is dated after a rotation and
   * signed by the old key would be outside of its window. Where that key cannot be had, or ours was
   * revoked, ours signs on: what happened is recorded in any case, and verification says the rest.
   */
  renewKey(): void {
    const { home, signingKey } = this.#options
    if (signingKey !== undefined) return
    try {
      const { thumbprint } = this.#signer.publicKey
      const current = ownKeys(home).keys.find(({ standing }) => standing === 'current')
      if (current === undefined || current.key.thumbprint === thumbprint) return
      this.#signer = loadSigner(this.#options)
    } catch (error) {
      if (!(error instanceof KeyError)) throw error
    }
  }

  /** Gives the space back; there may be none. */
  release(): void {
    rmSync(this.#reserve, { force: true })
  }

  /** Records what became of a run. */
  async outcome(runId: string, payload: string, now: Date): Promise<Recorded> {
    const entry = { phase: 'outcome', runId, createdAtMs: now.getTime(), payload } as const
    return await this.#ledger.append(this.#signer, entry)
  }

  /** Signs a csc receipt and returns its text. */
  signCsc(receipt: string, signedAt: string): string {
    const keyId = this.#options.keyId ?? this.#signer.publicKey.thumbprint
    return this.#signer.signCsc(receipt, keyId, signedAt)
  }

  /**
   * Records an outcome for every run whose process ended without one.
   *
   * @returns how many there were
   */
  async recordInterrupted(now: Date): Promise<number> {
    let recorded = 0
    for (const orphan of this.#ledger.orphans()) {
      const intent = Buffer.from(orphan.intent)
      const payload = interruptedPayload(decisionIn(intent), sha256Hex(intent), now)
      try {
        await this.outcome(orphan.run_id, payload, now)
        recorded += 1
      } catch (error) {
        // another process recorded it in the meantime
        if (!isCode(error, 'ERR_LEDGER_RUN_CLOSED')) throw error
      }
    }
    return recorded
  }

  /** Makes a checkpoint of what was recorded, as well as it can, and closes the ledger. */
  async close(): Promise<void> {
    this.release()
    await this.#ledger.finish(this.#signer)
    this.#ledger.close()
  }
}

function isCode(error: unknown, code: LedgerError['code']): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function loadSigner(options: RecorderOptions): Signer {
  const { home, signingKey, passphrase } = options
  if (signingKey !== undefined) return refuseEnded(new Signer(signingKey, passphrase), home)
  try {
    // not to make the folder only to find it empty
    if (existsSync(home.keys)) return new Signer({ folder: home.keys }, passphrase)
    throw new KeyError('ERR_KEY_FILE_UNREADABLE', `no folder \`${home.keys}\``)
  } catch (error) {
    if (!isCode(error, 'ERR_KEY_FILE_UNREADABLE')) throw error
    const message = `no signing key at \`${options.home.signingKey}\`; make one with \`ambit keys generate\``
    throw new KeyError('ERR_KEY_MISSING', message, { cause: error })
  }
}

/** Refuses an own key that was rotated or revoked, wherever its file is now. */
function refuseEnded(signer: Signer, home: Home): Signer {
  const { thumbprint } = signer.publicKey
  const own = ownKeys(home).keys.find(({ key }) => key.thumbprint === thumbprint)
  if (own === undefined || own.standing === 'current') return signer
  const what = own.standing === 'revoked' ? 'revoked' : 'rotated'
  throw new KeyError(
    'ERR_KEY_REVOKED',
    `the signing key ${thumbprint} was ${what}; use the current one`,
  )
}

/** Reads a decision receipt that we signed. */
function decisionIn(bytes: Uint8Array): RecordedDecision {
  const strict = parseJson(bytes, { maxBytes: 1024 * 1024, maxDepth: 64 })
  const document: unknown = strict.ok ? JSON.parse(strict.canonical) : undefined
  const payload = member(document, 'payload')
  const text = (name: string) => {
    const value = member(payload, name)
    if (typeof value === 'string') return value
    throw new ReceiptError('ERR_RECEIPT_SCHEMA', `an intent in the ledger has no \`${name}\``)
  }
  return {
    run_id: text('run_id'),
    contract_hash: text('contract_hash'),
    policy_hash: text('policy_hash'),
    mode: text('mode'),
    ...actorIn(payload),
    ...approvalsIn(payload),
    marks: {
      ...(member(payload, 'nonce') !== undefined && { nonce: text('nonce') }),
      ...(member(payload, 'audience') !== undefined && { audience: text('audience') }),
    },
  }
}

/** Returns the actor of a decision; those of before have none. */
function actorIn(payload: unknown): Pick<RecordedDecision, 'actor'> {
  const actor = member(payload, 'actor')
  const [agent_id, session_id] = [member(actor, 'agent_id'), member(actor, 'session_id')]
  const isWhole = typeof agent_id === 'string' && typeof session_id === 'string'
  return isWhole ? { actor: { agent_id, session_id } } : {}
}

/** Returns the approvals of a decision, if it rests on any. */
function approvalsIn(payload: unknown): Pick<RecordedDecision, 'approvals'> {
  const approvals = member(payload, 'approvals')
  return Array.isArray(approvals) ? { approvals } : {}
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.getOwnPropertyDescriptor(value, name)?.value
}
