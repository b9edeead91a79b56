// SPDX-License-Identifier: Apache-2.0
import { argvVectors, type Contract } from '../contract/schema.js'
import { shorten, visible } from '../contract/visible.js'
import type { PolicyDecision, PolicyReason } from './decision.js'
import { nearestChange } from './nearest.js'
import { REASON_CODES, type ReasonCode, type ReasonEffect } from './reason-codes.js'
import type { Policy } from './schema.js'

const MAX_WIDTH = 120

const VERDICTS: Record<ReasonEffect, string> = {
  allow: '✓ allowed',
  deny: '✗ denied',
  needs_approval: '? needs approval',
  note: '· note',
}

const show = (text: string): string => visible(shorten(text, MAX_WIDTH))

/** Writes an argument so that its ends can be seen. */
function word(argument: string): string {
  return argument === '' || /[\s'"|]/u.test(argument) ? JSON.stringify(argument) : argument
}

function commandLine(contract: Contract | undefined, id: string): string {
  const command = contract?.commands.find((candidate) => candidate.id === id)
  if (command === undefined) return id
  return argvVectors(command)
    .map((argv) => argv.map(word).join(' '))
    .join(' | ')
}

function subject(reason: PolicyReason, decision: PolicyDecision, contract?: Contract): string {
  if (Array.isArray(reason.value) && reason.code !== 'SECRET_REF_NOT_ALLOWED') {
    if (reason.code !== 'WRITE_PATHS_NOT_EMPTY') return reason.value.map(word).join(' ')
  }
  const { command_id: id } = reason
  return id === undefined ? decision.contract_id : commandLine(contract, id)
}

/** One reason of a decision, for people; all text is safe to show. */
export interface ExplainedReason {
  readonly code: ReasonCode
  /** The command it is about, or the contract. */
  readonly subject: string
  readonly message: string
  /** The rule, as `file:line:column`. */
  readonly source?: string
  /** The nearest change with which the reason would go. */
  readonly change?: string
}

/**
 * Explains the reasons of a decision, in its order.
 *
 * @param decision as `evaluate` returned it
 * @param contract the one it is about; without it, commands are called by their ids
 * @param policy the one that was decided by; without it, no change is named
 */
export function explainReasons(
  decision: PolicyDecision,
  contract?: Contract,
  policy?: Policy,
): readonly ExplainedReason[] {
  return decision.reasons.map((reason) => {
    const { source } = reason
    const change = policy && nearestChange(reason, policy)
    return {
      code: reason.code,
      subject: show(subject(reason, decision, contract)),
      message: show(reason.message),
      ...(source !== undefined && { source: visible(source) }),
      ...(change !== undefined && { change: visible(change) }),
    }
  })
}

function linesOf({ code, subject: about, message, source, change }: ExplainedReason) {
  const { effect } = REASON_CODES[code]
  const title = `${VERDICTS[effect]}  ${about}   ${code}`
  if (effect === 'allow') return [title]
  const rule = source === undefined ? [] : [`    ${source}`]
  const hint = change === undefined ? [] : [`    → ${change}`]
  return [title, `    ${message}`, ...rule, ...hint]
}

/**
 * Explains a decision in short lines for people: for each reason the verdict, the command and the
 * code, then the words, the rule's `file:line:column`, and, where the policy is given, the nearest
 * change. Untrusted text is shortened, and every character that a terminal could act on is escaped.
 *
 * @param decision as `evaluate` returned it
 * @param contract the one it is about; without it, commands are called by their ids
 * @param policy the one that was decided by; without it, no change is named
 * @returns lines without line breaks
 */
export function explain(
  decision: PolicyDecision,
  contract?: Contract,
  policy?: Policy,
): readonly string[] {
  const lines = explainReasons(decision, contract, policy).flatMap(linesOf)
  const omitted = decision.reasons_total - decision.reasons.length
  return omitted > 0 ? [...lines, `… and ${omitted} more`] : lines
}
