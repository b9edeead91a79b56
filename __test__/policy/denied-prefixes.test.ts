// SPDX-License-Identifier: Apache-2.0
// `deny_argv_prefixes`: as written under a csc policy, and with what may stand before under ours.
import { describe, expect, it } from 'vitest'
import { ambitPolicy, command, contract, decide, policy } from './support.js'

const RULES = {
  allow_commands: ['git', '/usr/bin/git', 'env', 'npm', 'rm', 'timeout', 'echo'],
  deny_argv_prefixes: [
    ['git', 'push'],
    ['npm', 'publish'],
    ['rm', '-rf'],
  ],
}

const denies = (line: string, rules: object): boolean =>
  decide(
    contract({ commands: [command({ exec: { argv: line.split(' ') } })] }),
    rules,
  ).reason_codes.includes('ARGV_PREFIX_DENIED')

describe('a denied prefix', () => {
  it.each<[line: string, csc: boolean, ambit: boolean]>([
    ['git push', true, true],
    ['git push origin main', true, true],
    ['rm -rf x', true, true],
    ['git status', false, false],
    ['git log push', false, false],
    ['git -C push status', false, false],
    ['echo git push', false, false],
    ['rm -fr x', false, false],
    ['git -C . push', false, true],
    ['git -C push push', false, true],
    ['git --no-pager push', false, true],
    ['git -c a=b --git-dir=/x push origin', false, true],
    ['git --unknown x push', false, true],
    ['/usr/bin/git push', false, true],
    ['/usr/bin/git -C . push', false, true],
    ['env git push', false, true],
    ['env A=b git -C . push', false, true],
    ['timeout 5 /usr/bin/git push', false, true],
    ['timeout -k 1 5 env rm -rf x', false, true],
    ['npm --prefix x publish', false, true],
  ])('%s', (line, csc, ambit) => {
    expect([denies(line, policy(RULES)), denies(line, ambitPolicy(RULES))]).toEqual([csc, ambit])
  })
})
