// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import {
  AmbitError,
  ContractError,
  ERROR_CODES,
  InternalError,
  KeyError,
  LedgerError,
  ReceiptError,
  SandboxError,
} from '../../src/errors.js'
import { shorten, visible } from '../../src/contract/index.js'

describe('errors', () => {
  it('have a code of a known area and one sentence each', () => {
    const areas =
      /^ERR_(?:ADDON_MISSING|INTERNAL|JSON|(?:APPROVAL|CONTRACT|INSPECT|POLICY|RECEIPT|KEY|LEDGER|SANDBOX|CONFIG)_[A-Z_]+)$/
    for (const [code, meaning] of Object.entries(ERROR_CODES)) {
      expect([code, meaning]).toEqual([
        expect.stringMatching(areas),
        expect.stringMatching(/^[A-Z].*\.$/),
      ])
    }
  })

  it('keep their code, details and cause, and are called by their class', () => {
    const cause = new Error('x')
    const error = new KeyError('ERR_KEY_MISSING', 'no key', { details: { a: 1 }, cause })
    expect(error).toBeInstanceOf(AmbitError)
    expect([error.name, error.code, error.message, error.details, error.cause]).toEqual([
      'KeyError',
      'ERR_KEY_MISSING',
      'no key',
      { a: 1 },
      cause,
    ])
  })

  it.each([
    [new ReceiptError('ERR_RECEIPT_SCHEMA', 'm'), 'ReceiptError'],
    [new LedgerError('ERR_LEDGER_BUSY', 'm'), 'LedgerError'],
    [new SandboxError('ERR_SANDBOX_SETUP', 'm'), 'SandboxError'],
    [new InternalError('m'), 'InternalError'],
  ])('%s has no cause and no details of its own', (error, name) => {
    expect([error.name, 'cause' in error, error.details]).toEqual([name, false, {}])
  })

  it('about documents carry their issues in details too', () => {
    const issues = [{ path: 'a', message: 'm', line: 1, column: 2, code: 'X' }]
    const error = new ContractError('ERR_CONTRACT_INVALID', 'm', { issues })
    expect([error.issues, error.details]).toEqual([issues, { issues }])
  })
})

describe('text for people', () => {
  it.each([
    ['plain é 日本 😀', 'plain é 日本 😀'],
    ['\u001b[31m', '\\x1b[31m'],
    ['a\nb\r\0\u007f\u0085', 'a\\x0ab\\x0d\\x00\\x7f\\x85'],
    ['\u202e\u200b\u2028\ufeff', '\\u202e\\u200b\\u2028\\ufeff'],
    ['\ud800', '\\ud800'],
    ['\u{e0041}', '\\u{e0041}'],
  ])('%j is shown as %s', (text, want) => {
    expect(visible(text)).toBe(want)
  })

  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['😀😀😀', 3, '😀😀😀'],
    ['😀😀😀😀', 3, '😀😀…'],
  ])('%s cut at %d is %s', (text, max, want) => {
    expect(shorten(text, max)).toBe(want)
  })
})
