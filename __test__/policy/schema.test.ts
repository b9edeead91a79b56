// SPDX-License-Identifier: Apache-2.0
// The generated schemas say what the published ones say. `npm run schema:check` keeps them fresh.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, vectors } from './support.js'

type Schema = { readonly [name: string]: unknown }

const generated = (name: string): Schema =>
  JSON.parse(readFileSync(join(root, 'schemas', `${name}.schema.json`), 'utf8')) as Schema

const SKIPPED = new Set(['$defs', '$id', '$schema', 'default', 'description', 'title'])

/** What a schema accepts, with references written out and without words for people. */
function meaning(node: unknown, whole: Schema): unknown {
  if (Array.isArray(node)) return node.map((item) => meaning(item, whole))
  if (typeof node !== 'object' || node === null) return node
  const { $ref, ...own } = node as Schema
  const target = typeof $ref === 'string' ? (whole['$defs'] as Schema)[$ref.slice(8)] : {}
  const members = Object.entries({ ...(target as Schema), ...own })
    .filter(([name, value]) => !SKIPPED.has(name) || typeof value === 'object')
    .filter(([name]) => name !== '$defs')
    .map(([name, value]) => [name, meaning(value, whole)] as const)
  return Object.fromEntries(members)
}

/** Paths at which two schemas differ. */
function differences(left: unknown, right: unknown, path = ''): readonly string[] {
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return left === right ? [] : [path]
  }
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...names].flatMap((name) =>
    differences((left as Schema)[name], (right as Schema)[name], `${path}/${name}`),
  )
}

describe.each([
  // limits that csc-runner has at run, U+0000, and `anyOf` of three patterns as one pattern
  [
    'csc.contract.v0.1',
    /\/(?:default|not|maxItems|anyOf|pattern|maximum|exclusiveMinimum)$|\/id\/maxLength$/,
  ],
  ['csc.policy.v0.1', /\/(?:not|anyOf|pattern|maximum)$/],
])('the generated schema %s', (name, known) => {
  it('differs from the published one only in named ways', () => {
    const ours = generated(name)
    const published = vectors<Schema>(`schemas/${name}.schema.json`)
    const found = differences(meaning(ours, ours), meaning(published, published))
    expect(found.filter((path) => !known.test(path))).toEqual([])
    expect(ours['$id']).toBe(`urn:ambit:schema:${name}`)
  })
})

describe('the generated decision schema', () => {
  it('has a versioned $id', () => {
    expect(generated('ambit.policy-decision.v1')['$id']).toBe(
      'urn:ambit:schema:ambit.policy-decision.v1',
    )
  })
})
