// SPDX-License-Identifier: Apache-2.0
import { argvVectors, type Contract } from '../contract/schema.js'
import { shorten, visible } from '../contract/visible.js'
import type { PolicyDecision, PolicyReason } from './decision.js'
import { REASON_CODES, type ReasonEffect } from './reason-codes.js'

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

function explainReason(reason: PolicyReason, decision: PolicyDecision, contract?: Contract) {
  const { effect } = REASON_CODES[reason.code]
  const title = `${VERDICTS[effect]}  ${show(subject(reason, decision, contract))}   ${reason.code}`
  if (effect === 'allow') return [title]
  const source = reason.source === undefined ? [] : [`    ${visible(reason.source)}`]
  return [title, `    ${show(reason.message)}`, ...source]
}

/**
 * Explains a decision in short lines for people: for each reason the verdict, the command and the
 * code, then the words, then the rule's `file:line:column`. Untrusted text is shortened, and every
 * character that a terminal could act on is escaped.
 *
 * @param decision as `evaluate` returned it
 * @param contract the one it is about; without it, commands are called by their ids
 * @returns lines without line breaks
 */
export function explain(decision: PolicyDecision, contract?: Contract): readonly string[] {
  const lines = decision.reasons.flatMap((reason) => explainReason(reason, decision, contract))
  const omitted = decision.reasons_total - decision.reasons.length
  return omitted > 0 ? [...lines, `… and ${omitted} more`] : lines
}
