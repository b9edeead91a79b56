// SPDX-License-Identifier: Apache-2.0
// The rules file of inspectors, `ambit.inspector-rules.v1`: the source of its JSON Schema.
import { z } from 'zod'
import { fault, text, uniqueBy } from '../contract/fields.js'
import { addon } from '../native.js'

const MAX_RULES = 1000
const MAX_CALLS = 10_000

/** A regular expression in the syntax of Rust's `regex` crate, which is linear in the text. */
const pattern = () =>
  text(0, 10_000).check((context) => {
    const answer = addon.checkInspectorPattern(context.value)
    if (answer.kind === 'ok') return
    context.issues.push(fault('NOT_A_PATTERN', `is no pattern: ${answer.message}`, context.value))
  })

const names = () => z.union([text(1, 256), z.array(text(1, 256)).min(1).max(256)])

const calls = () => z.int().min(1).max(1_000_000_000)

const param = () => text(1, 1000).describe('A name, at whatever depth, a JSON Pointer, or `*`.')

/** Refuses an object that has not exactly one of its members. */
function exactlyOne<Shape extends z.ZodObject>(shape: Shape) {
  const known = Object.keys(shape.shape)
  return shape
    .check((context) => {
      const given = known.filter((name) => context.value[name] !== undefined)
      if (given.length === 1) return
      const message = `must have exactly one of ${known.map((name) => `\`${name}\``).join(', ')}`
      context.issues.push(fault('NOT_ONE', message, {}))
    })
    .meta({ minProperties: 1, maxProperties: 1 })
}

const Rule = exactlyOne(
  z.strictObject({
    deny_tool: z.strictObject({}).optional(),
    deny_keyword: z
      .strictObject({
        keywords: z.array(text(1, 1000)).min(1).max(1000),
        case_sensitive: z.boolean().optional(),
      })
      .optional(),
    deny_param: z.strictObject({ param: param(), pattern: pattern() }).optional(),
    allow_param: z
      .strictObject({ param: param(), pattern: pattern(), required: z.boolean().optional() })
      .optional(),
    rate_limit: z
      .strictObject({
        max_calls: z.int().min(0).max(MAX_CALLS),
        per_calls: calls().optional(),
        per_seconds: z.int().min(1).max(31_536_000).optional(),
      })
      .check((context) => {
        const { per_calls: perCalls, per_seconds: perSeconds } = context.value
        if ((perCalls === undefined) !== (perSeconds === undefined)) return
        const message = 'must have exactly one of `per_calls` and `per_seconds`'
        context.issues.push(fault('NOT_ONE', message, {}))
      })
      .optional(),
  }),
)

const Call = z.strictObject({
  tool: names().optional(),
  can: z.array(z.enum(['code', 'http', 'read', 'shell', 'write'])).optional(),
  params: z.record(text(1, 1000), pattern()).optional(),
  text: pattern().optional(),
})

const within = () => calls().optional().describe('Calls later at most.')

const Order = exactlyOne(
  z.strictObject({
    never: z.strictObject({ call: Call }).optional(),
    precedes: z.strictObject({ first: Call, second: Call, within: within() }).optional(),
    eventually: z.strictObject({ after: Call, must: Call, within: calls() }).optional(),
    until: z.strictObject({ only: Call, until: Call }).optional(),
    flow: z
      .strictObject({
        from: Call,
        to: Call,
        within: within(),
        same: z.strictObject({ from: param(), to: param() }).optional(),
      })
      .optional(),
  }),
)

const shared = {
  id: text(1, 64).describe('A name for the rule, in findings.'),
  severity: z.enum(['deny', 'warn']).optional().describe('`deny` unless said.'),
  reason: text(1, 200).optional().describe('Why, for people.'),
}

/** The document. */
export const InspectorRulesSchema = z
  .strictObject({
    rules_version: z.literal('ambit.inspector-rules.v1'),
    rules: uniqueBy(
      z
        .array(
          z.strictObject({
            ...shared,
            tool: names().optional().describe('The tools it is about; `*` is any text.'),
            rule: Rule,
          }),
        )
        .max(MAX_RULES),
      ({ id }) => id,
    ).optional(),
    sequence: uniqueBy(
      z.array(z.strictObject({ ...shared, rule: Order })).max(MAX_RULES),
      ({ id }) => id,
    ).optional(),
  })
  .meta({ title: 'Ambit InspectorRules v1' })
