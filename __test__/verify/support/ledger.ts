// SPDX-License-Identifier: Apache-2.0
// Ledgers of ours, signed with a published key.
import { createHash, createPrivateKey, sign } from 'node:crypto'
import { canonicalize } from '../../../src/native.js'
import { TEST_KEY } from './seal.js'

/** The published key. */
export const privateKey = createPrivateKey(TEST_KEY.pem)
/** The ledger's id. */
export const LEDGER = 'a'.repeat(32)
/** Returns SHA-256 in hex. */
export const digest = (text: string) => createHash('sha256').update(text).digest('hex')

/** A ledger of ours. */
export class Ledger {
  readonly entries: string[] = []
  readonly #id: string

  constructor(id = LEDGER) {
    this.#id = id
  }

  #append(payload: object): void {
    const last = this.entries.at(-1)
    const place = {
      issued_at: '2026-05-31T22:00:00.000Z',
      issuer_id: TEST_KEY.kid,
      ledger_id: this.#id,
      seq: this.entries.length + 1,
      ...(last === undefined ? {} : { previousReceiptHash: `sha256:${digest(last)}` }),
      contract_hash: `sha256:${'1'.repeat(64)}`,
      policy_hash: `sha256:${'2'.repeat(64)}`,
      mode: 'hardened',
    }
    const text = canonicalize(JSON.stringify({ ...place, ...payload }))
    const sig = sign(null, Buffer.from(text), privateKey).toString('hex')
    const signature = JSON.stringify({ alg: 'EdDSA', kid: TEST_KEY.kid, sig })
    this.entries.push(`{"payload":${text},"signature":${signature}}`)
  }

  decide(run: string, decision: 'allow' | 'deny'): string {
    this.#append({
      type: 'ambit:decision',
      run_id: run,
      decision,
      reason_codes: ['A'],
      contract_id: 'c',
      policy_name: 'p',
      classified_effects: [],
    })
    return `sha256:${digest(this.entries.at(-1) ?? '')}`
  }

  execute(run: string, decision_hash: string): void {
    this.#append({
      type: 'ambit:execution',
      run_id: run,
      decision_hash,
      status: 'success',
      commands: [],
      enforcement: { tier: 'none', mechanisms: {} },
    })
  }
}

/** Two runs that were allowed and one that was not: five entries. */
export function ledger(): Ledger {
  const made = new Ledger()
  made.execute('run_1', made.decide('run_1', 'allow'))
  made.decide('run_2', 'deny')
  made.execute('run_3', made.decide('run_3', 'allow'))
  return made
}
