// SPDX-License-Identifier: Apache-2.0
// Recorded attacks that are documents: receipts that must not be valid, contracts and policies that must
// not be read.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AmbitError, parseContract, parsePolicy, verifyReceipt } from '../../../dist/index.js'
import { commandOf, contractOf } from './documents.js'
import { root } from './installed.js'

const csc = join(root, '__test__/vectors/receipts/csc')

/** Verifies a recorded receipt under the key that csc-runner was given. */
export async function verdictOn(name: string, key = 'vec-key-1.pub.raw'): Promise<string> {
  const receipt = readFileSync(join(csc, 'tampered', `${name}.json`))
  const [id = ''] = key.split('.')
  const verdict = await verifyReceipt(receipt, { keys: [{ path: join(csc, 'keys', key), id }] })
  return `${verdict.status} ${verdict.code}`
}

/** Answers of our verifier to recorded receipts; the key is the second word. */
export const VERDICTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'atk-116 a signed receipt': { '00-baseline': 'valid OK' },
  'atk-117 a receipt without its null': { '23-null-dropped': 'invalid INVALID_SIGNATURE' },
  'atk-119 minus zero': { '52-neg0': 'invalid NON_CANONICAL' },
  'atk-120 base64 with other bits': { '42-sig-malleated': 'invalid SIGNATURE_ENCODING' },
  'atk-121 signed, and no receipt': { '64-not-a-receipt': 'invalid SCHEMA_INVALID' },
  'atk-122 success with exit code 5': { '65-inconsistent': 'invalid SCHEMA_INVALID' },
  'atk-125 S + L': { '43-sig-s-plus-L': 'invalid INVALID_SIGNATURE' },
  'atk-126 another key id, time, algorithm': {
    '34-keyid vec-key-2.pub.raw': 'invalid INVALID_SIGNATURE',
    '37-signed_at': 'invalid INVALID_SIGNATURE',
    '32-alg': 'invalid UNSUPPORTED_ALGORITHM',
  },
  'atk-128 a key in PEM': { '63-pem-pub vec-key-1.public.pem': 'valid OK' },
}

const sampleContract = () =>
  JSON.stringify(contractOf([commandOf({ argv: ['true'], cwd: '/srv' })]))

/** Documents that csc-runner reads, or falls over. */
export const REFUSED: Readonly<Record<string, () => unknown>> = {
  'atk-133 a contract with a name twice': () => {
    const twice = sampleContract().replace('"argv":["true"]', '"argv":["true"],"argv":["rm"]')
    return parseContract(Buffer.from(twice), 'c')
  },
  'atk-134 a contract against its published schema': () =>
    parseContract(
      Buffer.from(sampleContract().replace('"timeout_sec":20', '"timeout_sec":"20"')),
      'c',
    ),
  'atk-135 more than 200 arguments': () => {
    const argv = Array.from({ length: 201 }, () => 'x')
    return parseContract(
      Buffer.from(JSON.stringify(contractOf([commandOf({ argv, cwd: '/' })]))),
      'c',
    )
  },
  'atk-138 deep nesting': () =>
    parseContract(Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), 'c'),
  'atk-138 deep nesting in YAML': () => parsePolicy(Buffer.from(`a: ${'['.repeat(20_000)}`), 'p'),
  'atk-138 a list as a name': () => parsePolicy(Buffer.from('? [a]\n: b\n'), 'p'),
  'atk-139 a bomb of aliases': () => {
    const list = (name: string) => Array.from({ length: 9 }, () => `*${name}`).join(', ')
    const lines = Array.from(
      { length: 20 },
      (_, at) => `a${at + 1}: &a${at + 1} [${list(`a${at}`)}]`,
    )
    return parsePolicy(Buffer.from(['a0: &a0 [x]', ...lines].join('\n')), 'p')
  },
}

/** Says as what a document is refused. */
export function refused(read: () => unknown): string {
  const start = performance.now()
  try {
    read()
    return 'read'
  } catch (error) {
    if (performance.now() - start > 1000) return 'too slow'
    return error instanceof AmbitError ? error.code : String(error)
  }
}
