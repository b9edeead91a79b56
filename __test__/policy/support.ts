// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LoadedContract, parseContract } from '../../src/contract/index.js'
import { evaluate, parsePolicy, type Policy, type PolicyDecision } from '../../src/policy/index.js'

export const root = join(import.meta.dirname, '..', '..')

/** Reads a vector file of the csc area. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows the shape
export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(join(root, '__test__/vectors/csc', name), 'utf8')) as T
}

export const contractOf = (document: unknown): LoadedContract =>
  parseContract(Buffer.from(JSON.stringify(document)), 'contract.json')

export const policyOf = (document: unknown): Policy =>
  parsePolicy(Buffer.from(JSON.stringify(document)), 'policy.yaml')

export const decide = (contract: unknown, policy: unknown): PolicyDecision =>
  evaluate(contractOf(contract), policyOf(policy), { mode: 'hardened' })

/** A csc command with the least scope. */
export const command = (changes: object = {}) => ({
  id: 'cmd_1',
  exec: { argv: ['git', 'status'] },
  cwd: '/workspace',
  read_paths: [],
  write_paths: [],
  network: 'deny',
  env_allow: [],
  secret_refs: [],
  timeout_sec: 10,
  proposed_effect_type: 'observe',
  ...changes,
})

export const contract = (changes: object = {}) => ({
  version: 'csc.v0.1',
  contract_id: 'contract-0001',
  intent: 'look',
  actor: { agent_id: 'a', session_id: 's', initiating_user: 'u', delegation_scope: 't' },
  commands: [command()],
  risk_class: 'low',
  approval_mode: 'policy_only',
  justification: 'why',
  ...changes,
})

export const policy = (changes: object = {}) => ({
  policy_schema_version: 'csc.policy.v0.1',
  name: 'p',
  allow_commands: ['git', 'cat', 'curl', 'python3'],
  deny_argv_prefixes: [['git', 'push']],
  allowed_effect_types: ['observe', 'fetch_external'],
  allowed_risk_classes: ['low'],
  max_timeout_sec: 60,
  network: 'allowlisted',
  allow_secret_refs: false,
  allowed_cwd_prefixes: ['/workspace'],
  allowed_read_prefixes: ['/workspace'],
  allowed_write_prefixes: ['/workspace/out'],
  ...changes,
})

/** An `ambit.policy.v1` policy that allows nothing but a few plain commands. */
export const ambitPolicy = (changes: object = {}) =>
  policy({ policy_schema_version: 'ambit.policy.v1', ...changes })

/** An `ambit.contract.v1` contract with one command. */
export const ambitContract = (changes: object = {}) =>
  contract({ version: 'ambit.contract.v1', commands: [command(changes)] })
