// SPDX-License-Identifier: Apache-2.0
// What the launch benchmarks launch: folders, a plan, a contract and a policy of the same content.
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKey } from '../../dist/index.js'

export const COMMAND = '/usr/bin/true'
export const ENV = { HOME: '/tmp', PATH: '/usr/bin:/bin' }
const TIMEOUT_SEC = 60

/** Folders of one benchmark: a workspace with one writable folder in it, and a home of its own. */
export function makeFolders(above = tmpdir()) {
  const base = realpathSync(mkdtempSync(join(above, 'ambit-bench-')))
  const folders = { base, workspace: join(base, 'workspace'), home: join(base, 'home') }
  for (const path of [join(folders.workspace, 'out'), join(folders.home, 'keys')]) {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  }
  const key = join(folders.home, 'keys', 'default')
  generateKey(`${key}.pem`, `${key}.pub.pem`)
  return folders
}

/** Writes contract and policy for programs that read files. */
export function writeDocuments(folders) {
  const files = {
    contract: join(folders.base, 'contract.json'),
    policy: join(folders.base, 'policy.yaml'),
  }
  writeFileSync(files.contract, JSON.stringify(contractIn(folders)))
  // JSON is YAML
  writeFileSync(files.policy, JSON.stringify(policyIn(folders)))
  return files
}

export function planIn({ workspace }, argv) {
  return {
    executable: argv[0],
    argv,
    env: ENV,
    cwd: workspace,
    read_paths: [workspace],
    write_paths: [join(workspace, 'out')],
    network: 'deny',
    timeout_ms: TIMEOUT_SEC * 1000,
  }
}

export function contractIn({ workspace }) {
  const command = {
    id: 'cmd_1',
    exec: { argv: [COMMAND] },
    cwd: workspace,
    read_paths: [`${workspace}/**`],
    write_paths: [`${workspace}/out/**`],
    network: 'deny',
    env_allow: [],
    secret_refs: [],
    timeout_sec: TIMEOUT_SEC,
    proposed_effect_type: 'observe',
  }
  return {
    version: 'csc.v0.1',
    contract_id: 'csc_bench_0001',
    intent: 'measure',
    actor: {
      agent_id: 'bench',
      session_id: 'bench',
      initiating_user: 'bench',
      delegation_scope: 'bench',
    },
    commands: [command],
    risk_class: 'low',
    approval_mode: 'policy_only',
    justification: 'a benchmark',
  }
}

export function policyIn({ workspace }) {
  return {
    policy_schema_version: 'csc.policy.v0.1',
    name: 'bench',
    allow_commands: [COMMAND, 'true'],
    allowed_effect_types: ['observe', 'transform_local'],
    allowed_risk_classes: ['low'],
    max_timeout_sec: TIMEOUT_SEC,
    network: 'deny',
    allow_secret_refs: false,
    require_write_paths_empty: false,
    allowed_cwd_prefixes: [workspace],
    allowed_read_prefixes: [workspace],
    allowed_write_prefixes: [workspace],
  }
}
