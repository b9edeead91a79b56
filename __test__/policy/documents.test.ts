// SPDX-License-Identifier: Apache-2.0
// What docs/ say of contracts and policies is what the schemas say, and the examples are read.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseContract } from '../../src/contract/index.js'
import { evaluate, parsePolicy } from '../../src/policy/index.js'
import { ambitPolicy, contract, contractOf, policyOf, root } from './support.js'

const readText = (path: string): string => readFileSync(join(root, path), 'utf8')
const fenced = (path: string, language: string): string =>
  new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'msu').exec(readText(path))?.[1] ?? ''

interface Schema {
  readonly properties: Record<string, { readonly items?: Schema }>
}

const schemaOf = (name: string): Schema =>
  JSON.parse(readText(`schemas/${name}.schema.json`)) as Schema

/** The names of all members that a schema has. */
function namesIn(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { properties = {} } = schema as { properties?: object }
  return [...Object.keys(properties), ...Object.values(schema).flatMap(namesIn)]
}

describe('docs', () => {
  it('name every field of a contract', () => {
    const { properties } = schemaOf('ambit.contract.v1')
    const fields = [
      ...Object.keys(properties),
      ...Object.keys(properties['commands']?.items?.properties ?? {}),
    ]
    const text = readText('docs/contract.md')
    expect(fields.length).toBeGreaterThan(25)
    expect(fields.filter((field) => !text.includes(`\`${field}\``))).toEqual([])
  })

  it('name every field of a policy', () => {
    const fields = Object.keys(schemaOf('ambit.policy.v1').properties)
    const text = readText('docs/policy.md')
    expect(fields.length).toBeGreaterThan(20)
    const missing = fields.filter((field) => !text.includes(`\`${field}\``))
    expect(missing).toEqual(['policy_schema_version'])
  })

  it('have an argv rule that is read with its examples', () => {
    const rules = parse(fenced('docs/policy.md', 'yaml')) as object
    expect(policyOf(ambitPolicy(rules)).rules.argvRules.length).toBe(1)
  })

  it('name every field of a decision and of approvals', () => {
    const missing = (document: string, schemas: readonly string[]): readonly string[] => {
      const text = readText(document)
      const names = schemas.flatMap((name) => namesIn(JSON.parse(readText(`schemas/${name}`))))
      expect(names.length).toBeGreaterThan(15)
      return names.filter((name) => !new RegExp(`[\`{ ]${name}[\`}, ]`, 'u').test(text))
    }
    expect(missing('docs/decision.md', ['ambit.policy-decision.v1.schema.json'])).toEqual([])
    const approvals = ['ambit.approval.v1.schema.json', 'csc.approval.v0.1.schema.json']
    expect(missing('docs/approvals.md', approvals)).toEqual([])
  })

  it('have a contract, a policy and the decision that they lead to', () => {
    const blocks = [...readText('docs/decision.md').matchAll(/^```(?:json|yaml)\n(.*?)^```$/gmsu)]
    const [asked = '', rules = '', wanted = ''] = blocks.map(([, text = '']) => text)
    const decision = evaluate(
      parseContract(Buffer.from(asked), 'contract.json'),
      parsePolicy(Buffer.from(rules), 'policy.yaml'),
      { mode: 'hardened', now: new Date('2026-01-01T00:00:00Z') },
    )
    expect(decision).toEqual(JSON.parse(wanted))
  })

  it('have a case whose command is read', () => {
    const { command } = JSON.parse(fenced('docs/policy-packs.md', 'json')) as { command: object }
    const read = contractOf(contract({ version: 'ambit.contract.v1', commands: [command] }))
    expect(read.commands.length).toBe(1)
  })
})
