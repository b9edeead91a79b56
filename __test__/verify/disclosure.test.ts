// SPDX-License-Identifier: Apache-2.0
// Fields that are shown apart from a receipt: the answers of crates/receipt/tests/disclosure.rs.
import { createHash, createPrivateKey, sign } from 'node:crypto'
import { expect, it } from 'vitest'
import { canonicalize } from '../../src/native.js'
import { KeySet, verifyDisclosed } from '../../src/verify/index.js'
import { vector } from './support/corpus.js'
import { TEST_KEY } from './support/seal.js'

interface Tree {
  readonly fields: number
  readonly receipt: object
  readonly disclosures: readonly object[]
}
const file = vector('receipts/acta/commitment-mode.json') as {
  readonly public_key_hex: string
  readonly trees: readonly Tree[]
  readonly must_fail_against_five_field_root: readonly {
    readonly why: string
    readonly disclosure: object
  }[]
}
const keys = await new KeySet().add(file.public_key_hex)
const five = file.trees.find(({ fields }) => fields === 5)
const last = JSON.stringify({ ...five?.disclosures.at(-1), leaf_bytes_utf8: '' })

async function codes(receipt: object | undefined, shown: string, by = keys): Promise<string[]> {
  const { fields } = await verifyDisclosed(JSON.stringify(receipt), by, shown)
  return fields.map(({ code }) => code)
}

it('every committed field verifies under its receipt', async () => {
  expect(file.trees.map(({ fields }) => fields)).toEqual([1, 2, 3, 4, 5, 7, 8])
  for (const { receipt, disclosures } of file.trees) {
    const want = disclosures.map(() => 'OK')
    expect(await codes(receipt, JSON.stringify(disclosures))).toEqual(want)
    expect(await codes(receipt, JSON.stringify({ disclosures }))).toEqual(want)
    const [first] = disclosures
    expect(await codes(receipt, JSON.stringify(first))).toEqual(['OK'])
  }
})

it('a field that was not committed so fails', async () => {
  const cases = file.must_fail_against_five_field_root
  const found: string[][] = []
  for (const { why, disclosure } of cases) {
    found.push([why, ...(await codes(five?.receipt, JSON.stringify(disclosure)))])
  }
  expect(found).toEqual([
    ['sibling flipped', 'ROOT_MISMATCH'],
    ['index off by one', 'PROOF_INVALID'],
    ['tree_size 8 (padded-tree assumption)', 'PROOF_INVALID'],
    ['extra sibling', 'PROOF_INVALID'],
    ['missing sibling', 'PROOF_INVALID'],
    ['wrong value', 'ROOT_MISMATCH'],
    ['cross-field name', 'ROOT_MISMATCH'],
    ['salt padded base64', 'SALT_ENCODING'],
    ['index negative', 'PROOF_INVALID'],
    ['index >= tree_size', 'PROOF_INVALID'],
  ])
})

const SALT = 'uoIHfl2TmzXXi21UhgjkQVv4FvPJt5u8fobp16Vp7mg'

it.each([
  ['', '', 'OK'],
  ['"name":', '"nom":', 'MALFORMED_DISCLOSURE'],
  ['"value":', '"values":', 'MALFORMED_DISCLOSURE'],
  ['"proof":', '"proofs":', 'MALFORMED_DISCLOSURE'],
  ['"salt":', '"salt":1,"salz":', 'MALFORMED_DISCLOSURE'],
  ['"index":4', '"index":4.5', 'MALFORMED_DISCLOSURE'],
  ['"index":4', '"index":"4"', 'MALFORMED_DISCLOSURE'],
  ['"siblings":["ae', '"siblings":["AE', 'MALFORMED_DISCLOSURE'],
  ['{', '{"name":"x",', 'MALFORMED_DISCLOSURE'],
  ['{', '', 'MALFORMED_DISCLOSURE'],
  [SALT, 'uoIHfl2TmzXXi21UhgjkQQ', 'ROOT_MISMATCH'],
  [SALT, 'uoIHfl2TmzXXi21Uhgjk', 'SALT_TOO_SHORT'],
])('%s changed to %s is %s', async (from, to, want) => {
  expect(last).toContain(from)
  expect(await codes(five?.receipt, last.replace(from, to))).toEqual([want])
})

it('of a receipt that is not valid, or has no root, nothing is said', async () => {
  expect(await codes(five?.receipt, last, new KeySet())).toEqual(['RECEIPT_NOT_VALID'])
  expect(await codes(signed('x'), last, await testKeys())).toEqual(['NO_COMMITTED_ROOT'])
  expect(await codes(five?.receipt, '{"disclosures":1}')).toEqual(['MALFORMED_DISCLOSURE'])
  expect(await codes(five?.receipt, '[]')).toEqual([])
})

async function testKeys(): Promise<KeySet> {
  return new KeySet().add(TEST_KEY.hex)
}

function signed(committed_fields_root: string): object {
  const issued_at = '2026-01-01T00:00:00Z'
  const payload = { type: 'a:b', issued_at, issuer_id: TEST_KEY.kid, committed_fields_root }
  const message = Buffer.from(canonicalize(JSON.stringify(payload)))
  const sig = sign(null, message, createPrivateKey(TEST_KEY.pem)).toString('hex')
  return { payload, signature: { alg: 'EdDSA', kid: TEST_KEY.kid, sig } }
}

const hash = (...parts: readonly (Buffer | string)[]) =>
  createHash('sha256')
    .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
    .digest()

// Whoever commits can put leaves in any order, or one name twice: only made fields show it.
it.each([
  ['a', 'b', 'OK'],
  ['b', 'a', 'FIELD_CONFLICT'],
  ['a', 'a', 'FIELD_CONFLICT'],
  // by their UTF-8 bytes, which is not the order of UTF-16
  ['\ufb33', '😀', 'OK'],
  ['😀', '\ufb33', 'FIELD_CONFLICT'],
  ['a', 'aa', 'OK'],
  ['aa', 'a', 'FIELD_CONFLICT'],
])('fields %s and %s in one tree are %s', async (first, second, want) => {
  const fields = [first, second].map((name, value) => ({ name, salt: SALT, value }))
  const leaves = fields.map((field) => hash('\0', JSON.stringify(field)))
  const shown = fields.map((field, index) => {
    const sibling = (leaves[1 - index] ?? hash()).toString('hex')
    const proof = { index, tree_size: 2, siblings: [sibling] }
    return { name: field.name, salt: SALT, value: field.value, proof }
  })
  const receipt = signed(hash('\u0001', ...leaves).toString('hex'))
  const by = await testKeys()
  expect(await codes(receipt, JSON.stringify(shown[0]), by)).toEqual(['OK'])
  const both = JSON.stringify([shown[1], shown[0], shown[0]])
  expect(await codes(receipt, both, by)).toEqual([want, want, want])
})
