// SPDX-License-Identifier: Apache-2.0
// Which rules of a policy its cases show at work: a rule that allows by a case that needs it, a rule
// that denies or asks by a case in which it does.
import { EFFECT_TYPES, RISK_CLASSES } from '../contract/fields.js'
import { parseHostPort } from '../contract/hosts.js'
import { argvVectors, type Command, type Contract } from '../contract/schema.js'
import { classify, CLASSIFIED_EFFECTS } from './classify.js'
import { inlineCodeIn } from './inline-code.js'
import { literalPrefix } from './paths.js'
import { compilePrefixes, matchPrefixes } from './prefixes.js'
import { namesHost } from './rules.js'
import type { Policy, PolicyDocument } from './schema.js'
import { wildcard } from './wildcard.js'

/** Lists whose every item allows something. */
const ALLOWING = [
  'allow_commands',
  'allowed_effect_types',
  'allowed_risk_classes',
  'allowed_cwd_prefixes',
  'allowed_read_prefixes',
  'allowed_write_prefixes',
  'allowed_egress_hosts',
  'allow_inline_code',
  'executables',
  'allow_env',
  'secrets',
  'egress',
  'allow_features',
] as const

type AllowingRule = (typeof ALLOWING)[number]

/** Lists whose every item denies or asks. */
const DENYING = ['deny_argv_prefixes', 'argv_rules', 'deny_env', 'approval_rules'] as const

const places = (rule: string, items: readonly unknown[] | undefined): readonly string[] =>
  (items ?? []).map((_, index) => `${rule}[${index}]`)

/** Rules that deny as a whole, where there is something that they could deny. */
function bounds(document: PolicyDocument): readonly string[] {
  const { enforcement_floor: floor } = document
  const applies: readonly (readonly [string, boolean])[] = [
    ['allow_commands', true],
    ['allowed_effect_types', document.allowed_effect_types.length < EFFECT_TYPES.length],
    ['allowed_risk_classes', document.allowed_risk_classes.length < RISK_CLASSES.length],
    ['max_timeout_sec', document.max_timeout_sec < 86_400],
    ['network', document.network !== 'full'],
    ['allow_secret_refs', !document.allow_secret_refs],
    ['require_write_paths_empty', document.require_write_paths_empty],
    ['allowed_cwd_prefixes', true],
    ['allowed_read_prefixes', true],
    ['allowed_write_prefixes', !document.require_write_paths_empty],
    ['egress', document.egress !== undefined && document.egress.length > 0],
    ['allow_env', document.allow_env !== undefined],
    ['allow_features', document.allow_features !== undefined],
    ['secrets', document.secrets !== undefined],
    ['expires_at', document.expires_at !== undefined],
    ['enforcement_floor', floor !== undefined && floor !== 'none'],
  ]
  return applies.filter(([, isBound]) => isBound).map(([rule]) => rule)
}

function manualEffects(document: PolicyDocument): readonly string[] {
  const rule = 'manual_approval_for_classified_effect_types'
  return document[rule].flatMap((effect, index) =>
    // no command is classified as anything else: a rule on it can have no case
    CLASSIFIED_EFFECTS.has(effect) ? [`${rule}[${index}]`] : [],
  )
}

/** The rules of a policy that cases can show at work. */
export interface Coverable {
  readonly allowing: readonly string[]
  readonly denying: readonly string[]
}

/**
 * Returns the rules of a policy that cases can show at work.
 *
 * @param document of a policy
 */
export function coverable(document: PolicyDocument): Coverable {
  const noWrites = document.require_write_paths_empty
  const allowing = ALLOWING.filter((rule) => !(noWrites && rule === 'allowed_write_prefixes'))
  return {
    allowing: allowing.flatMap((rule) => places(rule, document[rule])),
    denying: [
      ...DENYING.flatMap((rule) => places(rule, document[rule])),
      ...manualEffects(document),
      ...bounds(document),
    ],
  }
}

type Uses = Readonly<Record<AllowingRule, (command: Command, index: number) => boolean>>

const nameOf = (executable: string): string => executable.slice(executable.lastIndexOf('/') + 1)

const executables = (command: Command): readonly string[] =>
  argvVectors(command).map(([first = '']) => first)

const under = (path: string, prefix = ''): boolean =>
  matchPrefixes(literalPrefix(path), compilePrefixes([prefix])).kind === 'inside'

/** Says of each allowing rule whether a command needs one of its items. */
function usesOf({ document, rules }: Policy, contract: Contract): Uses {
  const hostsOf = (command: Command): readonly string[] => [
    ...classify(command, rules).targets.flatMap(({ hosts }) => hosts),
    ...(command.network_hosts ?? []).flatMap((entry) => parseHostPort(entry)?.host ?? []),
  ]
  const asksFor: Readonly<Record<string, (command: Command) => boolean>> = {
    exec_from_memory: (command) => command.allow_exec_from_memory === true,
    proc_full: (command) => command.proc === 'full',
    profile_compat: (command) => command.profile === 'compat',
    pty: (command) => command.pty === true,
    stdin_inherit: (command) => command.stdin?.inherit === true,
  }
  return {
    allow_commands: (command, at) =>
      executables(command).includes(document.allow_commands[at] ?? ''),
    allowed_effect_types: (command, at) =>
      command.proposed_effect_type === document.allowed_effect_types[at],
    allowed_risk_classes: (_, at) => contract.risk_class === document.allowed_risk_classes[at],
    allowed_cwd_prefixes: ({ cwd }, at) => under(cwd, document.allowed_cwd_prefixes[at]),
    allowed_read_prefixes: ({ read_paths: paths }, at) =>
      paths.some((path) => under(path, document.allowed_read_prefixes[at])),
    allowed_write_prefixes: ({ write_paths: paths }, at) =>
      paths.some((path) => under(path, document.allowed_write_prefixes[at])),
    allowed_egress_hosts: (command, at) =>
      hostsOf(command).includes(document.allowed_egress_hosts[at]?.toLowerCase() ?? ''),
    allow_inline_code: (command, at) =>
      argvVectors(command).some((argv) =>
        inlineCodeIn(argv).includes(document.allow_inline_code?.[at] ?? ''),
      ),
    executables: (command, at) =>
      executables(command).some((written) => nameOf(written) === document.executables?.[at]?.name),
    allow_env: ({ env_allow: names }, at) => names.some(wildcard(document.allow_env?.[at] ?? '')),
    secrets: ({ secrets = [] }, at) =>
      secrets.some(({ name }) => name === document.secrets?.[at]?.name),
    egress: (command, at) => {
      const rule = rules.egress[at]
      return rule !== undefined && hostsOf(command).some((host) => namesHost(rule, host))
    },
    allow_features: (command, at) =>
      asksFor[document.allow_features?.[at] ?? '']?.(command) === true,
  }
}

/**
 * Returns the items of allowing lists that a contract needs.
 *
 * @param contract one that the policy does not deny
 * @param policy whose rules are asked for
 */
export function usedRules(contract: Contract, policy: Policy): readonly string[] {
  const uses = usesOf(policy, contract)
  return ALLOWING.flatMap((rule) =>
    places(rule, policy.document[rule]).filter((_, index) =>
      contract.commands.some((command) => uses[rule](command, index)),
    ),
  )
}
