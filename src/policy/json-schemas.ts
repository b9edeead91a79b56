// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { AmbitApprovalSchema, CscApprovalSchema } from '../approval/schema.js'
import { AmbitContractSchema, CscContractSchema } from '../contract/schema.js'
import { PolicyDecisionSchema } from './decision.js'
import { AmbitPolicySchema, CscPolicySchema } from './schema.js'

const SOURCES = {
  'ambit.approval.v1': AmbitApprovalSchema,
  'ambit.contract.v1': AmbitContractSchema,
  'ambit.policy.v1': AmbitPolicySchema,
  'ambit.policy-decision.v1': PolicyDecisionSchema,
  'csc.approval.v0.1': CscApprovalSchema,
  'csc.contract.v0.1': CscContractSchema,
  'csc.policy.v0.1': CscPolicySchema,
} as const

/** The name of a document that has a JSON Schema. */
export type SchemaName = keyof typeof SOURCES

/** The documents that have a JSON Schema, in order. */
export const SCHEMA_NAMES: readonly SchemaName[] = [
  'ambit.approval.v1',
  'ambit.contract.v1',
  'ambit.policy.v1',
  'ambit.policy-decision.v1',
  'csc.approval.v0.1',
  'csc.contract.v0.1',
  'csc.policy.v0.1',
]

/**
 * Returns the JSON Schema (2020-12) of a document, as text with a closing line break. A schema says
 * less than the reader checks: sizes in bytes, duplicate ids and what fields say about each other
 * have no words in it.
 *
 * @param name of the document, such as `ambit.contract.v1`
 */
export function jsonSchema(name: SchemaName): string {
  const options = { target: 'draft-2020-12', io: 'input' } as const
  const { $schema, ...rest } = z.toJSONSchema(SOURCES[name], options)
  return `${JSON.stringify({ $schema, $id: `urn:ambit:schema:${name}`, ...rest }, undefined, 2)}\n`
}
