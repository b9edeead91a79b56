// SPDX-License-Identifier: Apache-2.0
// Of receipts as a set, too, the JavaScript verifier says what the addon says.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { verify } from '../../src/index.js'
import { KeySet, verifyChain } from '../../src/verify/index.js'
import { vector } from './support/corpus.js'
import { Ledger, ledger } from './support/ledger.js'
import { pick, random, remember } from './support/mutate.js'
import { TEST_KEY } from './support/seal.js'

type Texts = readonly string[]

let folder = ''
let path = ''
const keys = await new KeySet().add(TEST_KEY.hex)

beforeAll(() => {
  vi.stubGlobal('navigator', {})
  folder = mkdtempSync(join(tmpdir(), 'ambit-chains-'))
  path = join(folder, 'key.hex')
  writeFileSync(path, TEST_KEY.hex)
})
afterAll(() => {
  vi.unstubAllGlobals()
  rmSync(folder, { recursive: true, force: true })
})

/** Both answers where they differ. */
async function difference(texts: Texts): Promise<readonly unknown[]> {
  const theirs = await verify(Buffer.from(texts.map((text) => `${text}\n`).join('')), {
    keys: [{ path }],
  })
  const ours = await verifyChain(texts, keys)
  const { counts, findings, findings_total, ...set } = theirs.set
  const { dated_later, unreadable, ...counted } = counts
  const found = findings.map(({ code, number, chain, detail }) => ({ code, number, chain, detail }))
  const want = {
    receipts: theirs.receipts.map(({ verdict }) => verdict),
    set: { ...set, counts: counted, findings: found },
  }
  const rest = [findings_total - found.length, dated_later, unreadable]
  const same = isDeepStrictEqual(ours, want) && isDeepStrictEqual(rest, [0, 0, 0])
  return same ? [] : [{ texts, ours, want, rest }]
}

/** Receipts of every kind of chain, each on one line. */
function pools(): readonly Texts[] {
  const files: readonly (readonly [string, string])[] = [
    ['chains/draft.json', 'chains'],
    ['chains/agt.json', 'chains'],
    ['legacy/sb-runtime.json', 'cases'],
  ]
  const recorded = files.flatMap(([file, name]) => {
    const read = vector(`receipts/${file}`) as Record<string, readonly { texts: Texts }[]>
    return (read[name] ?? []).map(({ texts }) => texts)
  })
  const forked = ledger()
  forked.entries.pop()
  forked.decide('run_7', 'allow')
  forked.execute('run_7', `sha256:${'0'.repeat(64)}`)
  const other = new Ledger('b'.repeat(32))
  other.execute('run_1', other.decide('run_1', 'allow'))
  const isLine = (texts: Texts) => texts.length > 0 && !texts.join('').includes('\n')
  const ours: readonly Texts[] = [
    ledger().entries,
    [...ledger().entries, ...forked.entries],
    other.entries,
  ]
  return [...ours, ...recorded].filter(isLine)
}

/** Leaves out, repeats, moves and changes some of the receipts. */
function shuffle(texts: Texts, next: () => number): Texts {
  const kept = texts.flatMap((text) => {
    switch (next() % 12) {
      case 0:
        return []
      case 1:
        return [text, text]
      case 2:
        return [JSON.stringify(remember(JSON.parse(text) as object, next))]
      default:
        return [text]
    }
  })
  if (next() % 2 === 0) return kept
  const [from, to] = [next() % (kept.length + 1), next() % (kept.length + 1)]
  const moved = kept.slice(from, from + 1)
  return kept.toSpliced(from, 1).toSpliced(to, 0, ...moved)
}

describe('of a set', () => {
  it('the recorded chains are judged alike', async () => {
    const differences: unknown[] = []
    const some = pools().filter((texts) => texts.length > 1)
    for (const texts of some) differences.push(...(await difference(texts)))
    expect(differences).toEqual([])
    expect(some.length).toBeGreaterThan(30)
  })

  it('chains that were tampered with are judged alike', async () => {
    const next = random(11)
    const differences: unknown[] = []
    const codes = new Set<string>()
    const all = pools()
    for (let count = 0; count < 150; count += 1) {
      const both = next() % 4 === 0 ? [...pick(next, all), ...pick(next, all)] : pick(next, all)
      const texts = shuffle(both, next)
      // a document alone is judged without its chain
      if (texts.length < 2) continue
      differences.push(...(await difference(texts)))
      codes.add((await verifyChain(texts, keys)).set.code)
    }
    expect(differences).toEqual([])
    expect(codes.size).toBeGreaterThan(5)
  })
})
