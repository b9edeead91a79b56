// SPDX-License-Identifier: Apache-2.0
import { NETWORK_MODES } from '../contract/fields.js'
import { parseHostPort } from '../contract/hosts.js'
import type { Check } from './check.js'
import type { Classification } from './classify.js'
import { namesHost, type Rules } from './rules.js'

/** Says whether a host is allowed, on this port or, without one, on some port. */
function isAllowed(rules: Rules, host: string, port?: number): boolean {
  if (rules.hosts.has(host)) return true
  return rules.egress.some(
    (rule) => (port === undefined || rule.port === port) && namesHost(rule, host),
  )
}

/** The list that decides about hosts, for whoever reads the reason. */
const ruleOf = (rules: Rules): string =>
  rules.egress.length > 0 ? 'egress' : 'allowed_egress_hosts'

/** Checks how much network a command asks for, and the hosts that it names. */
export function checkNetwork({ command, policy, rules, findings }: Check): void {
  const { id: commandId, network, network_hosts: hosts = [] } = command
  if (NETWORK_MODES.indexOf(network) > NETWORK_MODES.indexOf(policy.network)) {
    const message = `network mode exceeds policy maximum: ${network}`
    const options = { commandId, value: network, rule: 'network' }
    findings.csc('NETWORK_EXCEEDS_POLICY', message, options)
  }
  if (!rules.judgesHosts) return
  for (const value of hosts) {
    const asked = parseHostPort(value)
    if (asked !== undefined && isAllowed(rules, asked.host, asked.port)) continue
    const message = `egress host not allowed: ${value}`
    findings.own('EGRESS_HOST_NOT_ALLOWED', message, { commandId, value, rule: ruleOf(rules) })
  }
}

/** Checks what the clients of a command contact, as far as their argvs say it. */
export function checkTargets(check: Check, { targets }: Classification): void {
  const { command, rules, findings } = check
  if (targets.length === 0 || (!rules.judgesArgv && rules.manualEffects.size === 0)) return
  const commandId = command.id
  const rule = ruleOf(rules)
  for (const value of targets.flatMap(({ unclear }) => unclear)) {
    const message = `egress target cannot be judged: ${value}`
    findings.own('EGRESS_TARGET_UNCLEAR', message, { commandId, value, rule })
  }
  if (command.network !== 'allowlisted' || !rules.judgesArgv) return
  for (const value of targets.flatMap(({ hosts }) => hosts)) {
    if (isAllowed(rules, value)) continue
    const message = `egress host not allowed: ${value}`
    findings.own('EGRESS_HOST_NOT_ALLOWED', message, { commandId, value, rule })
  }
}
