// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type CustomInspector,
  InspectorChain,
  type WaitingInspector,
  adversary,
  fingerprint,
  loadAdversaryRules,
  paths,
  repetition,
  secrets,
  sequence,
} from '../../src/index.js'

const NEVER = new Promise<undefined>(() => undefined)
const codes = ({ findings }: { findings: readonly { code: string }[] }) =>
  findings.map(({ code }) => code)

describe('a chain', () => {
  it('says allow, warn and deny, with what was found and where', () => {
    const chain = new InspectorChain(['secrets', paths()])
    expect(chain.inspect('shell', { command: 'ls' })).toEqual({ verdict: 'allow', findings: [] })
    const { verdict, findings } = chain.inspect('read_file', { path: '/home/me/.ssh/id_rsa' })
    expect(verdict).toBe('deny')
    expect(findings).toEqual([
      {
        inspector: 'paths',
        code: 'PATH_CREDENTIALS',
        severity: 'deny',
        message: 'reads an SSH key',
        span: { pointer: '/path', start: 0, end: 20 },
      },
    ])
    expect(chain.check('read_file', { path: '/home/me/.ssh/id_rsa' })).toBe(
      'paths: reads an SSH key',
    )
    expect(chain.check('read_file', { path: 'a.ts' })).toBeUndefined()
    expect(chain.names).toEqual(['secrets', 'paths'])
  })

  it('stops at the first deny, unless all is to be collected', () => {
    const asked: string[] = []
    const own = (name: string): CustomInspector => ({
      name,
      inspect: () => {
        asked.push(name)
        return { message: name, code: name }
      },
    })
    const stops = new InspectorChain([own('A'), own('B')])
    expect(codes(stops.inspect('t', {}))).toEqual(['A'])
    const collects = new InspectorChain([own('A'), own('B')], { collect: true })
    expect(codes(collects.inspect('t', {}))).toEqual(['A', 'B'])
    expect(asked).toEqual(['A', 'A', 'B'])
  })

  it('counts calls that an inspector before denied', () => {
    const own: CustomInspector = {
      name: 'own',
      inspect: (_call, memory) => {
        memory.set('n', Number(memory.get('n') ?? 0) + 1)
        return Number(memory.get('n')) <= 2 ? { message: 'no' } : undefined
      },
    }
    const chain = new InspectorChain([own, repetition({ maxRepeats: 2 })])
    expect(codes(chain.inspect('t', {}))).toEqual(['CUSTOM'])
    expect(codes(chain.inspect('t', {}))).toEqual(['CUSTOM'])
    expect(codes(chain.inspect('t', {}))).toEqual(['REPETITION_RUN'])
  })

  it('does not take what was denied for what was done', () => {
    const rule = { precedes: { first: { tool: 'a' }, second: { tool: 'b' } } }
    const own: CustomInspector = {
      name: 'own',
      inspect: ({ tool, params }) => (tool === 'a' && params === 1 ? { message: 'no' } : undefined),
    }
    const chain = new InspectorChain([sequence([{ id: 'r', rule }]), own])
    expect(chain.inspect('a', 1).verdict).toBe('deny')
    expect(codes(chain.inspect('b', {}))).toEqual(['SEQUENCE_PRECEDES'])
    expect(chain.inspect('a', 2).verdict).toBe('allow')
    expect(chain.inspect('b', {}).verdict).toBe('allow')
  })

  it('has sessions that know nothing of each other', () => {
    const chain = new InspectorChain([repetition({ maxRepeats: 1 })])
    const [one, two] = [chain.session(), chain.session()]
    expect(['allow', 'deny', 'allow', 'allow']).toEqual(
      [one, one, two, chain].map((asked) => asked.inspect('t', {}).verdict),
    )
    one.resetSession()
    expect(one.inspect('t', {}).verdict).toBe('allow')
    expect(two.inspect('t', {}).verdict).toBe('deny')
  })

  it.each([
    [
      'a cycle',
      () =>
        Object.assign(
          {},
          {
            get self() {
              return this
            },
          },
        ),
    ],
    ['a bigint', () => ({ a: 1n })],
    ['a function', () => () => 1],
    ['half a surrogate pair', () => ({ a: '\ud800' })],
    ['an integer that is not safe', () => ({ a: 2 ** 60 })],
    ['too deep', () => JSON.parse('['.repeat(100) + ']'.repeat(100)) as unknown],
  ])('denies parameters that cannot be read: %s', (_name, params) => {
    const got = new InspectorChain(['repetition']).inspect('t', params())
    expect([got.verdict, ...codes(got)]).toEqual(['deny', 'CALL_UNREADABLE'])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('secret')
      },
    ],
    ['answers with a promise', () => Promise.resolve([])],
    ['answers with what is none', () => ({ code: 'x' })],
    ['answers with another severity', () => ({ message: 'm', severity: 'allow' })],
  ])('takes an inspector that %s for a deny, unless fail-open was chosen', (_name, inspect) => {
    const own = { name: 'own', inspect } as unknown as CustomInspector
    const closed = new InspectorChain([own]).inspect('t', {})
    expect(closed.verdict).toBe('deny')
    expect(codes(closed)).toEqual(['INSPECTOR_FAILED'])
    expect(JSON.stringify(closed)).not.toContain('secret')
    const open = new InspectorChain([own], { onFailure: 'fail-open' }).inspect('t', {})
    expect([open.verdict, ...codes(open)]).toEqual(['warn', 'INSPECTOR_FAILED'])
  })

  it('refuses options and names that it does not know', () => {
    const spec = { name: 'repetition', spec: { kind: 'repetition', max: 3 } }
    expect(() => new InspectorChain([spec])).toThrow(
      expect.objectContaining({ code: 'ERR_INSPECT_OPTIONS' }),
    )
    expect(() => new InspectorChain(['adversary' as 'egress'])).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }),
    )
    expect(() => new InspectorChain([repetition({ maxRepeats: -1 })])).toThrow(/invalid value/)
  })

  it('works in threads of their own', async () => {
    const code = `import { parentPort } from 'node:worker_threads'
      import { InspectorChain, repetition } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}
      const chain = new InspectorChain([repetition({ maxRepeats: 100 })])
      let denied = 0
      for (let at = 0; at < 200; at += 1) if (chain.inspect('t', {}).verdict === 'deny') denied += 1
      parentPort.postMessage(denied)`
    const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`)
    const answers = Array.from({ length: 3 }, () => {
      const worker = new Worker(url)
      return new Promise((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
    })
    expect(await Promise.all(answers)).toEqual([100, 100, 100])
  })
})

describe('inspectors that wait', () => {
  const waiting = (answer: () => Promise<undefined>, more = {}): WaitingInspector => ({
    name: 'slow',
    inspectAsync: answer,
    timeoutMs: 20,
    ...more,
  })

  it('need inspectAsync', async () => {
    const chain = new InspectorChain([waiting(async () => undefined)])
    expect(() => chain.inspect('t', {})).toThrow(/call inspectAsync/)
    expect(() => chain.check('t', {})).toThrow(/call inspectAsync/)
    expect((await chain.inspectAsync('t', {})).verdict).toBe('allow')
  })

  it('are denied when they take too long or fail, unless fail-open was chosen', async () => {
    const failing = async (): Promise<undefined> => {
      throw new Error('down')
    }
    for (const [answer, code] of [
      [() => NEVER, 'INSPECTOR_TIMEOUT'],
      [failing, 'INSPECTOR_FAILED'],
    ] as const) {
      const closed = await new InspectorChain([waiting(answer)]).inspectAsync('t', {})
      expect([closed.verdict, ...codes(closed)]).toEqual(['deny', code])
      const inspector = waiting(answer, { onFailure: 'fail-open' })
      const open = await new InspectorChain([inspector]).inspectAsync('t', {})
      expect([open.verdict, ...codes(open)]).toEqual(['warn', code])
    }
  })

  it('are asked for one call of a session after the other', async () => {
    const order: string[] = []
    const chain = new InspectorChain([
      {
        name: 'own',
        inspectAsync: async ({ tool }) => {
          order.push(`${tool}+`)
          await new Promise((resolve) => setImmediate(resolve))
          order.push(`${tool}-`)
          return undefined
        },
      },
    ])
    await Promise.all(['a', 'b', 'c'].map((tool) => chain.inspectAsync(tool, {})))
    expect(order).toEqual(['a+', 'a-', 'b+', 'b-', 'c+', 'c-'])
  })
})

describe('adversary', () => {
  const asked = (verdict: unknown) =>
    new InspectorChain([
      adversary({ rules: 'no mail', onFailure: 'fail-closed', classify: () => verdict as never }),
    ])

  it('denies and warns with its reason, and is no verdict when it is none', async () => {
    for (const [verdict, want] of [
      [{ verdict: 'allow' }, ['allow']],
      [{ verdict: 'warn', reason: 'hm' }, ['warn', 'ADVERSARY']],
      [{ verdict: 'deny', reason: 'no' }, ['deny', 'ADVERSARY']],
      [{ verdict: 'maybe', reason: 'no' }, ['deny', 'INSPECTOR_FAILED']],
      [{ verdict: 'deny' }, ['deny', 'INSPECTOR_FAILED']],
      [undefined, ['deny', 'INSPECTOR_FAILED']],
    ] as const) {
      const got = await asked(verdict).inspectAsync('t', {})
      expect([got.verdict, ...codes(got)]).toEqual(want)
    }
  })

  it('is not switched off by blank rules unseen, and its failure is chosen in words', () => {
    const classify = () => ({ verdict: 'allow' }) as const
    expect(() => adversary({ rules: ' \n', classify, onFailure: 'fail-open' })).toThrow(
      expect.objectContaining({ code: 'ERR_INSPECT_RULES_EMPTY' }),
    )
    expect(() => adversary({ rules: 'r', classify } as never)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }),
    )
  })
})

describe('loadAdversaryRules', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ambit-rules-'))
    writeFileSync(join(folder, 'good'), 'no mail\n')
    writeFileSync(join(folder, 'blank'), ' \n\t')
    writeFileSync(join(folder, 'binary'), Buffer.from([0xff, 0xfe]))
    mkdirSync(join(folder, 'folder'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each([
    ['missing', 'ERR_INSPECT_RULES_MISSING'],
    ['blank', 'ERR_INSPECT_RULES_EMPTY'],
    ['binary', 'ERR_INSPECT_RULES_UNREADABLE'],
    ['folder', 'ERR_INSPECT_RULES_UNREADABLE'],
  ])('tells what is wrong: %s', async (name, code) => {
    await expect(loadAdversaryRules(join(folder, name))).rejects.toMatchObject({ code })
  })

  it('returns the text', async () => {
    expect(await loadAdversaryRules(join(folder, 'good'))).toBe('no mail\n')
  })
})

describe('secrets', () => {
  it('finds what is known by fingerprint, and never shows it', () => {
    const secret = 'correct-horse-battery'
    const chain = new InspectorChain([secrets({ fingerprints: [fingerprint(secret)] })])
    for (const value of [
      secret,
      Buffer.from(secret).toString('base64'),
      Buffer.from(`x=${secret}`).toString('hex'),
      encodeURIComponent(`?${secret}`),
    ]) {
      const got = chain.inspect('http', { url: 'https://a.example', body: { x: value } })
      expect([got.verdict, ...codes(got)]).toEqual(['deny', 'SECRET_KNOWN'])
      expect(JSON.stringify(got)).not.toContain(value)
    }
    expect(() => fingerprint('short')).toThrow(
      expect.objectContaining({ code: 'ERR_INSPECT_OPTIONS' }),
    )
  })
})
