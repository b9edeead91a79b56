// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApprovalTerms, signApproval } from '../../src/approval/index.js'
import type { LoadedContract } from '../../src/contract/index.js'
import { Signer, generateKey } from '../../src/keys/signer.js'
import type { Policy } from '../../src/policy/index.js'
import { ambitPolicy, contract, contractOf, policyOf } from '../policy/support.js'

/** Where the keys of one test file are. */
const folder = mkdtempSync(join(tmpdir(), 'ambit-approval-'))
export const removeKeys = (): void => rmSync(folder, { recursive: true, force: true })

/** Makes a key with a name. */
function keyOf(name: string): Signer {
  const path = join(folder, `${name}.pem`)
  generateKey(path, join(folder, `${name}.pub.pem`))
  return new Signer(path)
}

export const [alice, bob, carol, mallory] = ['alice', 'bob', 'carol', 'mallory'].map(keyOf) as [
  Signer,
  Signer,
  Signer,
  Signer,
]

/** Approvers as a policy names them. */
export const approvers = (...signers: readonly (readonly [string, Signer])[]) =>
  signers.map(([name, signer]) => ({ name, public_key: signer.publicKey.hex }))

export const ALL = approvers(['alice', alice], ['bob', bob], ['carol', carol])

export const NOW = new Date('2026-06-01T00:00:00Z')
export const after = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)

/** A policy that lets these approve. */
export const approvingPolicy = (approvals: unknown, changes: object = {}) =>
  policyOf(ambitPolicy({ ...(approvals !== undefined && { approvals }), ...changes }))

/** A contract that asks for an approval. */
export const asking = (changes: object = {}): LoadedContract =>
  contractOf(contract({ approval_mode: 'human_required', ...changes }))

/** An approval of a contract under a policy, signed a minute ago. */
export const signed = (
  signer: Signer,
  of: { readonly contract: LoadedContract; readonly policy: Policy },
  terms: Partial<ApprovalTerms> = {},
) => signApproval(of.contract, of.policy, signer, { now: after(-60), ...terms })
