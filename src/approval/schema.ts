// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { type DeepReadonly, fault, text } from '../contract/fields.js'
import { quote } from '../contract/issues.js'
import { instantOf } from './time.js'

/** What an approval is good for: one run, or every run until it expires. */
const SCOPES = ['single_execution', 'time_window'] as const

/** A moment with its zone. */
const moment = () =>
  z
    .string()
    .check((context) => {
      if (instantOf(context.value) !== undefined) return
      const message = `must be an RFC 3339 time with its zone, not ${quote(context.value)}`
      context.issues.push(fault('NOT_A_MOMENT', message, context.value))
    })
    .meta({ format: 'date-time' })

const matching = (pattern: RegExp, words: string) =>
  z
    .string()
    .check((context) => {
      if (pattern.test(context.value)) return
      context.issues.push(fault('MALFORMED', `must be ${words}`, context.value))
    })
    .meta({ pattern: pattern.source })

/** The `csc.approval.v0.1` approval as published. */
export const CscApprovalSchema = z
  .strictObject({
    approval_version: z.literal('csc.approval.v0.1'),
    approval_id: text(1),
    contract_sha256: matching(/^[A-Fa-f0-9]{64}$/, '64 hex digits'),
    approver: z.strictObject({
      identity: text(1),
      method: z.enum(['manual', 'cli', 'api', 'ticket']),
    }),
    approved_at: moment(),
    expires_at: moment(),
    scope: z.enum(SCOPES),
    ticket_id: text(1).optional(),
    reason: text(0, 4000).optional(),
  })
  .meta({ title: 'CSC Approval Artifact v0.1' })

const digest = () => matching(/^sha256:[0-9a-f]{64}$/, '`sha256:` and 64 lower-case hex digits')

const id = () => text(1, 256)

const PAYLOAD = z
  .strictObject({
    type: z.literal('ambit:approval'),
    approval_version: z.literal('ambit.approval.v1'),
    approval_id: id().describe('No two approvals of one approver have the same.'),
    issued_at: moment(),
    issuer_id: text(1),
    not_before: moment(),
    expires_at: moment().describe('The first moment at which it is no longer good.'),
    scope: z.enum(SCOPES),
    mode: z.enum(['local', 'hardened']).describe('In which the run must be.'),
    bind: z.enum(['action', 'contract']),
    action_hash: digest().optional().describe('Of argvs and scopes; with bind `action` alone.'),
    contract_hash: digest().optional().describe('With bind `contract`.'),
    policy_hash: digest().optional().describe('With bind `contract`.'),
    ledger_id: id().optional().describe('The only ledger in which it may be used.'),
    ticket_id: id().optional(),
    reason: text(0, 4000).optional(),
  })
  .check((context) => {
    const {
      bind,
      action_hash: action,
      contract_hash: contract,
      policy_hash: policy,
    } = context.value
    const isAction = action !== undefined && contract === undefined && policy === undefined
    const isContract = action === undefined && contract !== undefined && policy !== undefined
    if (bind === 'action' ? isAction : isContract) return
    const message =
      'must have `action_hash` alone with bind `action`, `contract_hash` and `policy_hash` with `contract`'
    context.issues.push(fault('BINDING_MISMATCH', message, bind, ['bind']))
  })

/** The `ambit.approval.v1` approval: an envelope of draft -04 with a payload of type `ambit:approval`. */
export const AmbitApprovalSchema = z
  .strictObject({
    payload: PAYLOAD,
    signature: z.strictObject({
      alg: z.literal('EdDSA'),
      kid: matching(/^[A-Za-z0-9_-]{43}$/, "the key's RFC 7638 thumbprint"),
      sig: matching(/^[0-9a-f]{128}$/, '128 lower-case hex digits'),
    }),
  })
  .meta({ title: 'Ambit Approval v1' })

/** A csc approval as it was read. */
export type CscApproval = DeepReadonly<z.output<typeof CscApprovalSchema>>

/** What an approver signed. */
export type AmbitApproval = DeepReadonly<z.output<typeof AmbitApprovalSchema>>

/** What an approval is good for. */
export type ApprovalScope = (typeof SCOPES)[number]
