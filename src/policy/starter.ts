// SPDX-License-Identifier: Apache-2.0
import { jsonSchema } from './json-schemas.js'

/** A file of a new project. */
export interface StarterFile {
  readonly name: string
  readonly text: string
}

const SCHEMA_FILE = 'ambit.policy.v1.schema.json'

function policyText(folder: string): string {
  const tree = JSON.stringify(folder)
  return `# yaml-language-server: $schema=./${SCHEMA_FILE}
# What may be asked for in this folder. Everything that is not listed is denied.
policy_schema_version: ambit.policy.v1
name: starter

allow_commands:
  - cat
  - git
  - ls

argv_rules:
  - id: git-only-looks
    program: git
    subcommands_except: [diff, log, show, status]
    effect: deny
    reason: of git, what only looks
    match:
      - [git, push]
      - [git, -C, x, commit]
    not_match:
      - [git, status]

allowed_effect_types:
  - observe
allowed_risk_classes:
  - low

max_timeout_sec: 30
network: deny
allow_secret_refs: false
require_write_paths_empty: true

allowed_cwd_prefixes:
  - ${tree}
allowed_read_prefixes:
  - ${tree}
`
}

function contractText(folder: string): string {
  const command = {
    id: 'status',
    exec: { argv: ['git', 'status', '--short'] },
    cwd: folder,
    read_paths: [folder],
    write_paths: [],
    network: 'deny',
    env_allow: [],
    secret_refs: [],
    timeout_sec: 10,
    proposed_effect_type: 'observe',
  }
  const contract = {
    version: 'ambit.contract.v1',
    contract_id: 'starter-0001',
    intent: 'see what changed',
    actor: {
      agent_id: 'me',
      session_id: 'first',
      initiating_user: 'me',
      delegation_scope: 'starter',
    },
    commands: [command],
    risk_class: 'low',
    approval_mode: 'policy_only',
    justification: 'a first contract to try the policy with',
  }
  return `${JSON.stringify(contract, undefined, 2)}\n`
}

/**
 * Returns the files to begin with: a policy, its JSON Schema for editors, and a contract that the
 * policy allows.
 *
 * @param folder the workspace, absolute and without symbolic links
 */
export function starterFiles(folder: string): readonly StarterFile[] {
  return [
    { name: 'policy.yaml', text: policyText(folder) },
    { name: SCHEMA_FILE, text: jsonSchema('ambit.policy.v1') },
    { name: 'contract.json', text: contractText(folder) },
  ]
}
