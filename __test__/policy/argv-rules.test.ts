// SPDX-License-Identifier: Apache-2.0
// Conditions of argv rules: each with argvs to which it applies, and argvs to which it does not.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileArgvRule } from '../../src/policy/argv-rules.js'
import { wildcard } from '../../src/policy/wildcard.js'

type Stated = Parameters<typeof compileArgvRule>[0]

const ruleOf = (conditions: Partial<Stated>) =>
  compileArgvRule({ id: 'r', program: 'git', effect: 'deny', match: [], ...conditions }, 0)

const cases: readonly [string, Partial<Stated>, readonly string[], readonly string[]][] = [
  [
    'a program',
    {},
    ['git', '/usr/bin/git', 'GIT', 'env git', 'timeout 5 git status'],
    ['got', 'gitx', 'cat git'],
  ],
  ['a program by its path', { program: '/usr/bin/git' }, ['/usr/bin/git'], ['git', '/bin/git']],
  [
    'any program',
    { program: '*', arguments: ['--force'] },
    ['git push --force', 'rm --force'],
    ['git push'],
  ],
  [
    'a subcommand',
    { subcommands: ['push'] },
    [
      'git push',
      'git -C /x push',
      'git -c a=b push',
      'git --no-pager push',
      'git --unknown x push',
      'git -x push',
      'git -- push',
    ],
    ['git log', 'git log push', 'git stash push', 'git -C push log', 'git'],
  ],
  [
    'all but some subcommands',
    { subcommands_except: ['log', 'status'] },
    ['git push', 'git', 'git --version', 'git -C /x push', 'git --unknown log push'],
    ['git log', 'git -C /x status', 'git --no-pager log HEAD'],
  ],
  [
    'a global option',
    { global_options: ['-c', '--exec-path'] },
    [
      'git -c a=b log',
      'git --exec-path=/x log',
      'git --exec-pa=/x log',
      'git -pc a=b log',
      'git -ca=b log',
    ],
    ['git log -c', 'git commit -c HEAD', 'git log --exec-path=/x', 'git -C /c log', 'git'],
  ],
  [
    'a short option',
    { program: 'rm', options: ['-r'] },
    ['rm -r x', 'rm -fr x', 'rm x -rf'],
    ['rm x', 'rm -f x', 'rm -- -r', 'rm --recursive'],
  ],
  [
    'a short option behind one that takes the rest',
    { program: 'tar', options: ['-I'], value_options: ['-f'] },
    ['tar -xI x', 'tar -I x'],
    ['tar -fI', 'tar -xfI'],
  ],
  [
    'a long option',
    { program: 'tar', options: ['--to-command'] },
    ['tar --to-command=sh', 'tar -x --to-command sh', 'tar --to-c=sh'],
    ['tar --to-stdout', 'tar -- --to-command'],
  ],
  [
    'an action with one dash',
    { program: 'find', options: ['-exec', '-delete'] },
    ['find . -delete', 'find . -exec sh ;'],
    ['find . -executable', 'find . -name -exe', 'find . -newer e'],
  ],
  [
    'an argument',
    { program: 'awk', arguments: ['*system(*', '*|*'] },
    ['awk system("id")', 'awk BEGIN{x|y}', 'awk -f x --source system(1)', 'awk -- a|b'],
    ['awk {print}', 'awk -f x.awk'],
  ],
  [
    'several kinds, all of them',
    { subcommands: ['push'], options: ['--force'] },
    ['git push --force', 'git push origin --forc'],
    ['git push', 'git log --force'],
  ],
]

describe('a rule', () => {
  describe.each(cases)('on %s', (_, conditions, applies, not) => {
    const rule = ruleOf(conditions)
    it.each(applies)('applies to %s', (line) => expect(rule.applies(line.split(' '))).toBe(true))
    it.each(not)('does not apply to %s', (line) =>
      expect(rule.applies(line.split(' '))).toBe(false),
    )
  })

  it('knows options that a rule declares', () => {
    const { applies } = ruleOf({
      program: 'helm',
      subcommands: ['install'],
      value_options: ['--context'],
      flag_options: ['--debug'],
    })
    expect(applies(['helm', '--context', 'install', 'list'])).toBe(false)
    expect(applies(['helm', '--debug', 'list', 'install'])).toBe(false)
    expect(applies(['helm', '--context', 'x', '--debug', 'install'])).toBe(true)
  })
})

describe('a pattern', () => {
  it.each([
    ['abc', 'abc', true],
    ['abc', 'abcd', false],
    ['a*', 'a', true],
    ['a*c', 'ac', true],
    ['a*c', 'abbc', true],
    ['ab*ba', 'aba', false],
    ['*b*', 'abc', true],
    ['*a*b*', 'ba', false],
    ['a*b*c', 'axbyc', true],
    ['a*b*b', 'ab', false],
    ['*', '', true],
    ['**', 'x', true],
    ['a.c', 'abc', false],
  ])('%s for %s: %s', (pattern, text, want) => expect(wildcard(pattern)(text)).toBe(want))

  it('is what a regular expression says', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
    const plain = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
    fc.assert(
      fc.property(letters, plain, (pattern, text) => {
        const like = new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'u')
        expect(wildcard(pattern)(text)).toBe(like.test(text))
      }),
    )
  })
})
