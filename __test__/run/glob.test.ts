// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { matchesGlob } from 'node:path/posix'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Glob } from '../../src/run/glob.js'

function matches(pattern: string, path: string): boolean {
  const glob = new Glob(pattern)
  let positions = glob.start
  for (const name of path.split('/').filter((part) => part !== '')) {
    positions = glob.step(positions, name)
  }
  return glob.isMatch(positions)
}

const VECTORS = join(import.meta.dirname, '../vectors/globs.json')
const TABLE = JSON.parse(readFileSync(VECTORS, 'utf8')) as [string, string, boolean][]

it.each(TABLE)('%s and %s: %s', (pattern, path, want) => {
  expect(matches(pattern, path)).toBe(want)
})

it('takes time in proportion to pattern times path, whatever they are', () => {
  const start = performance.now()
  expect(matches(`/${'a*'.repeat(120)}b`, `/${'a'.repeat(255)}`)).toBe(false)
  expect(matches(`${'/**'.repeat(500)}/x`, '/a'.repeat(500))).toBe(false)
  expect(performance.now() - start).toBeLessThan(2000)
})

const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), minLength: 1, maxLength: 4 })
const part = fc.oneof(
  name,
  fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 4 }),
)

it.skipIf(typeof matchesGlob !== 'function')(
  'judges stars and question marks as another implementation does (it comes with Node 22)',
  () => {
    const parts = fc.array(
      part.filter((text) => !text.includes('**')),
      { minLength: 1, maxLength: 4 },
    )
    const names = fc.array(name, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(parts, names, (pattern, path) => {
        const [glob, file] = [`/${pattern.join('/')}`, `/${path.join('/')}`]
        expect(matches(glob, file)).toBe(matchesGlob(file, glob))
      }),
      { numRuns: 2000 },
    )
  },
)
