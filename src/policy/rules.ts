// SPDX-License-Identifier: Apache-2.0
// The rules of a policy as evaluation needs them: made once when the policy is loaded. Policies of
// both versions end here, and nothing after this asks for the version.
import { type HostPort, parseHostPort } from '../contract/hosts.js'
import { type ArgvRule, compileArgvRule } from './argv-rules.js'
import { compilePrefixes, type Prefixes } from './prefixes.js'
import type { PolicyDocument } from './schema.js'
import { wildcard } from './wildcard.js'

/** The paths that a policy allows for one use. */
export type ScopeRule = 'allowed_cwd_prefixes' | 'allowed_read_prefixes' | 'allowed_write_prefixes'

/** A rule on names of variables. */
export interface NameRule {
  /** Its place, such as `allow_env[2]`. */
  readonly path: string
  /** Whether it is one name rather than a pattern. */
  readonly exact: boolean
  readonly applies: (name: string) => boolean
}

/** A rule that asks for an approval. */
export interface ApprovalRule {
  readonly stated: NonNullable<PolicyDocument['approval_rules']>[number]
  readonly path: string
}

/** The rules of a policy, ready to be applied. */
export interface Rules {
  readonly commands: ReadonlySet<string>
  /** Prefixes of argvs by their first item, with their places in the list. */
  readonly deniedPrefixes: ReadonlyMap<string, readonly (readonly [number, readonly string[]])[]>
  readonly argvRules: readonly ArgvRule[]
  readonly inlineCode: ReadonlySet<string>
  readonly executables: ReadonlyMap<string, Pin>
  readonly scopes: Readonly<Record<ScopeRule, Prefixes>>
  /** Which variables may be let in; undefined where tables of ours alone decide. */
  readonly allowedVariables: readonly NameRule[] | undefined
  readonly deniedVariables: readonly NameRule[]
  readonly secrets: ReadonlySet<string>
  /** Hosts without regard to the port, in lower case. */
  readonly hosts: ReadonlySet<string>
  /** Hosts whose presence in an argv of curl is financial, in lower case. */
  readonly financialHosts: readonly string[]
  /** Those of them that are financial to csc-runner, which looks at the letters as written. */
  readonly cscFinancialHosts: readonly string[]
  readonly egress: readonly HostPort[]
  /** Whether hosts that an argv names are judged by the lists. */
  readonly judgesArgv: boolean
  /** Whether `network_hosts` of a contract are judged by the lists. */
  readonly judgesHosts: boolean
  readonly features: ReadonlySet<string>
  readonly manualEffects: ReadonlyMap<string, number>
  readonly approvalRules: readonly ApprovalRule[]
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined
}

/** The one file that may run under a name. */
interface Pin {
  readonly rule: string
  readonly path: string
  readonly sha256?: string | undefined
}

/** Says whether a rule on hosts names a host. */
export function namesHost(rule: HostPort, host: string): boolean {
  return rule.below ? host.endsWith(`.${rule.host}`) : rule.host === host
}

function namesOf(patterns: readonly string[], rule: string): readonly NameRule[] {
  return patterns.map((pattern, index) => ({
    path: `${rule}[${index}]`,
    exact: !pattern.includes('*'),
    applies: wildcard(pattern),
  }))
}

function deniedPrefixes(document: PolicyDocument): Rules['deniedPrefixes'] {
  const found = new Map<string, (readonly [number, readonly string[]])[]>()
  for (const [index, prefix] of document.deny_argv_prefixes.entries()) {
    const first = prefix[0] ?? ''
    const others = found.get(first)
    if (others === undefined) found.set(first, [[index, prefix]])
    else others.push([index, prefix])
  }
  return found
}

function pins(document: PolicyDocument): ReadonlyMap<string, Pin> {
  const stated = document.executables ?? []
  return new Map(
    stated.map(({ name, path, sha256 }, index) => [
      name,
      { rule: `executables[${index}]`, path, sha256 },
    ]),
  )
}

function egressOf(document: PolicyDocument) {
  const egress = (document.egress ?? []).flatMap((rule) => parseHostPort(rule) ?? [])
  const named = document.allowed_egress_hosts.map((host) => host.toLowerCase())
  const isListed = named.length + egress.length > 0
  const isLimited = document.network !== 'full'
  return {
    egress,
    hosts: new Set(named),
    financialHosts: [...named, ...egress.map(({ host }) => host)].filter((host) =>
      host.includes('stripe'),
    ),
    cscFinancialHosts: document.allowed_egress_hosts.filter((host) => host.includes('stripe')),
    judgesArgv: isListed || (isOurs(document) && isLimited),
    judgesHosts: isListed || isLimited,
  }
}

const isOurs = (document: PolicyDocument): boolean =>
  document.policy_schema_version === 'ambit.policy.v1'

function approvalRules(document: PolicyDocument): readonly ApprovalRule[] {
  return (document.approval_rules ?? []).map((stated, index) => ({
    stated,
    path: `approval_rules[${index}]`,
  }))
}

/**
 * Makes the rules of a policy ready to be applied.
 *
 * @param document of a policy that its schema accepts
 */
export function compileRules(document: PolicyDocument): Rules {
  const manual = document.manual_approval_for_classified_effect_types
  const { expires_at: expiry } = document
  return {
    commands: new Set(document.allow_commands),
    deniedPrefixes: deniedPrefixes(document),
    argvRules: (document.argv_rules ?? []).map(compileArgvRule),
    inlineCode: new Set(document.allow_inline_code),
    executables: pins(document),
    scopes: {
      allowed_cwd_prefixes: compilePrefixes(document.allowed_cwd_prefixes),
      allowed_read_prefixes: compilePrefixes(document.allowed_read_prefixes),
      allowed_write_prefixes: compilePrefixes(document.allowed_write_prefixes),
    },
    allowedVariables: isOurs(document) ? namesOf(document.allow_env ?? [], 'allow_env') : undefined,
    deniedVariables: namesOf(document.deny_env ?? [], 'deny_env'),
    secrets: new Set(document.secrets?.map(({ name }) => name)),
    ...egressOf(document),
    features: new Set(document.allow_features),
    manualEffects: new Map(manual.map((effect, index) => [effect, index])),
    approvalRules: approvalRules(document),
    expiresAt: expiry === undefined ? undefined : Date.parse(expiry),
  }
}
