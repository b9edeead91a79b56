// SPDX-License-Identifier: Apache-2.0
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

it.each([
  ['/a/b', '/a/b', true],
  ['/a/b', '/a/bc', false],
  ['/a/*', '/a/b', true],
  ['/a/*', '/a/.b', true],
  ['/a/*', '/a/b/c', false],
  ['/a/*', '/a', false],
  ['/a/**', '/a', true],
  ['/a/**', '/a/b/c', true],
  ['/a/**/c', '/a/c', true],
  ['/a/**/c', '/a/b/b/c', true],
  ['/a/**/c', '/a/b/b/c/d', false],
  ['/a/**/b/**/c', '/a/b/x/b/c', true],
  ['/a/x**y', '/a/xzzy', true],
  ['/a/x**y', '/a/x/y', false],
  ['/a/?.js', '/a/b.js', true],
  ['/a/?.js', '/a/😀.js', true],
  ['/a/?.js', '/a/.js', false],
  ['/a/[a-c]x', '/a/bx', true],
  ['/a/[a-c]x', '/a/dx', false],
  ['/a/[!a-c]x', '/a/dx', true],
  ['/a/[!a-c]x', '/a/ax', false],
  ['/a/[]]x', '/a/]x', true],
  ['/a/[a-]x', '/a/-x', true],
  ['/a/[x', '/a/[x', true],
  ['/a/*.tar.*', '/a/b.tar.gz', true],
  ['/a/a*a*a*b', '/a/aaaaaaaaaaaa', false],
  ['/a/.', '/a/x', false],
])('%s and %s: %s', (pattern, path, want) => {
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
