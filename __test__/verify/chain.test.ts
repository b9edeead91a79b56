// SPDX-License-Identifier: Apache-2.0
// Chains: recorded ones, ledgers of ours with every manipulation, and a checkpoint beside them. The
// answers are those of crates/receipt.
import { createHash, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  type ChainOptions,
  KeySet,
  type OpenedCheckpoint,
  type SetVerdict,
  leafHash,
  openCheckpointBy,
  verifyChain,
} from '../../src/verify/index.js'
import { vector } from './support/corpus.js'
import { LEDGER, Ledger, digest, ledger, privateKey } from './support/ledger.js'
import { TEST_KEY } from './support/seal.js'

type Texts = readonly string[]

const keys = await new KeySet().add(TEST_KEY.hex)

/** The set's code, receipts that are not valid by theirs, and findings; numbers from 0. */
async function judge(texts: Texts, options: ChainOptions = {}): Promise<string> {
  const { receipts, set } = await verifyChain(texts, keys, options)
  const bad = receipts.flatMap(({ code }, at) => (code === 'OK' ? [] : [`${code}@${at}`]))
  const found = set.findings.map(({ code, number }) => `${code}@${(number ?? 1) - 1}`)
  return [set.code, ...bad, ...found].join(' ')
}

async function verdictOf(texts: Texts, options: ChainOptions = {}): Promise<SetVerdict> {
  return (await verifyChain(texts, keys, options)).set
}

const DRAFT: readonly (readonly [string, string])[] = [
  ['conv: draft-03/04', 'OK'],
  ['conv: draft-02 bare hex', 'OK'],
  [
    'conv: agt skill / swarms b64url(receipt)',
    'RECEIPT_INVALID SCHEMA_INVALID@1 SCHEMA_INVALID@2 SCHEMA_INVALID@3 CHAIN_BROKEN@1 CHAIN_BROKEN@2 CHAIN_BROKEN@3',
  ],
  [
    'conv: sdk-js/py sha256:hex(payload)',
    'CHAIN_BROKEN CHAIN_BROKEN@1 CHAIN_BROKEN@2 CHAIN_BROKEN@3',
  ],
  [
    'conv: protect-mcp<0.10 hex(payload)',
    'CHAIN_BROKEN CHAIN_BROKEN@1 CHAIN_BROKEN@2 CHAIN_BROKEN@3',
  ],
  [
    'conv: marques-07 hex(envelope minus signature)',
    'CHAIN_BROKEN CHAIN_BROKEN@1 CHAIN_BROKEN@2 CHAIN_BROKEN@3',
  ],
  ['genesis-null', 'RECEIPT_INVALID SCHEMA_INVALID@0 CHAIN_BROKEN@0'],
  ['genesis-zeros', 'CHAIN_BROKEN CHAIN_BROKEN@0'],
  ['unknown-hash-prefix', 'RECEIPT_INVALID SCHEMA_INVALID@1 CHAIN_BROKEN@1'],
  ['truncated', 'OK'],
  ['middle-removed', 'CHAIN_BROKEN CHAIN_BROKEN@2'],
  ['reordered', 'CHAIN_ORDER CHAIN_ORDER@1'],
  ['resigned-predecessor', 'RECEIPT_INVALID ISSUER_MISMATCH@0 CHAIN_BROKEN@1'],
  ['fork', 'CHAIN_FORK CHAIN_FORK@3'],
]

const AGT: readonly (readonly [string, string])[] = [
  ['valid-8', 'OK'],
  ['truncated-tail', 'OK'],
  ['truncated-to-empty', 'EMPTY'],
  ['dropped-head', 'CHAIN_GAP CHAIN_GAP@0'],
  ['dropped-middle', 'CHAIN_BROKEN CHAIN_BROKEN@3'],
  ['swapped', 'CHAIN_ORDER CHAIN_ORDER@1'],
  ['duplicated', 'CHAIN_DUPLICATE CHAIN_DUPLICATE@3'],
  ['tampered-payload', 'RECEIPT_INVALID INVALID_SIGNATURE@2 CHAIN_BROKEN@3'],
  ['tampered-kid', 'CHAIN_BROKEN UNKNOWN_KEY@2 CHAIN_BROKEN@3'],
  ['kid-removed-last-covered', 'CHAIN_BROKEN MALFORMED_SIGNATURE@2 CHAIN_BROKEN@3'],
  ['tampered-kid-on-head', 'UNKNOWN_KEY UNKNOWN_KEY@7'],
  ['fork-branch-A', 'OK'],
  ['fork-branch-B', 'OK'],
  ['two-genesis-concatenated', 'CHAIN_BROKEN CHAIN_BROKEN@2'],
]

const SB_RUNTIME: readonly (readonly [string, string])[] = [
  ['valid-4', 'OK'],
  ['truncated-tail', 'OK'],
  ['dropped-head', 'CHAIN_GAP CHAIN_GAP@0'],
  ['dropped-middle', 'CHAIN_GAP CHAIN_GAP@1'],
  ['swapped', 'CHAIN_ORDER CHAIN_ORDER@0'],
  ['flip-decision', 'RECEIPT_INVALID INVALID_SIGNATURE@1 CHAIN_BROKEN@2'],
  ['unknown-payload-field-injected', 'RECEIPT_INVALID INVALID_SIGNATURE@0 CHAIN_BROKEN@1'],
  ['unknown-action-field-injected', 'RECEIPT_INVALID INVALID_SIGNATURE@0 CHAIN_BROKEN@1'],
  ['unknown-envelope-field', 'RECEIPT_UNDECIDABLE UNKNOWN_FORMAT@0'],
  ['policy_id-removed', 'RECEIPT_INVALID INVALID_SIGNATURE@0 CHAIN_BROKEN@1'],
  ['sig-uppercase', 'RECEIPT_INVALID SIGNATURE_ENCODING@1'],
  ['pubkey-changed-second', 'CHAIN_GAP UNKNOWN_KEY@1 CHAIN_GAP@2'],
  ['last-signature-wrong', 'RECEIPT_INVALID INVALID_SIGNATURE@3'],
  [
    'whole-chain-resigned-by-attacker',
    'UNKNOWN_KEY UNKNOWN_KEY@0 UNKNOWN_KEY@1 UNKNOWN_KEY@2 UNKNOWN_KEY@3',
  ],
]

function cases(file: string, member: string): readonly { name: string; texts: Texts }[] {
  type Cases = Readonly<Record<string, readonly { name: string; texts: Texts }[]>>
  const read = vector(`receipts/${file}`) as Cases
  return read[member] ?? []
}

describe('a recorded chain', () => {
  it.each([
    ['chains/draft.json', 'chains', DRAFT],
    ['chains/agt.json', 'chains', AGT],
    ['legacy/sb-runtime.json', 'cases', SB_RUNTIME],
  ])('of %s is judged by its own rule of linking', async (file, member, want) => {
    const got: (readonly [string, string])[] = []
    for (const { name, texts } of cases(file, member)) got.push([name, await judge(texts)])
    expect(got).toEqual(want)
  })

  it('has an order only where one was given', async () => {
    const { texts } = cases('chains/agt.json', 'chains').find(({ name }) => name === 'swapped') ?? {
      texts: [],
    }
    expect(texts.length).toBeGreaterThan(2)
    expect(await judge(texts, { sequence: 'unordered' })).toBe('OK')
  })

  it('that names the payload instead of the whole receipt is told so', async () => {
    const conventions: (string | null)[] = []
    for (const { name, texts } of cases('chains/draft.json', 'chains')) {
      if (!name.startsWith('conv:')) continue
      const { chains } = await verdictOf(texts)
      conventions.push(chains[0]?.convention ?? null)
    }
    const unsigned = 'the digest of the receipt without its signature'
    const payload = "the payload's digest"
    expect(conventions).toEqual([null, null, null, payload, payload, unsigned])
  })
})

describe('a ledger', () => {
  const whole = ledger().entries

  it('that is whole holds, and its tail is not vouched for', async () => {
    const set = await verdictOf(whole)
    expect(set).toEqual({
      status: 'valid',
      code: 'OK',
      detail: 'all 5 receipts are valid, and so is what joins them',
      exit_code: 0,
      counts: {
        receipts: 5,
        valid: 5,
        invalid: 0,
        undecidable: 0,
        bare_links: 0,
        key_not_established: 5,
      },
      completeness: { kind: 'integrity_only' },
      chains: [
        {
          id: `ledger:${LEDGER}`,
          receipts: 5,
          first_seq: 1,
          last_seq: 5,
          head: digest(whole[4] ?? ''),
          issuers: [TEST_KEY.kid],
          issuer_changes: 0,
          open_runs: 0,
          parts: 1,
          clock_steps_back: 0,
          convention: null,
        },
      ],
      findings: [],
    })
  })

  it.each([
    [[1, 2, 3], 'OK'],
    [[2, 3, 4, 5], 'CHAIN_GAP CHAIN_GAP@0'],
    [[1, 2, 4, 5], 'CHAIN_GAP CHAIN_GAP@2'],
    [[1, 3, 2, 4, 5], 'CHAIN_ORDER CHAIN_ORDER@1'],
    [[5, 4, 3, 2, 1], 'CHAIN_ORDER CHAIN_ORDER@3 CHAIN_ORDER@2 CHAIN_ORDER@1 CHAIN_ORDER@0'],
    [[1, 2, 3, 3, 4, 5], 'CHAIN_DUPLICATE CHAIN_DUPLICATE@3'],
  ])('with the entries %j is judged %s', async (order, want) => {
    expect(await judge(order.map((at) => whole[at - 1] ?? ''))).toBe(want)
  })

  it('with two histories is a fork, and a forged link is broken', async () => {
    const [one, other] = [ledger(), ledger()]
    one.decide('run_4', 'deny')
    other.decide('run_5', 'deny')
    expect(await judge([...one.entries, ...other.entries.slice(5)])).toBe('CHAIN_FORK CHAIN_FORK@6')
    other.entries[4] = 'another one'
    other.entries.pop()
    other.decide('run_6', 'deny')
    expect(await judge([...one.entries.slice(0, 5), ...other.entries.slice(5)])).toBe(
      'CHAIN_BROKEN CHAIN_BROKEN@5',
    )
  })

  it('that is a mixture of two is judged as two', async () => {
    const other = new Ledger('b'.repeat(32))
    other.decide('run_1', 'deny')
    const set = await verdictOf([...whole, ...other.entries])
    expect([set.code, set.chains.map(({ id }) => id)]).toEqual([
      'OK',
      [`ledger:${LEDGER}`, `ledger:${'b'.repeat(32)}`],
    ])
  })

  it.each<[string, (made: Ledger) => void, string]>([
    [
      'names a decision of another run',
      (made) => made.execute('run_5', made.decide('run_4', 'allow')),
      'DECISION_MISMATCH@6',
    ],
    [
      'names a denial',
      (made) => made.execute('run_4', made.decide('run_4', 'deny')),
      'DECISION_MISMATCH@6',
    ],
    [
      'is the second of its decision',
      (made) => {
        const decision = made.decide('run_4', 'allow')
        made.execute('run_4', decision)
        made.execute('run_4', decision)
      },
      'DECISION_MISMATCH@7',
    ],
    [
      'names what is not there',
      (made) => made.execute('run_4', `sha256:${'f'.repeat(64)}`),
      'DECISION_MISMATCH@5',
    ],
    [
      'names an execution',
      (made) => made.execute('run_4', `sha256:${digest(made.entries[1] ?? '')}`),
      'DECISION_MISMATCH@5',
    ],
  ])('whose execution %s is refused', async (_, forge, want) => {
    const made = ledger()
    forge(made)
    expect(await judge(made.entries)).toBe(`DECISION_MISMATCH ${want}`)
  })

  it('with a decision that was not carried out says so', async () => {
    const made = ledger()
    made.decide('run_4', 'allow')
    const { code, chains } = await verdictOf(made.entries)
    expect([code, chains[0]?.open_runs]).toEqual(['OK', 1])
  })
})

/** Returns the root over entries, recursively as RFC 6962 has it. */
async function rootOf(entries: Texts): Promise<Buffer> {
  const [only] = entries
  if (only === undefined) return createHash('sha256').digest()
  if (entries.length === 1) return Buffer.from(await leafHash(Buffer.from(digest(only), 'hex')))
  let split = 1
  while (split * 2 < entries.length) split *= 2
  const [left, right] = [await rootOf(entries.slice(0, split)), await rootOf(entries.slice(split))]
  return createHash('sha256')
    .update(Buffer.concat([Buffer.of(1), left, right]))
    .digest()
}

async function checkpointOf(entries: Texts, id = LEDGER): Promise<OpenedCheckpoint> {
  const origin = `ambit-ledger/${id}`
  const text = `${origin}\n${entries.length}\n${(await rootOf(entries)).toString('base64')}\n`
  const input = Buffer.concat([Buffer.from(`${origin}\n\u0001`), Buffer.from(TEST_KEY.hex, 'hex')])
  const keyId = createHash('sha256').update(input).digest().subarray(0, 4)
  const signed = Buffer.concat([keyId, sign(null, Buffer.from(text), privateKey)])
  const note = `${text}\n— ${origin} ${signed.toString('base64')}\n`
  return openCheckpointBy(note, [TEST_KEY.hex])
}

describe('beside a checkpoint', () => {
  const whole = ledger().entries
  const longer = ledger()
  longer.decide('run_4', 'deny')
  const other = ledger()
  other.entries.pop()
  other.decide('run_9', 'deny')

  it.each([1, 2, 3, 4, 5])('of %i entries a ledger that has them is complete', async (size) => {
    const checkpoint = await checkpointOf(whole.slice(0, size))
    const set = await verdictOf(whole, { checkpoint })
    const origin = `ambit-ledger/${LEDGER}`
    const want = { kind: 'complete_to_checkpoint', origin, size, beyond: 5 - size, witnesses: [] }
    expect([set.code, set.completeness]).toEqual(['OK', want])
  })

  it.each<[string, Texts, string]>([
    ['that was truncated', whole.slice(0, 3), 'CHAIN_TRUNCATED CHAIN_TRUNCATED@0'],
    ['that went on otherwise', other.entries, 'LOG_FORKED LOG_FORKED@0'],
    ['without its beginning', whole.slice(1), 'CHAIN_GAP CHAIN_GAP@0 CHAIN_GAP@0'],
    ['that is empty', [], 'CHAIN_TRUNCATED CHAIN_TRUNCATED@0'],
  ])('a ledger %s is not complete', async (_, entries, want) => {
    const checkpoint = await checkpointOf(whole)
    expect(await judge(entries, { checkpoint })).toBe(want)
    const { completeness, status } = await verdictOf(entries, { checkpoint })
    expect([completeness, status]).toEqual([{ kind: 'not_complete' }, 'incomplete'])
  })

  it('of another ledger nothing is complete', async () => {
    const checkpoint = await checkpointOf(whole, 'b'.repeat(32))
    expect(await judge(whole, { checkpoint })).toBe('CHECKPOINT_UNUSED CHECKPOINT_UNUSED@0')
  })
})
