// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { InspectorChain, parseInspectorRules, rules, sequence } from '../../src/index.js'

const parse = (text: string) => parseInspectorRules(Buffer.from(text), 'rules.yaml')

const HEAD = 'rules_version: ambit.inspector-rules.v1\n'

const GOOD = `${HEAD}
rules:
  - id: no-deletes
    tool: '*delete*'
    rule: { deny_tool: {} }
  - id: no-drops
    rule: { deny_keyword: { keywords: [drop table] } }
    severity: warn
  - id: low-ports
    rule: { deny_param: { param: port, pattern: '^\\d{1,2}$' } }
  - id: ours
    tool: [http, fetch]
    rule: { allow_param: { param: url, pattern: 'https://api\\.example/.*' } }
  - id: slowly
    tool: mail
    rule: { rate_limit: { max_calls: 1, per_seconds: 3600 } }
    reason: one mail an hour
sequence:
  - id: no-leak
    rule: { flow: { from: { tool: read_mail }, to: { can: [http] } } }
`

describe('rules files', () => {
  it('are read and hold', () => {
    const file = parse(GOOD)
    const chain = new InspectorChain([rules(file.rules ?? []), sequence(file.sequence ?? [])])
    const said = (tool: string, params: unknown) => {
      const { verdict, findings } = chain.inspect(tool, params)
      return `${verdict} ${findings.map(({ message }) => message).join('; ')}`
    }
    expect(said('git_delete_branch', {})).toBe('deny no-deletes: this tool is not to be called')
    expect(said('sql', { q: 'DROP  TABLE x; Drop Table y' })).toMatch(/^warn no-drops/)
    expect(said('connect', { port: 22 })).toMatch(/^deny low-ports/)
    expect(said('connect', { port: 8080 })).toBe('allow ')
    expect(said('http', { url: 'https://api.example/x' })).toBe('allow ')
    expect(said('http', { url: 'https://api.example.evil/x' })).toMatch(/^deny ours/)
    expect(said('mail', {})).toBe('allow ')
    expect(said('mail', {})).toBe('deny slowly: one mail an hour')
    expect(said('read_mail', {})).toBe('allow ')
    expect(said('http', { url: 'https://api.example/x' })).toMatch(/^deny no-leak/)
  })

  it.each([
    [
      'an unknown field',
      `${HEAD}rules:\n  - id: a\n    rule: { deny_tool: {} }\n    colour: red\n`,
      'rules.yaml:5:5: rules[0].colour: is not a field here',
    ],
    ['no version', 'rules: []\n', 'rules.yaml:1:1: rules_version: is required'],
    [
      'two kinds',
      `${HEAD}rules:\n  - id: a\n    rule: { deny_tool: {}, rate_limit: { max_calls: 1, per_calls: 2 } }\n`,
      'rules.yaml:4:11: rules[0].rule: must have exactly one of',
    ],
    [
      'no kind',
      `${HEAD}rules:\n  - id: a\n    rule: {}\n`,
      'rules.yaml:4:11: rules[0].rule: must have exactly one of',
    ],
    [
      'a pattern that is none',
      `${HEAD}rules:\n  - id: a\n    rule: { deny_param: { param: x, pattern: '(?=a)' } }\n`,
      'rules.yaml:4:46: rules[0].rule.deny_param.pattern: is no pattern: look-around',
    ],
    [
      'an id twice',
      `${HEAD}rules:\n  - { id: a, rule: { deny_tool: {} } }\n  - { id: a, rule: { deny_tool: {} } }\n`,
      'rules.yaml:4:5: rules[1]: must be unique',
    ],
    [
      'a rate without a window',
      `${HEAD}rules:\n  - { id: a, rule: { rate_limit: { max_calls: 1 } } }\n`,
      'rules.yaml:3:34: rules[0].rule.rate_limit: must have exactly one of',
    ],
    [
      'a duplicate key',
      `${HEAD}rules: []\nrules: []\n`,
      'rules.yaml:3:1: invalid YAML: duplicate key `rules`',
    ],
    ['no YAML', `${HEAD}rules: [\n`, 'rules.yaml:'],
    ['a list', '[]', 'rules.yaml:1:1: must be an object'],
  ])('are refused with a place: %s', (_name, text, want) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({
        code: 'ERR_INSPECT_RULES_INVALID',
        message: expect.stringContaining(want) as string,
      }),
    )
  })

  it('are bounded', () => {
    expect(() => parse(`${HEAD}#${'x'.repeat(600_000)}`)).toThrow(/at most 524288 bytes/)
    expect(() => parseInspectorRules(Buffer.from([0xff]), 'r')).toThrow(/must be UTF-8/)
  })
})
