// SPDX-License-Identifier: Apache-2.0
// Signatures are judged strictly, by the platform's equation as by our own.
import { generateKeyPairSync, sign } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fromHex, hex } from '../../src/verify/bytes.js'
import {
  type Claim,
  holds,
  holdsByNumbers,
  holdsByPlatform,
  isPlatformStrict,
} from '../../src/verify/ed25519/equation.js'
import {
  BASE,
  ORDER,
  decodePoint,
  isEncodedAs,
  isOfSmallOrder,
  mayEncodeLargePoint,
  sumOfProducts,
} from '../../src/verify/ed25519/point.js'
import { VerifyKeyError } from '../../src/verify/index.js'
import { VerifyingKey } from '../../src/verify/keys/verifying-key.js'
import { vector } from './support/corpus.js'

interface Wycheproof {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string }
    readonly publicKeyPem: string
    readonly tests: readonly { tcId: number; msg: string; sig: string; result: string }[]
  }[]
}
interface Acceptance {
  readonly speccheck: readonly {
    id: number
    pub: string
    msg: string
    sig: string
    dalek_verify_strict: boolean
  }[]
}

const bytes = (text: string) => fromHex(text, text.length / 2) ?? new Uint8Array()

/** The points of small order, in each of their encodings. */
const SMALL = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
]

describe('a signature', () => {
  it('of Wycheproof is judged as published', async () => {
    const { testGroups } = vector('receipts/ed25519/wycheproof.json') as Wycheproof
    const counts = { valid: 0, invalid: 0 }
    for (const { publicKey, publicKeyPem, tests } of testGroups) {
      const key = await VerifyingKey.read(publicKey.pk)
      expect((await VerifyingKey.read(publicKeyPem)).thumbprint).toBe(key.thumbprint)
      for (const { tcId, msg, sig, result } of tests) {
        const valid = await key.verify(bytes(msg), bytes(sig))
        expect(valid ? 'valid' : 'invalid', `${tcId}`).toBe(result)
        counts[valid ? 'valid' : 'invalid'] += 1
      }
    }
    expect(counts).toEqual({ valid: 88, invalid: 63 })
  })

  it('of Wycheproof with S below the order is judged alike by both equations', async () => {
    const { testGroups } = vector('receipts/ed25519/wycheproof.json') as Wycheproof
    const counts = { valid: 0, invalid: 0 }
    for (const { publicKey, tests } of testGroups) {
      const point = decodePoint(bytes(publicKey.pk))?.point ?? BASE
      for (const { tcId, msg, sig, result } of tests) {
        const [message, signature] = [bytes(msg), bytes(sig)]
        const isShort = BigInt(`0x0${hex(signature.slice(32).toReversed())}`) < ORDER
        if (signature.length !== 64 || !isShort) continue
        const claim = { bytes: bytes(publicKey.pk), point, message, signature }
        const by = [await holdsByNumbers(claim), await holdsByPlatform(claim)]
        expect(by, `${tcId}`).toEqual([result === 'valid', result === 'valid'])
        counts[by[0] === true ? 'valid' : 'invalid'] += 1
      }
    }
    expect(counts.valid).toBe(88)
    expect(counts.invalid).toBeGreaterThan(20)
  })

  it.each((vector('receipts/ed25519/acceptance.json') as Acceptance).speccheck)(
    'of edge case $id is accepted as verify_strict does',
    async ({ pub, msg, sig, dalek_verify_strict }) => {
      const key = await VerifyingKey.read(pub).catch((error: unknown) => error)
      const accepted =
        key instanceof VerifyingKey
          ? await key.verify(bytes(msg), bytes(sig))
          : !(key instanceof VerifyKeyError)
      expect(accepted).toBe(dalek_verify_strict)
    },
  )

  it('that holds with the cofactor only is refused by our own equation', async () => {
    const { speccheck } = vector('receipts/ed25519/acceptance.json') as Acceptance
    const cases = speccheck.filter(({ id }) => [3, 4, 5].includes(id))
    const held: boolean[] = []
    for (const { pub, msg, sig } of cases) {
      const point = decodePoint(bytes(pub))?.point ?? BASE
      held.push(
        await holdsByNumbers({
          bytes: bytes(pub),
          point,
          message: bytes(msg),
          signature: bytes(sig),
        }),
      )
    }
    expect(held).toEqual([true, false, false])
  })

  it('by a key of Node is accepted, and no change of a bit of it', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const key = await VerifyingKey.read(
      publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    )
    const message = bytes('00ff')
    const signature = new Uint8Array(sign(null, message, privateKey))
    expect(await key.verify(message, signature)).toBe(true)
    for (let bit = 0; bit < 512; bit += 1) {
      const other = signature.slice()
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(await key.verify(message, other), `bit ${bit}`).toBe(false)
    }
    expect(await key.verify(bytes('00fe'), signature)).toBe(false)
    expect(await key.verify(message, signature.slice(1))).toBe(false)
  })
})

describe('the equation', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(12))
  const message = new Uint8Array([1, 2, 3])
  const claim: Claim = {
    bytes: raw,
    point: decodePoint(raw)?.point ?? BASE,
    message,
    signature: new Uint8Array(sign(null, message, privateKey)),
  }

  afterEach(() => vi.unstubAllGlobals())

  it.each([
    [1, 'with a navigator', { navigator: {} }],
    [0, 'of Node 20, which may warn', {}],
  ])('is checked by the platform %i times where it is one %s', async (calls, _, globals) => {
    expect(await isPlatformStrict()).toBe(true)
    vi.stubGlobal('navigator', undefined)
    Reflect.deleteProperty(globalThis, 'navigator')
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value)
    await holds(claim)
    const spy = vi.spyOn(crypto.subtle, 'verify')
    expect(await holds(claim)).toBe(true)
    expect(spy).toHaveBeenCalledTimes(calls)
  })

  it.each<[string, (...args: never[]) => Promise<unknown>]>([
    ['has no Ed25519', async () => Promise.reject(new Error('NotSupportedError'))],
    ['accepts everything', async () => Promise.resolve(true)],
    ['accepts nothing', async () => Promise.resolve(false)],
  ])('is our own where the platform %s', async (_, answer) => {
    vi.stubGlobal('navigator', {})
    const spy = vi.spyOn(crypto.subtle, 'verify').mockImplementation(answer as never)
    expect(await isPlatformStrict()).toBe(false)
    vi.resetModules()
    const { holds: judge } = await import('../../src/verify/ed25519/equation.js')
    expect(await judge(claim)).toBe(true)
    const asked = spy.mock.calls.length
    expect(await judge({ ...claim, message: new Uint8Array([1, 2]) })).toBe(false)
    expect(spy.mock.calls.length).toBe(asked)
  })
})

describe('a point', () => {
  it.each(SMALL)('of small order is no key: %s', async (text) => {
    const decoded = decodePoint(bytes(text))
    expect(decoded && isOfSmallOrder(decoded.point)).toBe(true)
    expect(mayEncodeLargePoint(bytes(text))).toBe(false)
    await expect(VerifyingKey.read(text)).rejects.toMatchObject({ code: 'ERR_KEY_SMALL_ORDER' })
  })

  it.each([
    // y = p + 3: of large order, but not in its one encoding
    ['f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', false],
    // y = 2 is on no point
    ['0200000000000000000000000000000000000000000000000000000000000000', true],
  ])('that is not canonically encoded is no key: %s', async (text, may) => {
    expect(mayEncodeLargePoint(bytes(text))).toBe(may)
    await expect(VerifyingKey.read(text)).rejects.toMatchObject({ code: 'ERR_KEY_MALFORMED' })
  })

  it('that is the same, canonically encoded, is a key', async () => {
    const key = await VerifyingKey.read(`03${'00'.repeat(31)}`)
    expect(hex(key.bytes)).toBe(`03${'00'.repeat(31)}`)
  })

  it('has the order of the group', () => {
    const identity = sumOfProducts(ORDER, BASE, 0n, BASE)
    expect([identity.x, identity.y === identity.z]).toEqual([0n, true])
    const twice = sumOfProducts(1n, BASE, 1n, BASE)
    expect(
      isEncodedAs(twice, bytes('c9a3f86aae465f0e56513864510f3997561fa2c9e85ea21dc2292309f3cd6022')),
    ).toBe(true)
    expect(isEncodedAs(twice, bytes('58' + '66'.repeat(31)))).toBe(false)
  })
})
