// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path'
import { loadContract } from '../contract/index.js'
import { ConfigError, PolicyError } from '../errors.js'
import { type TrustedKey, trustedOf } from '../keys/signer.js'
import type { addon } from '../native.js'
import { loadPolicy } from '../policy/index.js'
import { readReceipt } from './file.js'

/** Where receipts come from: text is a path, bytes are a document. */
export type ReceiptSource = Uint8Array | string | readonly (Uint8Array | string)[]

/** Whom to trust. Keys never come from a receipt. */
export interface Trust {
  /** Files of public keys. */
  readonly keys?: readonly TrustedKey[]
  /** Key sets (JWKS documents), with their windows and revocations. */
  readonly jwks?: readonly Uint8Array[]
}

/** What somebody else saw of a chain, and when. */
export interface Commitment {
  /** The ledger's id; absent for the one chain of a set without numbers. */
  readonly ledger?: string
  /** How many receipts it had. */
  readonly count: number
  /** The digest of the last of them, 64 hex digits, with or without `sha256:`. */
  readonly terminal?: string
  /** When, by a clock that is not the signer's. */
  readonly time: Date
  /** How far the clocks may be apart, milliseconds. */
  readonly skewMs?: number
}

/** What a set is held against. */
export interface SetOptions extends Trust {
  /** Files of the policies that receipts may be bound to; without any that is not checked. */
  readonly policy?: string | readonly string[]
  /** Digests of such policies. */
  readonly policyDigests?: readonly string[]
  /** Files of the contracts that receipts may be bound to; without any that is not checked. */
  readonly contract?: string | readonly string[]
  /** Digests of such contracts. */
  readonly contractDigests?: readonly string[]
  /** A checkpoint, or a proof of one receipt, that was kept elsewhere: files or bytes. */
  readonly checkpoint?: Uint8Array | string | readonly (Uint8Array | string)[]
  /** Keys of trusted witnesses as C2SP writes them: `name+id+key`. */
  readonly witnesses?: readonly string[]
  /** How many of them must have signed the checkpoint; all, if it is not said. */
  readonly quorum?: number
  /** The moment of verification; now, if it is not said. */
  readonly at?: Date
  /** What others saw of a chain. */
  readonly commitments?: readonly Commitment[]
  /** Breaks off. */
  readonly signal?: AbortSignal
}

type Request = Parameters<typeof addon.verifySet>[0]

/** Reads what the options name, and writes the addon's request. */
export async function requestOf(source: ReceiptSource, options: SetOptions): Promise<Request> {
  const sources = list(source)
  const policies = await Promise.all(list(options.policy).map(policyOf))
  const contracts = await Promise.all(list(options.contract).map(loadContract))
  return {
    paths: sources.filter((it) => typeof it === 'string'),
    documents: sources.filter((it) => typeof it !== 'string'),
    keys: trustedOf(options.keys ?? []),
    jwks: [...(options.jwks ?? [])],
    policies: [...(options.policyDigests ?? []), ...policies.flatMap((it) => it.digests)],
    policyFiles: policies.map((it) => it.file),
    contracts: [...(options.contractDigests ?? []), ...contracts.map(({ hash }) => hash)],
    checkpoints: await Promise.all(list(options.checkpoint).map(bytesOf)),
    witnesses: [...(options.witnesses ?? [])],
    ...(options.quorum === undefined ? {} : { quorum: options.quorum }),
    atMs: milliseconds(options.at ?? new Date(), 'at'),
    commitments: (options.commitments ?? []).map(seen),
  }
}

/** The digests of a policy: of its document, if it is one of ours, and of its bytes. */
async function policyOf(path: string) {
  const bytes = await bytesOf(path)
  const file = { name: basename(path), bytes }
  try {
    const { hash } = await loadPolicy(path)
    return { digests: [hash], file }
  } catch (error) {
    // a policy in another language is known by its bytes alone
    if (error instanceof PolicyError && error.code === 'ERR_POLICY_INVALID') {
      return { digests: [], file }
    }
    throw error
  }
}

async function bytesOf(file: Uint8Array | string): Promise<Uint8Array> {
  return typeof file === 'string' ? await readReceipt(file) : file
}

function seen(it: Commitment) {
  if (!Number.isSafeInteger(it.count) || it.count < 0) {
    throw new ConfigError(
      'ERR_CONFIG_INVALID',
      'a commitment has a count that is no natural number',
    )
  }
  return {
    ...(it.ledger === undefined ? {} : { ledger: it.ledger }),
    count: it.count,
    ...(it.terminal === undefined ? {} : { terminal: it.terminal }),
    timeMs: milliseconds(it.time, 'commitment'),
    skewMs: it.skewMs ?? 0,
  }
}

function milliseconds(time: Date, name: string): number {
  const value = time.getTime()
  if (Number.isNaN(value)) {
    throw new ConfigError('ERR_CONFIG_INVALID', `\`${name}\` is no time`)
  }
  return value
}

function list<T extends Uint8Array | string>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return []
  return typeof value === 'string' || value instanceof Uint8Array ? [value] : value
}
