// SPDX-License-Identifier: Apache-2.0
// The strict reader and the RFC 8785 writer agree with the addon's on every text.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/native.js'
import { utf8, validUtf8 } from '../../src/verify/bytes.js'
import { float } from '../../src/verify/formats/python.js'
import { JsonFault } from '../../src/verify/json/fault.js'
import { LIMITS, documentBytes, parse } from '../../src/verify/json/parse.js'
import { write } from '../../src/verify/json/write.js'
import { receipts } from './support/corpus.js'
import { mutate, random } from './support/mutate.js'

const vectors = join(import.meta.dirname, '../vectors/jcs')

/** What reading and writing a text gives: the text, or the fault and its place. */
function canonical(document: Uint8Array, limits = LIMITS): unknown {
  try {
    return write(parse(document, limits))
  } catch (fault) {
    if (!(fault instanceof JsonFault)) throw fault
    const { code, offset, line, column, message } = fault
    return { ok: false, code, message, offset, line, column }
  }
}

/** Returns what differs from the addon's answer. */
function differences(documents: readonly Uint8Array[], limits = LIMITS): readonly unknown[] {
  return documents.flatMap((document) => {
    const answer = parseJson(document, limits)
    const [ours, theirs] = [canonical(document, limits), answer.ok ? answer.canonical : answer]
    if (isDeepStrictEqual(ours, theirs)) return []
    return [{ document: Buffer.from(document).toString('latin1').slice(0, 4096), ours, theirs }]
  })
}

describe('canonical text', () => {
  it.each(readdirSync(join(vectors, 'input')))('of %s is as published', (name) => {
    const want = readFileSync(join(vectors, 'output', name), 'utf8')
    expect(canonical(readFileSync(join(vectors, 'input', name)))).toBe(want)
  })

  it('of ES6 numbers is as published', () => {
    const lines = readFileSync(join(vectors, 'es6testfile10k.txt'), 'utf8').trim().split('\n')
    const view = new DataView(new ArrayBuffer(8))
    const wrong = lines.filter((line) => {
      const [bits = '', text = ''] = line.split(',')
      view.setBigUint64(0, BigInt(`0x${bits}`))
      const value = view.getFloat64(0)
      const isInteger = !/[.e]/u.test(text)
      const isSafe = !isInteger || Number.isSafeInteger(value)
      const got = canonical(utf8(value.toExponential()))
      return isSafe ? got !== text : typeof got === 'string'
    })
    expect([lines.length, wrong]).toEqual([10_000, []])
  })
})

/** Texts at the edges of what is read, and why. */
const EDGES = [
  '', ' ', '0', '-0', '-', '01', '1.', '.1', '1e', '1e+', '+1', '1.0', '-0.0', '1e0', '10e-1', '1E3', '0e400', '1e-400',
  '9007199254740991', '9007199254740992', '-9007199254740991', '-9007199254740992', '9007199254740992.0', '9007199254740991.0',
  '9007199254740991.4', '9007199254740993e0', '1e20', '1e21', '1e308', '1.8e308', '-1e999', '999999999999999999999999',
  '99999999999999999999.5', '0.1e17', '5e-324', '2.5e-324', '"', '"a', '"\\', '"\\u', '"\\u00', '"\\u00g0"', '"\\x"', '"\\ud800"',
  '"\\udc00"', '"\\ud800\\u0061"', '"\\ud800\\ud800"', '"\\ud83d\\ude00"', '"\\ud83d\\u"', '"\\ud83dx"', '"\\u0000"', '"\n"', '"\u007f"', '"\\/"',
  'tru', 'true', 'truee', 'nul', 'null', 'falsy', '[', '[1', '[1,', '[1,]', '[,]', '[1 2]', ']', '{', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}',
  '{a:1}', "{'a':1}", '{"a" 1}', '{"a":1 "b":2}', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"a":{"b":1,"b":2},"a":1}', '{"a":1,"a":2,"b":x}',
  '{"__proto__":1,"constructor":2,"toString":3}', '{"__proto__":{"__proto__":1}}', '{"__proto__":1,"__proto__":2}', '{"":1,"":2}', '[]x', '{} {}', '1 2', '\ufeff{}', '{}\ufeff',
  '{"\ufb33":1,"😀":2,"é":3,"e\u0301":4}', 'é', '["é",x]', '{"é\n":1}', '\u00a01', '[1]\0', '"\u2028"', '[\n  1,\n  é\n]',
] // prettier-ignore

describe('strict reading', () => {
  it.each(EDGES)('of %j is that of the addon', (text) => {
    expect(differences([utf8(text)])).toEqual([])
  })

  it('of bytes that are not UTF-8 is that of the addon', () => {
    const tails = ['80', 'c0', 'c080', 'c1bf', 'c2', 'c27f', 'c2c0', 'e0', 'e080', 'e09f80', 'e0a0', 'e0a080', 'e180', 'eda080', 'ed9fbf', 'efbfbf', 'f0', 'f08f8080', 'f09080', 'f0908080', 'f4908080', 'f48fbfbf', 'f5808080', 'ff', 'fe'] // prettier-ignore
    const documents = tails.flatMap((tail) => [
      Buffer.from(tail, 'hex'),
      Buffer.concat([Buffer.from('"é'), Buffer.from(tail, 'hex'), Buffer.from('"')]),
      Buffer.concat([Buffer.from('["\u{10ffff}",'), Buffer.from(tail, 'hex'), Buffer.from(' ')]),
    ])
    expect(differences(documents)).toEqual([])
    const misjudged = tails.filter((tail) => {
      const bytes = Buffer.from(`61${tail}62`, 'hex')
      const isUtf8 = bytes.equals(Buffer.from(bytes.toString('utf8')))
      return (validUtf8(bytes) === bytes.length) !== isUtf8
    })
    expect(misjudged).toEqual([])
  })

  it('of any three bytes in a string is that of the addon', () => {
    const next = random(7)
    const documents = Array.from({ length: 4000 }, () =>
      Buffer.from([0x22, next() & 255, next() & 255, 0x80 + (next() & 127), 0x22]),
    )
    expect(differences(documents)).toEqual([])
  })

  it.each([
    [63, 64],
    [64, 64],
    [65, 64],
    [2, 1],
    [1, 0],
  ])('of %i levels under a limit of %i is that of the addon', (levels, maxDepth) => {
    const limits = { maxBytes: 1 << 20, maxDepth }
    const documents = [
      utf8('['.repeat(levels) + ']'.repeat(levels)),
      utf8(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`),
    ]
    expect(differences(documents, limits)).toEqual([])
  })

  it('of a document at the limit of its size is that of the addon', () => {
    const lengths = [LIMITS.maxBytes, LIMITS.maxBytes + 1]
    expect(differences(lengths.map((length) => utf8(`"${'a'.repeat(length - 2)}"`)))).toEqual([])
    expect(differences([utf8('é'.repeat(8))], { maxBytes: 5, maxDepth: 1 })).toEqual([])
  })

  it('needs no stack for what is nested deeply, and no more time than is linear', () => {
    const deep = utf8('['.repeat(500_000))
    expect(() => parse(deep)).toThrow(expect.objectContaining({ code: 'TOO_DEEP', offset: 64 }))
    const start = performance.now()
    parse(utf8(`"${'\\u0061'.repeat(170_000)}"`))
    expect(() => parse(utf8('"'.padEnd(1 << 20, '\\')))).toThrow(JsonFault)
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  it('of mutated documents is that of the addon', () => {
    const next = random(1)
    const samples = receipts().filter(({ bytes }) => bytes.length < 4096)
    const documents = Array.from({ length: 8000 }, () => {
      const sample = samples[next() % samples.length]
      return mutate(sample?.bytes ?? new Uint8Array(), next)
    })
    expect(differences(documents)).toEqual([])
  })

  it('refuses a text with half of a surrogate pair instead of mending it', () => {
    for (const text of ['"\ud800"', '"é\udc00"', '\ud83d']) {
      expect(() => documentBytes(text)).toThrow(expect.objectContaining({ code: 'INVALID_UTF8' }))
    }
    expect(documentBytes('"😀"')).toEqual(utf8('"😀"'))
  })
})

describe('floats as Python writes them', () => {
  it.each([
    [1, '1.0'],
    [0, '0.0'],
    [-0, '-0.0'],
    [0.55, '0.55'],
    [0.0001, '0.0001'],
    [0.000_01, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [1.25e22, '1.25e+22'],
    [1e100, '1e+100'],
    [-123_456.789, '-123456.789'],
    [333_333_333.333_333_3, '333333333.3333333'],
    // in the middle of two texts: to the even digit
    [-163_031_794_690_089.13, '-163031794690089.12'],
    [5e-324, '5e-324'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [123456, '123456.0'],
    [9007199254740992, '9007199254740992.0'],
  ])('%d is %s', (value, want) => {
    expect(float(value)).toBe(want)
  })
})
