// SPDX-License-Identifier: Apache-2.0
import { addon, parseOwn, unwrapJson } from '../native.js'
import { type ReceiptSource, type SetOptions, requestOf } from './request.js'
import type { Verdict } from './verify.js'

/** What was found of one receipt of a set. */
export interface ReceiptResult {
  /** The file, folder or ledger that it came from. */
  readonly source: string
  /** The line, element or entry of it, from 1; null where the source is one receipt. */
  readonly number: number | null
  /** Its number in its chain, if it claims one: its own claim unless it is valid. */
  readonly seq: number | null
  /** What the receipt is worth for itself; absent where it could not be read. */
  readonly verdict?: Verdict
  /** Why it could not be read. */
  readonly error?: { readonly code: string; readonly message: string }
}

/** One thing that is wrong with what joins the receipts. */
export interface SetFinding {
  /** Such as `CHAIN_GAP`. */
  readonly code: string
  readonly source: string | null
  readonly number: number | null
  readonly chain: string | null
  /** For people; hostile text in it is escaped and cut. */
  readonly detail: string
}

/** One chain of a set. */
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

/** What is known of receipts that are not there. */
export type Completeness =
  | { readonly kind: 'not_complete' }
  | {
      readonly kind: 'integrity_only'
      /** A checkpoint that came with the receipts, and is met: it may be as old as whoever keeps both wants. */
      readonly beside?: { readonly origin: string; readonly size: number }
    }
  | {
      readonly kind: 'complete_to_checkpoint'
      readonly origin: string
      readonly size: number
      /** Entries that are newer than the checkpoint. */
      readonly beyond: number
      readonly witnesses: readonly string[]
    }
  | {
      readonly kind: 'included'
      readonly origin: string
      readonly seq: number
      readonly size: number
      readonly witnesses: readonly string[]
    }

/** The verdict for a set. */
export interface SetVerdict {
  readonly status: 'incomplete' | 'invalid' | 'undecidable' | 'valid'
  /** The worst of what was found; `OK` if nothing was. */
  readonly code: string
  readonly detail: string
  /** The exit code of `ambit verify`. */
  readonly exit_code: number
  readonly counts: Readonly<
    Record<
      | 'bare_links'
      | 'dated_later'
      | 'invalid'
      | 'key_not_established'
      | 'receipts'
      | 'undecidable'
      | 'unreadable'
      | 'valid',
      number
    >
  >
  readonly completeness: Completeness
  readonly chains: readonly ChainReport[]
  /** The first thousand. */
  readonly findings: readonly SetFinding[]
  readonly findings_total: number
}

/** All that was found. */
export interface SetResult {
  readonly receipts: readonly ReceiptResult[]
  readonly set: SetVerdict
}

/**
 * Verifies receipts, offline: a file, a folder, a ledger, JSON Lines, a bundle, or bytes of one of
 * these. Bad receipts are verdicts, not errors. For very many use {@link verifyAll}.
 *
 * @param source paths (text) or documents (bytes), one or several
 * @throws {@link KeyError} for a key that cannot be used
 * @throws {@link ConfigError} for an option that cannot be used
 * @example
 * ```ts
 * const { receipts, set } = await verify('receipt.json', { keys: [{ path: 'key.pub.pem' }] })
 * console.log(set.status, set.code, receipts.length)
 * ```
 */
export async function verify(source: ReceiptSource, options: SetOptions = {}): Promise<SetResult> {
  const receipts: ReceiptResult[] = []
  const results = verifyAll(source, options)
  for (;;) {
    const next = await results.next()
    if (next.done === true) return { receipts, set: next.value }
    receipts.push(next.value)
  }
}

/**
 * Verifies receipts as {@link verify} does, and hands them out one by one, in order; what it returns
 * at the end is the verdict for the set. It reads no further ahead than a thousand receipts, works on
 * threads of its own, and stops when it is left.
 *
 * @throws what {@link verify} throws, and the reason of `options.signal`
 */
export async function* verifyAll(
  source: ReceiptSource,
  options: SetOptions = {},
): AsyncGenerator<ReceiptResult, SetVerdict, undefined> {
  const request = await requestOf(source, options)
  const { signal } = options
  signal?.throwIfAborted()
  const verification = new addon.Verification()
  const batches = new Batches()
  const stop = () => {
    verification.stop()
    batches.end(0)
  }
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const answer = finish(addon.verifySet(request, verification, (batch) => batches.push(batch)))
    answer.then(({ batches: count }) => batches.end(count)).catch(stop)
    for await (const batch of batches.all()) {
      verification.taken()
      yield* parseOwn<ReceiptResult[]>(batch)
      signal?.throwIfAborted()
    }
    signal?.throwIfAborted()
    const { set } = await answer
    return set
  } finally {
    signal?.removeEventListener('abort', stop)
    verification.stop()
  }
}

interface Answer {
  readonly batches: number
  readonly set: SetVerdict
}

async function finish(answer: ReturnType<typeof addon.verifySet>): Promise<Answer> {
  return unwrapJson<Answer>(await answer)
}

/** Batches that came, and the promise of more. */
class Batches {
  readonly #waiting: string[] = []
  #came = 0
  /** How many there will be, once that is known. */
  #total = Number.POSITIVE_INFINITY
  #wake: () => void = () => undefined

  push(batch: string): void {
    this.#came += 1
    this.#waiting.push(batch)
    this.#wake()
  }

  /** Says how many there are in all; what is on its way still comes. */
  end(total: number): void {
    this.#total = total
    this.#wake()
  }

  async *all(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      const batch = this.#waiting.shift()
      if (batch !== undefined) yield batch
      else if (this.#came >= this.#total) return
      else await this.#more()
    }
  }

  async #more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }
}
