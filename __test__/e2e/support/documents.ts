// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a test chooses of a command. */
export interface CommandChoice {
  readonly id?: string
  readonly argv: readonly string[]
  readonly cwd: string
  readonly read?: readonly string[]
  readonly write?: readonly string[]
  readonly network?: 'allowlisted' | 'deny' | 'full'
  readonly env?: readonly string[]
  readonly timeoutSec?: number
}

/** A command of a contract. */
export function commandOf(choice: CommandChoice): object {
  return {
    id: choice.id ?? 'cmd_1',
    exec: { argv: choice.argv },
    cwd: choice.cwd,
    read_paths: choice.read ?? [],
    write_paths: choice.write ?? [],
    network: choice.network ?? 'deny',
    env_allow: choice.env ?? [],
    secret_refs: [],
    timeout_sec: choice.timeoutSec ?? 20,
    proposed_effect_type: 'observe',
  }
}

/** A contract with these commands. */
export function contractOf(commands: readonly object[], changes: object = {}): object {
  return {
    version: 'csc.v0.1',
    contract_id: 'contract-e2e-0001',
    intent: 'see what happens',
    actor: { agent_id: 'a', session_id: 's', initiating_user: 'u', delegation_scope: 'test' },
    commands,
    risk_class: 'low',
    approval_mode: 'policy_only',
    justification: 'an end-to-end test',
    ...changes,
  }
}

/** A policy that allows these executables everything the sandbox can hold them to. */
export function policyOf(allow: readonly string[], changes: object = {}): object {
  return {
    policy_schema_version: 'csc.policy.v0.1',
    name: 'e2e',
    allow_commands: allow,
    allowed_effect_types: ['observe'],
    allowed_risk_classes: ['low'],
    max_timeout_sec: 60,
    network: 'full',
    allow_secret_refs: false,
    allowed_cwd_prefixes: ['/'],
    allowed_read_prefixes: ['/'],
    allowed_write_prefixes: ['/'],
    ...changes,
  }
}

/** Files of a contract and a policy. */
export interface Documents {
  readonly contract: string
  readonly policy: string
}

/** Writes both as JSON, which is YAML too; everybody can read them. */
export function writeDocuments(folder: string, contract: object, policy: object): Documents {
  const files = { contract: join(folder, 'contract.json'), policy: join(folder, 'policy.yaml') }
  writeFileSync(files.contract, JSON.stringify(contract))
  writeFileSync(files.policy, JSON.stringify(policy))
  return files
}
