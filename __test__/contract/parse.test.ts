// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Contract,
  contractHash,
  loadContract,
  parseContract,
  printContract,
} from '../../src/contract/index.js'
import { ContractError, type DocumentIssue } from '../../src/errors.js'
import { canonicalize, sha256Hex } from '../../src/native.js'
import { command, contract, contractOf, vectors } from '../policy/support.js'

const bytes = (text: string): Buffer => Buffer.from(text)

function errorOf(document: Uint8Array): ContractError {
  try {
    parseContract(document, 'c.json')
  } catch (error) {
    if (error instanceof ContractError) return error
    throw error
  }
  throw new Error('the document was accepted')
}

const issuesOf = (text: string): readonly DocumentIssue[] => errorOf(bytes(text)).issues

interface Raw {
  readonly id: string
  readonly raw?: string
  readonly raw_b64?: string
  readonly expected: { readonly accepted: boolean; readonly contract_sha256?: string }
  readonly desired_in_replacement?: string | null
}

const recorded = vectors<readonly Raw[]>('contract-parse.json')

/** Accepted by csc-runner, refused here, without a `desired_in_replacement` that says so. */
const REFUSED = new Map([
  ['pipe-11seg', 'more than 10 segments: csc-runner refuses it at run, Ambit when it is read'],
  ['pipeline-null', 'the published schema has no null'],
])

describe('recorded contract documents', () => {
  it('all run: 71 cases, 3 accepted, 68 refused', () => {
    const accepted = recorded.filter(isAccepted)
    expect([recorded.length, accepted.length]).toEqual([71, 3])
  })

  it.each(recorded.filter(isAccepted))('$id: has its digest', (entry) => {
    expect(parseContract(bytesOf(entry), 'c.json').hash).toBe(entry.expected.contract_sha256)
  })

  it.each(recorded.filter((entry) => !isAccepted(entry)))('$id: is refused', (entry) => {
    const { code, issues } = errorOf(bytesOf(entry))
    expect([code, issues.length > 0]).toEqual(['ERR_CONTRACT_INVALID', true])
  })
})

function bytesOf({ raw = '', raw_b64: base64 }: Raw): Buffer {
  return base64 === undefined ? bytes(raw) : Buffer.from(base64, 'base64')
}

function isAccepted({ id, expected, desired_in_replacement: desired }: Raw): boolean {
  return expected.accepted && desired === undefined && !REFUSED.has(id)
}

interface Fixture {
  readonly id: string
  readonly input: object
  readonly valid: boolean
}

const fixtures = ['valid', 'invalid'].flatMap((name) =>
  vectors<readonly Fixture[]>(`upstream-conformance/contracts/${name}.json`),
)

describe('published contract fixtures', () => {
  it('all run: 15', () => expect(fixtures.length).toBe(15))

  it.each(fixtures.filter(({ valid }) => valid))('$id: is read as it is', ({ input }) => {
    expect(parseContract(bytes(JSON.stringify(input)), 'c.json')).toMatchObject(input)
  })

  it.each(fixtures.filter(({ valid }) => !valid))('$id: is refused', ({ input }) => {
    expect(errorOf(bytes(JSON.stringify(input))).code).toBe('ERR_CONTRACT_INVALID')
  })
})

const canonical =
  vectors<readonly { id: string; input: unknown; canonical: string; sha256: string }[]>(
    'canonicalization.json',
  )

/** Where Python's json.dumps is not RFC 8785; no contract can hold such a value. */
const NOT_JCS = new Map([
  ['nonbmp-key-order', 'names beyond the BMP: RFC 8785 sorts by UTF-16 units'],
  ['ints', '10^30 is beyond the integers of I-JSON'],
  ['floats', 'Python keeps `1.0` and writes exponents otherwise'],
])

describe('recorded canonical texts', () => {
  it.each(canonical.filter(({ id }) => !NOT_JCS.has(id)))('$id', ({ input, ...want }) => {
    const text = canonicalize(JSON.stringify(input))
    expect([text, sha256Hex(bytes(text))]).toEqual([want.canonical, want.sha256])
  })

  it.each(canonical.filter(({ id }) => NOT_JCS.has(id)))('$id: differs', ({ input, ...want }) => {
    expect(attempt(() => canonicalize(JSON.stringify(input)))).not.toBe(want.canonical)
  })

  it('all run: 13, of which 3 are not RFC 8785', () => {
    expect([canonical.length, NOT_JCS.size]).toEqual([13, 3])
  })
})

function attempt(act: () => string): string {
  try {
    return act()
  } catch {
    return 'refused'
  }
}

const withCommand = (changes: object) => JSON.stringify(contract({ commands: [command(changes)] }))
const long = 'x'.repeat(131_072)
const segments = (count: number) => Array.from({ length: count }, () => ({ argv: ['a'] }))

describe('bounds that the published schema does not have', () => {
  it.each([
    ['200 arguments', { exec: { argv: Array<string>(200).fill('a') } }],
    ['131,072 bytes in one argument', { exec: { argv: [long] } }],
    ['10 segments', { pipeline: { segments: segments(10) }, exec: undefined }],
    ['a day of time', { timeout_sec: 86_400 }],
    ['an id of 256 characters', { id: '😀'.repeat(256) }],
  ])('accepts %s', (_, changes) => {
    expect(parseContract(bytes(withCommand(changes)), 'c.json').commands.length).toBe(1)
  })

  it.each([
    ['201 arguments', { exec: { argv: Array(201).fill('a') } }, 'exec.argv', 'TOO_LONG'],
    ['131,073 bytes', { exec: { argv: [`${long}x`] } }, 'exec.argv[0]', 'TOO_LONG'],
    [
      '65,537 characters of two bytes',
      { exec: { argv: ['é'.repeat(65_537)] } },
      'exec.argv[0]',
      'TOO_LONG',
    ],
    [
      '11 segments',
      { pipeline: { segments: segments(11) }, exec: undefined },
      'pipeline.segments',
      'TOO_LONG',
    ],
    ['an id of 257 characters', { id: 'x'.repeat(257) }, 'id', 'TOO_LONG'],
    ['no command', { exec: undefined }, '', 'EXEC_XOR_PIPELINE'],
    [
      'two ways to run',
      { pipeline: { segments: [{ argv: ['a'] }, { argv: ['b'] }] } },
      '',
      'EXEC_XOR_PIPELINE',
    ],
    ['null for a pipeline', { pipeline: null }, 'pipeline', 'WRONG_TYPE'],
    ['U+0000 in an argument', { exec: { argv: ['a\0'] } }, 'exec.argv[0]', 'NUL_CHARACTER'],
    ['U+0000 in a path', { read_paths: ['/a\0'] }, 'read_paths[0]', 'NUL_CHARACTER'],
    ['U+0000 in a name', { env_allow: ['A\0'] }, 'env_allow[0]', 'NUL_CHARACTER'],
    ['a text for a number', { timeout_sec: '10' }, 'timeout_sec', 'WRONG_TYPE'],
    ['half a second', { timeout_sec: 0.5 }, 'timeout_sec', 'WRONG_TYPE'],
    ['no time', { timeout_sec: 0 }, 'timeout_sec', 'OUT_OF_RANGE'],
    ['a relative path', { cwd: 'x' }, 'cwd', 'NOT_ABSOLUTE_PATH'],
    [
      'an unknown effect',
      { proposed_effect_type: 'x' },
      'proposed_effect_type',
      'NOT_ALLOWED_VALUE',
    ],
    ['a missing field', { network: undefined }, 'network', 'MISSING_FIELD'],
    ['an unknown field', { shell: true }, 'shell', 'UNKNOWN_FIELD'],
  ])('refuses %s', (_, changes, path, code) => {
    const full = path === '' ? 'commands[0]' : `commands[0].${path}`
    expect(issuesOf(withCommand(changes)).map((issue) => [issue.path, issue.code])).toEqual([
      [full, code],
    ])
  })

  it('counts characters, not UTF-16 units', () => {
    const justification = '😀'.repeat(4000)
    expect(contractOf(contract({ justification })).justification).toBe(justification)
    const issues = issuesOf(JSON.stringify(contract({ justification: `${justification}x` })))
    expect(issues.map(({ code }) => code)).toEqual(['TOO_LONG'])
  })

  it('refuses a second command with the same id, at its place', () => {
    const text = JSON.stringify(contract({ commands: [command(), command()] }))
    expect(issuesOf(text).map(({ path, code }) => [path, code])).toEqual([
      ['commands[1].id', 'DUPLICATE_ID'],
    ])
  })

  it('refuses an id that is too long, with its place', () => {
    const text = withCommand({ id: 'x'.repeat(257) })
    const column = text.indexOf('"id":') + '"id":'.length + 1
    expect(issuesOf(text)).toEqual([
      {
        path: 'commands[0].id',
        message: 'must have at most 256 characters',
        line: 1,
        column,
        code: 'TOO_LONG',
      },
    ])
  })

  it('quotes a shortened id where two commands share it', () => {
    const id = 'x'.repeat(256)
    const text = JSON.stringify(contract({ commands: [command({ id }), command({ id })] }))
    const quoted = `\`${'x'.repeat(59)}…\``
    expect(issuesOf(text).map(({ message }) => message)).toEqual([
      `must be unique; ${quoted} is taken`,
    ])
  })

  it('refuses __proto__ like any other unknown field', () => {
    const text = `{"__proto__":{"version":"csc.v0.1"},${JSON.stringify(contract()).slice(1)}`
    expect(issuesOf(text).map(({ path, code }) => [path, code])).toEqual([
      ['__proto__', 'UNKNOWN_FIELD'],
    ])
  })

  it('reads 10.0 as the integer 10, with the same digest', () => {
    const text = JSON.stringify(contract())
    const same = text.replace('"timeout_sec":10', '"timeout_sec":10.0')
    expect(same).not.toBe(text)
    expect(parseContract(bytes(same), 'c')).toEqual(parseContract(bytes(text), 'c'))
  })

  it('refuses more than 1 MiB and names the bound', () => {
    expect(errorOf(bytes(' '.repeat(1_048_577))).issues[0]?.code).toBe('TOO_LARGE')
  })

  it('lists at most 20 faults, and stays quick with 400,000', () => {
    const faulty = (count: number) => issuesOf(withCommand({ env_allow: Array(count).fill(1) }))
    expect(faulty(1000).length).toBe(20)
    expect(faulty(1000)[19]?.path).toBe('commands[0].env_allow[19]')
    expect(faulty(400_000).map(({ code }) => code)).toEqual(['TOO_MANY_FAULTS'])
  })
})

describe('places', () => {
  const text = JSON.stringify(
    contract({ commands: [command({ cwd: 'é', zzz: 1 })] }),
    null,
    2,
  ).replace('"intent": "look"', '"intent": "lo😀ok", "x": [{"cwd": 1}, "a]\\"}"]')

  it('are line and column of the value, of the name where that is at fault', () => {
    expect(issuesOf(text)).toEqual([
      { path: 'x', message: 'is not a field here', line: 4, column: 22, code: 'UNKNOWN_FIELD' },
      {
        path: 'commands[0].cwd',
        message: 'must be an absolute path, not `é`',
        line: 20,
        column: 14,
        code: 'NOT_ABSOLUTE_PATH',
      },
      {
        path: 'commands[0].zzz',
        message: 'is not a field here',
        line: 28,
        column: 7,
        code: 'UNKNOWN_FIELD',
      },
    ])
  })

  it('stand in the message, which is one line', () => {
    expect(errorOf(bytes(text)).message).toBe('c.json:4:22: x: is not a field here (and 2 more)')
  })

  it('of a strict parser fault are those of the strict parser', () => {
    const [issue] = issuesOf('{\n "version": 1,\n  "version": 2}')
    expect([issue?.code, issue?.line, issue?.column]).toEqual(['DUPLICATE_MEMBER', 3, 3])
  })

  it('of hostile names and values are shown without control characters', () => {
    const { message, issues } = errorOf(bytes(withCommand({ '\u001b[31m': 1, cwd: '\u202ex' })))
    expect(message + JSON.stringify(issues)).not.toMatch(/[^ -~]/)
    expect(issues.map(({ path }) => path)).toContain('commands[0].\\x1b[31m')
  })
})

describe('the digest', () => {
  it('does not depend on whether empty outputs are left out', () => {
    expect(contractOf(contract({ expected_outputs: [] })).hash).toBe(contractOf(contract()).hash)
  })

  it('depends on every member', () => {
    const base = contractOf(contract()).hash
    expect(contractOf(contract({ intent: 'look!' })).hash).not.toBe(base)
    expect(contractOf(contract({ commands: [command({ timeout_sec: 11 })] })).hash).not.toBe(base)
  })
})

const word = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).map(withoutNul)
const path = word.map((name) => `/${name}`)

function withoutNul(text: string): string {
  return text.replaceAll('\0', '_')
}

const anyCommand = fc.record({
  exec: fc.record({ argv: fc.array(word, { minLength: 1, maxLength: 4 }) }),
  cwd: path,
  read_paths: fc.array(path, { maxLength: 3 }),
  write_paths: fc.array(path, { maxLength: 3 }),
  network: fc.constantFrom('deny', 'allowlisted', 'full'),
  timeout_sec: fc.integer({ min: 1, max: 86_400 }),
})

const anyContract = fc
  .record({
    intent: word,
    commands: fc.array(anyCommand, { minLength: 1, maxLength: 3 }),
    expected_outputs: fc.array(path, { maxLength: 2 }),
  })
  .map(({ commands, ...rest }) =>
    contract({ ...rest, commands: commands.map((part, at) => command({ ...part, id: `c${at}` })) }),
  )

describe('printing', () => {
  it('and reading again is identity', () => {
    fc.assert(
      fc.property(anyContract, (document) => {
        const first = contractOf(document)
        const again = parseContract(bytes(printContract(first)), 'c.json')
        expect(again).toEqual(first)
        const plain: Contract = again
        expect(contractHash(plain)).toBe(first.hash)
      }),
      { numRuns: 200 },
    )
  })
})

describe('files', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ambit-contract-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('are read', async () => {
    const file = join(folder, 'c.json')
    writeFileSync(file, JSON.stringify(contract()))
    expect(await loadContract(file)).toEqual(contractOf(contract()))
  })

  it('that are missing are ERR_CONTRACT_UNREADABLE', async () => {
    const file = join(folder, 'missing.json')
    await expect(loadContract(file)).rejects.toMatchObject({ code: 'ERR_CONTRACT_UNREADABLE' })
  })

  it('without an end are not read to the end', async () => {
    const error = await loadContract('/dev/zero').catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'ERR_CONTRACT_INVALID', issues: [{ code: 'TOO_LARGE' }] })
  })
})
