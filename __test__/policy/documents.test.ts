// SPDX-License-Identifier: Apache-2.0
// What docs/ say of contracts and policies is what the schemas say, and the examples are read.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { ambitPolicy, contract, contractOf, policyOf, root } from './support.js'

const readText = (path: string): string => readFileSync(join(root, path), 'utf8')
const fenced = (path: string, language: string): string =>
  new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'msu').exec(readText(path))?.[1] ?? ''

interface Schema {
  readonly properties: Record<string, { readonly items?: Schema }>
}

const schemaOf = (name: string): Schema =>
  JSON.parse(readText(`schemas/${name}.schema.json`)) as Schema

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

  it('have a case whose command is read', () => {
    const { command } = JSON.parse(fenced('docs/policy-packs.md', 'json')) as { command: object }
    const read = contractOf(contract({ version: 'ambit.contract.v1', commands: [command] }))
    expect(read.commands.length).toBe(1)
  })
})
