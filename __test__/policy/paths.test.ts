// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { climbs, hasInvisible, literalPrefix, normalizePath } from '../../src/policy/paths.js'
import { compilePrefixes, isPlainlyInside, matchPrefixes } from '../../src/policy/prefixes.js'
import { command, contract, decide, policy, vectors } from './support.js'

interface Recorded {
  readonly id: string
  readonly path: string
  readonly normalize?: { readonly flavour?: string; readonly normalized?: string }
  readonly glob_literal_prefix: string
  readonly scope_check_under_workspace: string
}

const recorded = vectors<readonly Recorded[]>('paths.json')

/** Scopes that csc-runner takes and Ambit denies or refuses. */
const DIFFERENT = new Map([
  ['path-18', 'U+0000 is refused when the contract is read'],
  ['path-38', '`..` behind a glob climbs too'],
])

describe('recorded paths', () => {
  it('all run: 41', () => expect(recorded.length).toBe(41))

  it.each(recorded.filter(({ normalize }) => normalize !== undefined))(
    '$id: $path has its form',
    ({ path, normalize: { flavour, normalized } = {} }) => {
      const want = flavour === undefined ? undefined : { flavour, path: normalized }
      expect(normalizePath(path)).toEqual(want)
    },
  )

  it.each(recorded)('$id: $path has its scope', ({ id, path, ...want }) => {
    expect(literalPrefix(path)).toBe(want.glob_literal_prefix)
    const allowed = want.scope_check_under_workspace === 'ok' && !DIFFERENT.has(id)
    expect(readDecision(path)).toBe(allowed ? 'allow' : 'deny')
  })
})

/** What a contract that reads a path gets; a refused contract is a deny here. */
function readDecision(path: string): string {
  try {
    return decide(contract({ commands: [command({ read_paths: [path] })] }), policy()).decision
  } catch {
    return 'deny'
  }
}

describe('prefixes', () => {
  it.each([
    ['/a/b', ['/a'], { kind: 'inside' }],
    ['/a', ['/a/'], { kind: 'inside' }],
    ['/ab', ['/a'], { kind: 'outside' }],
    ['/a', [], { kind: 'outside' }],
    ['/A', ['/a'], { kind: 'outside' }],
    ['C:\\A', ['c:/a'], { kind: 'inside' }],
    ['/a', ['C:\\a'], { kind: 'outside' }],
    ['/a', ['//a', '/a'], { kind: 'not_absolute', path: '//a' }],
    ['/a', ['/a', '//a'], { kind: 'inside' }],
    ['//srv/share', ['//SRV/share'], { kind: 'inside' }],
  ])('%s under %j', (path, prefixes, want) => {
    expect(matchPrefixes(path, compilePrefixes(prefixes))).toEqual(want)
  })
})

describe('climbing', () => {
  it.each([
    ['/a/../b', true],
    ['/a/..', true],
    ['C:\\a\\..', true],
    ['/a/**/..', true],
    ['/a/..b', false],
    ['/a/...', false],
  ])('%s: %s', (path, want) => {
    expect(climbs(path)).toBe(want)
  })

  it.each([
    ['cwd', { cwd: '/workspace/../etc' }, 'CWD_NOT_ALLOWED'],
    ['read path', { read_paths: ['/workspace/../etc'] }, 'READ_SCOPE_DENIED'],
    ['write path', { write_paths: ['/workspace/out/..'] }, 'WRITE_SCOPE_DENIED'],
  ])('is denied in a %s', (_, changes, code) => {
    const decision = decide(contract({ commands: [command(changes)] }), policy())
    expect([decision.decision, decision.reason_codes]).toEqual(['deny', [code]])
  })

  it('denies a glob that could reach above a prefix of `/`', () => {
    const open = policy({ allowed_read_prefixes: ['/'] })
    const decision = decide(contract({ commands: [command({ read_paths: ['/*'] })] }), open)
    expect(decision.reason_codes).toEqual(['READ_SCOPE_DENIED'])
  })
})

describe('the short way for plain paths', () => {
  const unit = fc.constantFrom('a', 'b', '/', '.', '*', '\\', ':', ' ', '-', '\u202e')
  const path = fc.string({ unit, maxLength: 12 })

  it('allows nothing that the long way does not allow', () => {
    const isSound = (written: string, prefix: string): boolean => {
      const prefixes = compilePrefixes([`/${prefix}`])
      const tree = `/${written}`
      if (!isPlainlyInside(tree, prefixes)) return true
      const inside = [tree, literalPrefix(tree)].every(
        (text) => matchPrefixes(text, prefixes).kind === 'inside',
      )
      return inside && !climbs(tree) && !hasInvisible(tree)
    }
    const short = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 3 })
    const property = fc.property(path, short, isSound)
    expect(fc.check(property, { numRuns: 5000 }).failed).toBe(false)
  })

  it.each([
    ['/a/b', ['/a'], true],
    ['/a/b/**', ['/a'], true],
    ['/a/**', ['/a'], true],
    ['/ab', ['/a'], false],
    ['/a/../b', ['/a'], false],
    ['/a//b', ['/a'], false],
    ['/a/b', ['x', '/a'], false],
  ])('%s under %j: %s', (written, prefixes, want) => {
    expect(isPlainlyInside(written, compilePrefixes(prefixes))).toBe(want)
  })
})

describe('characters that cannot be seen', () => {
  it.each(['/a\nb', '/a\u202eb', '/a\u200bb', '/a\u0085b', '/a\u2028b', '/\u00ada', '/a\tb'])(
    '%j',
    (written) => {
      expect(hasInvisible(written)).toBe(true)
    },
  )

  it.each(['/a b', '/é', '/e\u0301', '/日本', '/a\\b'])('are not in %j', (written) => {
    expect(hasInvisible(written)).toBe(false)
  })
})
