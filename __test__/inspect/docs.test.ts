// SPDX-License-Identifier: Apache-2.0
// The examples of docs/inspectors.md run, and print what they say.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as ambit from '../../src/index.js'

const root = join(import.meta.dirname, '../..')
const markdown = readFileSync(join(root, 'docs/inspectors.md'), 'utf8')
const blocks = (language: string) =>
  [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gmsu'))].map(
    ([, code = '']) => code,
  )

it.each(blocks('ts'))('runs example %#', (code) => {
  const names = Object.keys(ambit).filter((name) => new RegExp(`\\b${name}\\(`, 'u').test(code))
  const module = new URL(`file://${join(root, 'dist/index.js')}`).href
  const script = `import { ${names.join(', ')} } from ${JSON.stringify(module)}\n${code}`
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  const said = code.split('\n').filter((line) => line.startsWith('// '))
  expect(printed.trim().split('\n')).toEqual(said.map((line) => line.slice(3)))
})

it.each(blocks('yaml'))('reads rules %#', (text) => {
  const { rules = [], sequence = [] } = ambit.parseInspectorRules(Buffer.from(text), 'rules.yaml')
  expect(new ambit.InspectorChain([ambit.rules(rules), ambit.sequence(sequence)]).names).toEqual([
    'rules',
    'sequence',
  ])
})
