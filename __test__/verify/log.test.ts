// SPDX-License-Identifier: Apache-2.0
// Proofs, notes, checkpoints and cosignatures: the published vectors, and what must be refused.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  LogError,
  NoteKey,
  leafHash,
  openCheckpoint,
  openCheckpointBy,
  openNote,
  parseCheckpoint,
  parseProof,
  verifyConsistency,
  verifyCosignatures,
  verifyInclusion,
  verifyProof,
  verifySubtreeConsistency,
  verifySubtreeInclusion,
} from '../../src/verify/index.js'

const testdata = join(import.meta.dirname, '../vectors/merkle/testdata')

interface Case {
  readonly wantErr: boolean
  readonly proof: readonly string[] | null
  readonly [name: string]: unknown
}

/** Returns a case; numbers beyond 2^53 are kept as they are. */
function readCase(path: string): Case {
  const text = readFileSync(path, 'utf8').replaceAll(/: (\d{16,})/gu, ': "$1"')
  return JSON.parse(text) as Case
}

const number = (value: unknown) => BigInt(String(value))
const bytes = (value: unknown) =>
  new Uint8Array(Buffer.from(typeof value === 'string' ? value : '', 'base64'))

async function check(kind: string, one: Case, proof: readonly Uint8Array[]): Promise<void> {
  const { leafIdx, treeSize, leafHash: leaf, root, root1, root2, size1, size2 } = one
  const part = { start: number(one['start'] ?? 0), end: number(one['end'] ?? 0) }
  const roots = { root1: bytes(root1), root2: bytes(root2) }
  const leafOf = { index: number(leafIdx ?? 0), leaf: bytes(leaf), root: bytes(root) }
  if (kind === 'inclusion') return verifyInclusion({ ...leafOf, size: number(treeSize) }, proof)
  if (kind === 'subtreeinclusion') return verifySubtreeInclusion({ ...leafOf, ...part }, proof)
  if (kind === 'consistency') {
    return verifyConsistency({ size1: number(size1), size2: number(size2), ...roots }, proof)
  }
  return verifySubtreeConsistency({ ...part, size: number(one['size']), ...roots }, proof)
}

async function refusal(checked: Promise<unknown>): Promise<string> {
  try {
    await checked
    return 'holds'
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    return `${error.code}: ${error.message}`
  }
}

const SIZE = 'ERR_LEDGER_PROOF: a hash of the proof is not 32 bytes long'
const LENGTH = 'ERR_LEDGER_PROOF: the proof has too few or too many hashes'
const RANGE = 'ERR_LEDGER_PROOF: the proof is about leaves that the tree does not have'
const ROOT = 'ERR_LEDGER_PROOF: the proof leads to another root'

describe('a proof', () => {
  // the counts are those of crates/receipt
  it.each([
    ['consistency', { holds: 6, [SIZE]: 11, [LENGTH]: 46, [RANGE]: 9, [ROOT]: 26 }],
    ['inclusion', { holds: 6, [SIZE]: 18, [LENGTH]: 26, [RANGE]: 17, [ROOT]: 31 }],
    ['subtreeconsistency', { holds: 12, [SIZE]: 12, [LENGTH]: 52, [RANGE]: 12, [ROOT]: 30 }],
    ['subtreeinclusion', { holds: 12, [SIZE]: 36, [LENGTH]: 52, [RANGE]: 42, [ROOT]: 62 }],
  ])('of %s holds or fails as its vector says', async (kind, want) => {
    const counts: Record<string, number> = {}
    const wrong: string[] = []
    const folder = join(testdata, kind)
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.json')) continue
      const one = readCase(join(folder, name))
      const answer = await refusal(check(kind, one, (one.proof ?? []).map(bytes)))
      counts[answer] = (counts[answer] ?? 0) + 1
      if ((answer !== 'holds') !== one.wantErr) wrong.push(name)
    }
    expect(wrong).toEqual([])
    expect(counts).toEqual(want)
  })

  it.each(['consistency', 'inclusion'])('of %s fails with any one bit changed', async (kind) => {
    const folder = join(testdata, kind)
    let changed = 0
    const answers = new Set<string>()
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.json')) continue
      const one = readCase(join(folder, name))
      if (one.wantErr) continue
      const proof = (one.proof ?? []).map(bytes)
      for (const [place, hash] of proof.entries()) {
        for (let bit = 0; bit < 256; bit += 1) {
          const other = hash.slice()
          other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          answers.add(await refusal(check(kind, one, proof.with(place, other))))
          changed += 1
        }
      }
    }
    expect([...answers]).toEqual([ROOT])
    expect(changed).toBeGreaterThan(1000)
  })

  it.each<[string, number | bigint]>([
    ['a negative number', -1],
    ['a fraction', 0.5],
    ['a number beyond 2^53', 2 ** 60],
    ['a number beyond 2^64', 1n << 64n],
    ['no number', Number.NaN],
  ])('about %s is refused', async (_, index) => {
    const hash = new Uint8Array(32)
    const about = { index, size: 1, leaf: hash, root: hash }
    expect(await refusal(verifyInclusion(about, []))).toBe(RANGE)
    expect(await refusal(verifyInclusion({ ...about, index: 0, size: index }, []))).toBe(RANGE)
    expect(await refusal(verifyInclusion({ ...about, index: 0 }, []))).toBe('holds')
  })
})

/** A key of the tests, from its seed. */
function testKey(seed: number) {
  const head = Buffer.from('302e020100300506032b657004220420', 'hex')
  const der = Buffer.concat([head, Buffer.alloc(32, seed)])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const pem = createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString()
  return { pem, sign: (text: Uint8Array | string) => sign(null, Buffer.from(text), key) }
}

const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const PETER_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const PETER =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
const ENOCH_KEY = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop'
const ENOCH =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n'

const keys = async (...vkeys: readonly string[]) =>
  Promise.all(vkeys.map(async (vkey) => NoteKey.parse(vkey)))

const MALFORMED = 'ERR_LEDGER_NOTE: not a signed note'

describe('a note', () => {
  it('of the specification is verified', async () => {
    const note =
      'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'
    const trusted = await keys(
      'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    )
    const opened = await openNote(note, trusted)
    expect([opened.note.text, opened.signers]).toEqual(['This is an example message.\n', trusted])
  })

  it('of Go is verified by those keys that are trusted', async () => {
    const both = await keys(PETER_KEY, ENOCH_KEY)
    const note = Buffer.from(`${TEXT}\n${PETER}${ENOCH}`)
    expect((await openNote(note, both)).signers).toEqual(both)
    expect((await openNote(note, both.slice(1))).signers).toEqual(both.slice(1))
    const none = 'ERR_LEDGER_NOTE_SIGNATURE: no trusted key signed the note'
    expect(await refusal(openNote(note, []))).toBe(none)
    // by an unknown key, with a known one's name
    const renamed = `${TEXT}\n${ENOCH.replace('EnochRoot', 'PeterNeumann')}`
    expect(await refusal(openNote(renamed, both))).toBe(none)
  })

  it('with a wrong signature in a known name is refused as a whole', async () => {
    const both = await keys(PETER_KEY, ENOCH_KEY)
    const wrong = (name: string) =>
      `ERR_LEDGER_NOTE_SIGNATURE: the signature of \`${name}\` is not that of its key over this text`
    for (const text of [TEXT.replace("don't", 'do'), `${TEXT}more\n`, `\n${TEXT}`]) {
      expect(await refusal(openNote(`${text}\n${PETER}`, both))).toBe(wrong('PeterNeumann'))
    }
    // Peter's holds, Enoch's is of another length
    const longer = `${TEXT}\n${PETER}${ENOCH.replace('rwz+eBzm', 'rwz+eBzmABCD')}`
    expect(await refusal(openNote(longer, both))).toBe(wrong('EnochRoot'))
    expect((await openNote(longer, both.slice(0, 1))).signers).toEqual(both.slice(0, 1))
  })

  const good = `${TEXT}\n${PETER}`
  it.each([
    '',
    TEXT,
    `${TEXT}\n`,
    good.trimEnd(),
    `${good}\n`,
    `${good} `,
    `\u0001${good}`,
    `\ud800${good}`,
    `${TEXT}\r\n\n${PETER}`,
    `${TEXT}\n${PETER}Unexpected line.\n`,
    `${TEXT}\n${PETER.replace('—', '-')}`,
    `${TEXT}\n${PETER.replace('PeterNeumann', 'Bad Name')}`,
    `${TEXT}\n${PETER.replace('PeterNeumann', 'a+b')}`,
    `${TEXT}\n${PETER.replace('PeterNeumann', 'a\u00a0b')}`,
    `${TEXT}\n${PETER.replace('PeterNeumann', 'a\u0085b')}`,
    `${TEXT}\n${PETER.replace('PeterNeumann', '')}`,
    `${TEXT}\n${PETER.replace('AM=', 'AM')}`,
    `${TEXT}\n${PETER.replace('AM=', 'AN=')}`,
    `${TEXT}\n— a x08gow==\n`,
    `${PETER}\n`,
  ])('is not %j', async (text) => {
    expect(await refusal(openNote(text, await keys(PETER_KEY)))).toBe(MALFORMED)
  })

  it('is not what is no UTF-8, or has too much of something', async () => {
    const trusted = await keys(PETER_KEY)
    expect(await refusal(openNote(new Uint8Array([0xff, 0x0a, 0x0a]), trusted))).toBe(MALFORMED)
    const large = 'ERR_LEDGER_NOTE: a note larger than 1 MiB, or with more than 100 signatures'
    const many = `${TEXT}\n${PETER.repeat(100)}`
    expect((await openNote(many, trusted)).note.signatures.length).toBe(100)
    expect(await refusal(openNote(many + PETER, trusted))).toBe(large)
    expect(await refusal(openNote('x\n'.repeat(1 << 19) + good, trusted))).toBe(large)
  })
})

describe('a note key', () => {
  it('is read and written back, and refused with any change', async () => {
    expect(String(await NoteKey.parse(PETER_KEY))).toBe(PETER_KEY)
    const accepted: string[] = []
    for (let end = 0; end < PETER_KEY.length; end += 1) {
      const next = String.fromCharCode(PETER_KEY.charCodeAt(end) + 1)
      const changed = PETER_KEY.slice(0, end) + next + PETER_KEY.slice(end + 1)
      for (const text of [PETER_KEY.slice(0, end), PETER_KEY.slice(end + 1), changed]) {
        if ((await refusal(NoteKey.parse(text))) === 'holds') accepted.push(text)
      }
    }
    expect(accepted).toEqual([])
  })

  it.each([
    'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==',
  ])('is not %s', async (text) => {
    await expect(NoteKey.parse(text)).rejects.toMatchObject({ code: 'ERR_LEDGER_NOTE' })
  })

  it.each(['', 'a b', 'a+b', 'a\nb', 'a\u2003b'])('is not named %j', async (name) => {
    const { pem } = testKey(1)
    await expect(NoteKey.of(name, pem)).rejects.toMatchObject({ code: 'ERR_LEDGER_NOTE' })
  })
})

const HASH = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='
const SOFA = `example.com/behind-the-sofa\n20852163\n${HASH}\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n`

/** Returns a line of a note, as its author or as a witness signs it. */
async function line(name: string, seed: number, text: string, time?: bigint): Promise<string> {
  const key = testKey(seed)
  const { id } = await NoteKey.of(name, key.pem, time === undefined ? 'ed25519' : 'cosignature')
  const stamp = Buffer.alloc(8)
  stamp.writeBigUInt64BE(time ?? 0n)
  const signature =
    time === undefined
      ? key.sign(text)
      : Buffer.concat([stamp, key.sign(`cosignature/v1\ntime ${time}\n${text}`)])
  return `— ${name} ${Buffer.concat([Buffer.from(id, 'hex'), signature]).toString('base64')}\n`
}

const LOG = `log\n3\n${HASH}\n`

describe('a checkpoint', () => {
  it('that is published is read', async () => {
    const read = await parseCheckpoint(SOFA.slice(0, SOFA.indexOf('\n\n') + 1))
    const root = bytes(HASH)
    const origin = 'example.com/behind-the-sofa'
    expect(read).toEqual({ origin, size: 20_852_163n, root, extensions: [] })
    // nobody's key is published for it
    await expect(openCheckpoint(SOFA, await keys(PETER_KEY))).rejects.toMatchObject({
      code: 'ERR_LEDGER_NOTE_SIGNATURE',
    })
  })

  const good = `o\n7\n${HASH}\n`
  it.each([
    '',
    `\n7\n${HASH}\n`,
    `o\n07\n${HASH}\n`,
    `o\n+7\n${HASH}\n`,
    `o\n-7\n${HASH}\n`,
    `o\n7 \n${HASH}\n`,
    `o\n\n${HASH}\n`,
    `o\n18446744073709551616\n${HASH}\n`,
    `o\n7\n${HASH.slice(4)}\n`,
    `o\n7\n${HASH.replace('=', '')}\n`,
    `o\n7\n${HASH.replace('2I=', '2J=')}\n`,
    'o\n7\n',
    `o\n7\n${HASH}`,
    `${good}\n`,
    `${good}\nmore\n`,
  ])('is not %j', async (text) => {
    const want = 'ERR_LEDGER_NOTE: not a checkpoint; expected origin, size and root'
    expect(await refusal(parseCheckpoint(text))).toBe(want)
  })

  it('may have further lines; one without leaves has the root of nothing', async () => {
    expect((await parseCheckpoint(`${good}more\n`)).extensions).toEqual(['more'])
    const empty = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    expect((await parseCheckpoint(`o\n0\n${empty}\n`)).size).toBe(0n)
    const want = 'ERR_LEDGER_NOTE: the root is not that of a log without entries'
    expect(await refusal(parseCheckpoint(`o\n0\n${HASH}\n`))).toBe(want)
  })

  it('is opened by the key of its origin alone, and by no change of it', async () => {
    const note = `${LOG}\n${await line('log', 1, LOG)}`
    const named = [await NoteKey.of('log', testKey(1).pem)]
    const opened = await openCheckpoint(note, named)
    expect([opened.checkpoint.size, opened.signers]).toEqual([3n, named])
    expect(await openCheckpointBy(note, [testKey(2).pem, testKey(1).pem])).toEqual(opened)
    const unsigned = 'ERR_LEDGER_NOTE_SIGNATURE: no trusted key signed the note'
    const other = [await NoteKey.of('other', testKey(1).pem)]
    expect(await refusal(openCheckpoint(note, other))).toBe(unsigned)
    // the same key, but signing in another log's name
    const foreign = `${LOG}\n${await line('other', 1, LOG)}`
    expect(await refusal(openCheckpoint(foreign, [...named, ...other]))).toBe(unsigned)
    const raw = Buffer.from(note)
    const accepted: number[] = []
    for (let place = 0; place < raw.length; place += 1) {
      for (const flip of [1, 0x20, 0x80]) {
        const changed = Buffer.from(raw)
        changed[place] = (changed[place] ?? 0) ^ flip
        if ((await refusal(openCheckpoint(changed, named))) === 'holds') accepted.push(place)
      }
    }
    expect(accepted).toEqual([])
  })
})

describe('cosignatures', () => {
  const witness = async (name: string, seed: number) =>
    NoteKey.of(name, testKey(seed).pem, 'cosignature')

  it('count once for each trusted key that is not the log itself', async () => {
    const lines = [
      await line('log', 1, LOG),
      await line('w1', 2, LOG, 1_679_315_147n),
      await line('w2', 3, LOG, 1_679_315_148n),
      await line('w2-alias', 3, LOG, 7n),
      await line('log', 1, LOG, 5n),
    ]
    const opened = await openCheckpointBy(`${LOG}\n${lines.join('')}`, [testKey(1).pem])
    const trusted = await Promise.all([
      witness('w1', 2),
      witness('w2', 3),
      witness('w2-alias', 3),
      witness('log', 1),
      witness('w3', 4),
    ])
    const found = await verifyCosignatures(opened, trusted, 2)
    expect(found.map((one) => [one.witness.name, one.time])).toEqual([
      ['w1', 1_679_315_147n],
      ['w2', 1_679_315_148n],
    ])
    const few = 'ERR_LEDGER_NOTE_SIGNATURE: 2 trusted witnesses signed the checkpoint; expected 3'
    expect(await refusal(verifyCosignatures(opened, trusted, 3))).toBe(few)
    expect(await verifyCosignatures(opened, [], 0)).toEqual([])
  })

  it('are for their time, text and kind alone', async () => {
    const good = await line('w1', 2, LOG, 1_679_315_147n)
    const raw = Buffer.from(good.split(' ').at(-1) ?? '', 'base64')
    raw[11] = (raw[11] ?? 0) ^ 1
    const log = await line('log', 1, LOG)
    const open = async (cosignature: string) =>
      openCheckpointBy(`${LOG}\n${log}${cosignature}`, [testKey(1).pem])
    const trusted = [await witness('w1', 2)]
    expect(await verifyCosignatures(await open(good), trusted, 1)).toHaveLength(1)
    const wrong =
      'ERR_LEDGER_NOTE_SIGNATURE: the signature of `w1` is not that of its key over this checkpoint'
    for (const other of [
      `— w1 ${raw.toString('base64')}\n`,
      await line('w1', 2, `${LOG}more\n`, 1n),
      await line('w1', 2, LOG, 1n << 63n),
    ]) {
      expect(await refusal(verifyCosignatures(await open(other), trusted, 1))).toBe(wrong)
    }
    // the same key and name, trusted for the texts of notes only
    const author = [await NoteKey.of('w1', testKey(2).pem)]
    const few = 'ERR_LEDGER_NOTE_SIGNATURE: 0 trusted witnesses signed the checkpoint; expected 1'
    expect(await refusal(verifyCosignatures(await open(good), author, 1))).toBe(few)
  })
})

describe('a proof file', () => {
  const head = 'c2sp.org/tlog-proof@v1\n'

  it('shows one entry in its log', async () => {
    // of two leaves
    const digests = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const [left, right] = await Promise.all(digests.map(leafHash))
    const node = Buffer.concat([Buffer.from([1]), left ?? Buffer.of(), right ?? Buffer.of()])
    const root = Buffer.from(await crypto.subtle.digest('SHA-256', node)).toString('base64')
    const text = `log\n2\n${root}\n`
    const sibling = Buffer.from(left ?? Buffer.of()).toString('base64')
    const proof = `${head}index 1\n${sibling}\n\n${text}\n${await line('log', 1, text)}`
    const trusted = [await NoteKey.of('log', testKey(1).pem)]
    const [first, second] = digests
    if (first === undefined || second === undefined) throw new Error('no digests')
    expect((await verifyProof(proof, second, trusted)).checkpoint.size).toBe(2n)
    expect((await verifyProof(Buffer.from(proof), second, trusted)).checkpoint.size).toBe(2n)
    expect(await refusal(verifyProof(proof, first, trusted))).toBe(ROOT)
    const moved = proof.replace('index 1', 'index 0')
    expect(await refusal(verifyProof(moved, second, trusted))).toBe(ROOT)
    const other = [await NoteKey.of('log', testKey(2).pem)]
    expect(await refusal(verifyProof(proof, second, other))).toBe(
      'ERR_LEDGER_NOTE_SIGNATURE: no trusted key signed the note',
    )
  })

  it('may have data that nothing vouches for', () => {
    const read = parseProof(`${head}extra AA==\nindex 0\n${HASH}\n\n${SOFA}`)
    expect(read).toEqual({ index: 0n, hashes: [bytes(HASH)], checkpoint: SOFA })
    expect(parseProof(`${head}extra \nindex 7\n\n${SOFA}`).index).toBe(7n)
  })

  it.each([
    '',
    'c2sp.org/tlog-proof@v2\nindex 0\n\n',
    `${head}\n${SOFA}`,
    `${head}index 00\n\n${SOFA}`,
    `${head}index\n\n${SOFA}`,
    `${head}index 0\n${SOFA}`,
    `${head}index 0\n${HASH}\n`,
    `${head}index 0\nabc\n\n${SOFA}`,
    `${head}extra !\nindex 0\n\n${SOFA}`,
    `${head}index 0\n${`${HASH}\n`.repeat(66)}\n${SOFA}`,
  ])('is not %j', async (text) => {
    const want = `ERR_LEDGER_NOTE: not a proof; expected \`c2sp.org/tlog-proof@v1\` and its lines`
    expect(await refusal(verifyProof(text, new Uint8Array(32), []))).toBe(want)
  })
})
