// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PolicyError } from '../../src/errors.js'
import { loadPolicy, parsePolicy } from '../../src/policy/index.js'
import { CscPolicySchema } from '../../src/policy/schema.js'
import { policy, policyOf, root, vectors } from './support.js'

function errorOf(document: Uint8Array | string): PolicyError {
  try {
    parsePolicy(Buffer.from(document), 'policy.yaml')
  } catch (error) {
    if (error instanceof PolicyError) return error
    throw error
  }
  throw new Error('the document was accepted')
}

interface Raw {
  readonly id: string
  readonly raw?: string
  readonly raw_b64?: string
  readonly raw_is_ok_and_comment_of?: number
  readonly expected: { readonly accepted: boolean; readonly policy_sha256?: string }
  readonly desired_in_replacement?: string | null
}

const recorded = vectors<readonly Raw[]>('policy-load.json')

/** Where YAML 1.2, which Ambit reads, or a bound of ours gives another answer than csc-runner. */
const DIFFERENT = new Map<string, readonly ['accepted' | 'refused', why: string]>([
  ['octal', ['accepted', '010 is 10 in YAML 1.2, 8 in YAML 1.1: the digest differs too']],
  ['sexagesimal', ['refused', '1:00 is text in YAML 1.2, 60 in YAML 1.1']],
  ['float', ['refused', '60.0: its digest could not equal csc-runner’s, which keeps the `.0`']],
  ['date-name', ['accepted', '2024-01-01 is text in YAML 1.2, a date in YAML 1.1']],
  ['big', ['refused', 'more than 512 KiB, as csc-runner 0.5.1 and later refuse']],
])

function bytesOf(entry: Raw): Buffer {
  const comment = entry.raw_is_ok_and_comment_of
  if (comment !== undefined) {
    const ok = recorded.find(({ id }) => id === 'ok')?.raw ?? ''
    return Buffer.from(`${ok}#${'x'.repeat(comment)}\n`)
  }
  return entry.raw_b64 === undefined
    ? Buffer.from(entry.raw ?? '')
    : Buffer.from(entry.raw_b64, 'base64')
}

const isAccepted = ({ id, expected }: Raw): boolean =>
  (DIFFERENT.get(id)?.[0] ?? (expected.accepted ? 'accepted' : 'refused')) === 'accepted'

describe('recorded policy documents', () => {
  it('all run: 49 cases, 10 accepted, 39 refused, 5 of them otherwise than recorded', () => {
    const accepted = recorded.filter(isAccepted)
    expect([recorded.length, accepted.length, DIFFERENT.size]).toEqual([49, 10, 5])
  })

  const accepted = recorded.filter(isAccepted)

  it.each(accepted.filter(({ id }) => !DIFFERENT.has(id)))('$id: has its digest', (entry) => {
    expect(parsePolicy(bytesOf(entry), 'p').hash).toBe(entry.expected.policy_sha256)
  })

  it.each(accepted.filter(({ id }) => DIFFERENT.has(id)))('$id: is read as 1.2', (entry) => {
    expect(parsePolicy(bytesOf(entry), 'p').hash).not.toBe(entry.expected.policy_sha256)
  })

  it.each(recorded.filter((entry) => !isAccepted(entry)))('$id: is refused', (entry) => {
    expect(errorOf(bytesOf(entry)).code).toBe('ERR_POLICY_INVALID')
  })
})

interface Fixture {
  readonly id: string
  readonly input: object
  readonly valid: boolean
}

const fixtures = vectors<readonly Fixture[]>('upstream-conformance/policies/schema.json')

describe('published policy fixtures', () => {
  it('all run: 10', () => expect(fixtures.length).toBe(10))

  it.each(fixtures)('$id: valid is $valid', ({ input, valid }) => {
    expect(CscPolicySchema.safeParse(input).success).toBe(valid)
    expect(readable(JSON.stringify(input))).toBe(valid)
  })
})

function readable(text: string): boolean {
  try {
    return parsePolicy(Buffer.from(text), 'p').document.name !== ''
  } catch (error) {
    if (error instanceof PolicyError) return false
    throw error
  }
}

interface LoaderFixture {
  readonly id: string
  readonly raw_text?: string
  readonly valid: boolean
  readonly expected_error_contains?: string
}

const loaders = vectors<readonly LoaderFixture[]>('upstream-conformance/policies/loader.json')

describe('published loader fixtures', () => {
  it('all run: 5', () => expect(loaders.length).toBe(5))

  it.each(loaders.filter(({ valid }) => valid))('$id: is read', ({ raw_text: text = '' }) => {
    expect(readable(text)).toBe(true)
  })

  it.each(loaders.filter(({ valid, raw_text: text }) => !valid && text !== undefined))(
    '$id: is refused with the published words',
    ({ raw_text: text = '', expected_error_contains: words }) => {
      expect(errorOf(text).message).toContain(words)
    },
  )

  it.each(loaders.filter(({ raw_text: text }) => text === undefined))(
    '$id: is not there',
    async ({ expected_error_contains: words }) => {
      const missing = loadPolicy(join(root, 'no-such-policy.yaml'))
      await expect(missing).rejects.toMatchObject({ code: 'ERR_POLICY_UNREADABLE' })
      await expect(missing).rejects.toThrow(words)
    },
  )
})

const good = Object.entries(policy())
  .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
  .join('')

const at = (text: string): string => {
  const [issue] = errorOf(text).issues
  return `${issue?.line}:${issue?.column} ${issue?.code} ${issue?.path}`
}

describe('what a policy never needs is refused where it stands', () => {
  it.each([
    ['a duplicate key', `${good}name: x\n`, '13:1 DUPLICATE_KEY '],
    ['a duplicate key spelled otherwise', `${good}"na\\x6de": x\n`, '13:1 DUPLICATE_KEY '],
    ['a merge key', `${good}<<: {name: x}\n`, '13:1 MERGE_KEY '],
    ['a tag', good.replace('name: ', 'name: !!str '), '2:7 TAG '],
    [
      'a tag on a list',
      good.replace('deny_argv_prefixes: ', 'deny_argv_prefixes: !!seq '),
      '4:21 TAG ',
    ],
    ['a tag on the document', `!!map\n${good}`, '1:1 TAG '],
    ['a local tag', good.replace('name: ', 'name: !x '), '2:7 TAG '],
    ['a second document', `${good}---\n${good}`, '13:1 MULTIPLE_DOCUMENTS '],
    ['a directive', `%YAML 1.1\n---\n${good}`, '1:1 DIRECTIVE '],
    ['an unknown alias', good.replace('name: "p"', 'name: *x'), '2:7 UNKNOWN_ALIAS '],
    ['an alias of itself', `${good}x: &a [*a]\n`, '13:8 TOO_LARGE '],
    ['a key that is a list', `${good}[x]: y\n`, '13:1 SYNTAX '],
    ['an exponent', good.replace('60', '6e1'), '7:18 NOT_AN_INTEGER '],
    ['infinity', good.replace('60', '.inf'), '7:18 NOT_AN_INTEGER '],
    ['a huge integer', good.replace('60', '9007199254740993'), '7:18 NOT_AN_INTEGER '],
    ['half a surrogate pair', good.replace('"p"', '"\\ud800"'), '2:7 LONE_SURROGATE '],
    ['a control character', good.replace('"p"', '"\u001b"'), '2:8 CONTROL_CHARACTER '],
    ['a carriage return on its own', `# x\rnetwork: full\n${good}`, '1:4 CONTROL_CHARACTER '],
    ['a line separator', good.replace('"p"', 'p # \u2028'), '2:11 CONTROL_CHARACTER '],
    ['an unknown field', `${good}zz: 1\n`, '13:1 UNKNOWN_FIELD zz'],
    ['__proto__', `${good}__proto__: {}\n`, '13:1 UNKNOWN_FIELD __proto__'],
    ['a list', '- a\n', '1:1 NOT_A_MAPPING '],
    ['nothing', '', '1:1 NOT_A_MAPPING '],
    ['a wrong value', good.replace('"allowlisted"', 'all'), '8:10 NOT_ALLOWED_VALUE network'],
    [
      'a repeated item',
      good.replace('["git","cat"', '["git","git"'),
      '3:24 DUPLICATE_ITEM allow_commands[1]',
    ],
    [
      'an empty prefix',
      good.replace('[["git","push"]]', '[[]]'),
      '4:22 TOO_SHORT deny_argv_prefixes[0]',
    ],
    [
      'a boolean as YAML 1.1 had it',
      good.replace('false', 'no'),
      '9:20 WRONG_TYPE allow_secret_refs',
    ],
  ])('%s', (_, text, want) => {
    expect(text).not.toBe(good)
    expect(at(text)).toBe(want)
  })

  it('a missing field is a fault of the document', () => {
    expect(at(good.replace('network: "allowlisted"\n', ''))).toBe('1:1 MISSING_FIELD network')
  })

  it('bytes that are no UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('name: '), Buffer.from([0xff])])
    const [issue] = errorOf(bytes).issues
    expect([issue?.line, issue?.column, issue?.code]).toEqual([1, 7, 'INVALID_UTF8'])
  })
})

describe('hostile documents end quickly and in ERR_POLICY_INVALID', () => {
  const bomb = (uses: number) =>
    Array.from(
      { length: uses },
      (_, n) =>
        `a${n}: &a${n} [${
          n === 0
            ? 'x'
            : Array(9)
                .fill(`*a${n - 1}`)
                .join()
        }]`,
    ).join('\n')

  it.each([
    ['deep lists', '['.repeat(500_000), 'TOO_DEEP'],
    ['deep mappings', '{a: '.repeat(100_000), 'TOO_DEEP'],
    ['deep dashes', '- '.repeat(250_000), 'TOO_DEEP'],
    ['deep keys', '? '.repeat(250_000), 'TOO_DEEP'],
    ['many aliases', `a: &a x\nb: [${Array(65).fill('*a').join()}]`, 'TOO_MANY_ALIASES'],
    ['aliases of aliases', bomb(8), 'TOO_LARGE'],
    ['many keys', Array.from({ length: 40_000 }, (_, n) => `k${n}: 1`).join('\n'), 'MISSING_FIELD'],
    [
      'many wrong items',
      good.replace('["git","cat"', `[${'1,'.repeat(190_000)}"cat"`),
      'WRONG_TYPE',
    ],
    ['many brackets', '}'.repeat(500_000), 'SYNTAX'],
    ['brackets after a name', `name: x\n${']'.repeat(500_000)}`, 'SYNTAX'],
    ['lists in lists', `a: [${'- [\n'.repeat(120_000)}`, 'TOO_DEEP'],
    ['keys in lists', `a: [${'- ? '.repeat(120_000)}`, 'SYNTAX'],
    ['lines without names', `name: x\n${'a\n'.repeat(240_000)}`, 'SYNTAX'],
    ['more than 512 KiB', `${good}${'#'.repeat(524_288)}`, 'TOO_LARGE'],
  ])('%s', (_, text, code) => {
    const error = errorOf(text)
    expect([error.code, error.issues[0]?.code]).toEqual(['ERR_POLICY_INVALID', code])
    expect(error.message.length).toBeLessThan(1000)
  })
})

describe('aliases', () => {
  it('are read in small numbers, with the digest of what they stand for', () => {
    const text = good
      .replace('allowed_read_prefixes: ', 'allowed_read_prefixes: &p ')
      .replace('allowed_write_prefixes: ["/workspace/out"]', 'allowed_write_prefixes: *p')
    const same = policyOf(policy({ allowed_write_prefixes: ['/workspace'] }))
    expect(parsePolicy(Buffer.from(text), 'p').hash).toBe(same.hash)
  })
})

describe('errors', () => {
  it('show the line with a caret under the column', () => {
    const text = good.replace('"allowlisted"', '"\u001b[1mall" # é').replace('\u001b', '\\x1b')
    expect(errorOf(text).message).toBe(
      [
        'policy.yaml:8:10: network: must be one of `deny`, `allowlisted`, `full`, not `\\x1b[1mall`',
        '  8 | network: "\\x1b[1mall" # é',
        '               ^',
      ].join('\n'),
    )
  })

  it('cut long lines around the column', () => {
    const text = `${'# x\n'.repeat(9)}name: [${'"abc", '.repeat(500)}`
    expect(
      errorOf(text)
        .message.split('\n')
        .every((line) => line.length < 130),
    ).toBe(true)
  })
})

describe('places of rules', () => {
  it('are those of the names and of the items', () => {
    const { places } = parsePolicy(Buffer.from(good), 'p')
    expect([
      places.at('network'),
      places.at('allow_commands[1]'),
      places.at('deny_argv_prefixes[0]'),
      places.at('require_write_paths_empty'),
    ]).toEqual([
      { line: 8, column: 1 },
      { line: 3, column: 24 },
      { line: 4, column: 22 },
      undefined,
    ])
  })
})
