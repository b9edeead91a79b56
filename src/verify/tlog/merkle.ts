// SPDX-License-Identifier: Apache-2.0
// The tree of RFC 6962 section 2.1 and its proofs (RFC 9162 section 2.1; subtrees as in
// draft-ietf-plants-merkle-tree-certs section 4). Numbers are integers up to 2^64 − 1.
import { concat, sameBytes } from '../bytes.js'
import { sha256 } from '../hash.js'
import { LogError } from './error.js'

/** A number of leaves, or a place among them: a safe integer from 0, or a bigint below 2^64. */
export type LeafCount = bigint | number

/** Returns the root of a tree without leaves: SHA-256 of nothing. */
export async function emptyRoot(): Promise<Uint8Array> {
  return sha256(new Uint8Array())
}

/**
 * Returns the hash of a leaf, `SHA-256(0x00 ‖ leaf)`. A leaf of a ledger's log is the SHA-256 digest
 * of one entry's exact bytes.
 */
export async function leafHash(leaf: Uint8Array): Promise<Uint8Array> {
  return sha256(concat(LEAF, leaf))
}

async function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  return sha256(concat(NODE, left, right))
}

/** Returns the root of the tree over the leaves with these hashes. */
export async function treeRoot(leaves: readonly Uint8Array[]): Promise<Uint8Array> {
  let level = leaves
  while (level.length > 1) {
    // a right edge without a sibling is taken over as it is
    const pairs = Array.from({ length: Math.ceil(level.length / 2) }, async (_, at) => {
      const [left, right] = level.slice(2 * at, 2 * at + 2)
      return left === undefined || right === undefined ? left : nodeHash(left, right)
    })
    level = (await Promise.all(pairs)).filter((hash) => hash !== undefined)
  }
  return level[0] ?? emptyRoot()
}

/** What an inclusion proof is about. */
export interface Inclusion {
  /** The place of the leaf, from 0. */
  readonly index: LeafCount
  /** The number of leaves of the tree. */
  readonly size: LeafCount
  /** The leaf's hash ({@link leafHash}), 32 bytes. */
  readonly leaf: Uint8Array
  /** The tree's root, 32 bytes. */
  readonly root: Uint8Array
}

/**
 * Checks that a leaf is in a tree.
 *
 * @param proof hashes from the leaf's sibling upwards, 32 bytes each
 * @throws {@link LogError} `ERR_LEDGER_PROOF`
 */
export async function verifyInclusion(
  { root, ...place }: Inclusion,
  proof: readonly Uint8Array[],
): Promise<void> {
  same(await inclusionRoot(place, proof), root)
}

/**
 * Returns the root that a proof of inclusion leads to.
 *
 * @throws {@link LogError} `ERR_LEDGER_PROOF` for a proof that cannot be one of that place
 */
export async function inclusionRoot(
  { index, size, leaf }: Omit<Inclusion, 'root'>,
  proof: readonly Uint8Array[],
): Promise<Uint8Array> {
  let last = count(size) - 1n
  let at = count(index)
  if (at > last) throw range()
  let hash = sized(leaf)
  for (const bytes of proof) {
    const sibling = sized(bytes)
    if (last === 0n) throw length()
    // A right edge without a sibling is taken over as it is, level after level.
    while (at === last && !isOdd(at)) [at, last] = [at >> 1n, last >> 1n]
    hash = isOdd(at) ? await nodeHash(sibling, hash) : await nodeHash(hash, sibling)
    ;[at, last] = [at >> 1n, last >> 1n]
  }
  if (last !== 0n) throw length()
  return hash
}

/** Two trees of one log. */
export interface Consistency {
  readonly size1: LeafCount
  readonly size2: LeafCount
  /** Root of the smaller tree, 32 bytes. */
  readonly root1: Uint8Array
  /** Root of the larger tree, 32 bytes. */
  readonly root2: Uint8Array
}

/**
 * Checks that a tree is the beginning of another. A tree without leaves is the beginning of any: of
 * such a one and a larger one nothing would be proven, and that is refused.
 *
 * @throws {@link LogError} `ERR_LEDGER_PROOF`
 */
export async function verifyConsistency(
  { size1, size2, root1, root2 }: Consistency,
  proof: readonly Uint8Array[],
): Promise<void> {
  if (count(size1) !== count(size2)) {
    await verifySubtree({ start: 0n, end: count(size1), size: count(size2), root1, root2 }, proof)
    return
  }
  if (proof.length > 0) throw length()
  if (count(size1) === 0n) same(root1, await emptyRoot())
  same(root1, root2)
}

/** A part of a log: the leaves from `start` to before `end`. */
export interface Subtree {
  readonly start: LeafCount
  readonly end: LeafCount
}

/**
 * Checks that the leaf at `index` of a log is in a subtree, whose root is `root`.
 *
 * @throws {@link LogError} `ERR_LEDGER_PROOF`
 */
export async function verifySubtreeInclusion(
  { index, leaf, root, start, end }: Omit<Inclusion, 'size'> & Subtree,
  proof: readonly Uint8Array[],
): Promise<void> {
  const size = subtreeSize(count(start), count(end))
  if (count(index) < count(start)) throw range()
  await verifyInclusion({ index: count(index) - count(start), size, leaf, root }, proof)
}

/**
 * Checks that a subtree with `root1` is part of the tree with `size` leaves and `root2`.
 *
 * @throws {@link LogError} `ERR_LEDGER_PROOF`
 */
export async function verifySubtreeConsistency(
  tree: Subtree & {
    readonly size: LeafCount
    readonly root1: Uint8Array
    readonly root2: Uint8Array
  },
  proof: readonly Uint8Array[],
): Promise<void> {
  const { root1, root2 } = tree
  const [start, end, size] = [count(tree.start), count(tree.end), count(tree.size)]
  if (start === end && end <= size) {
    if (proof.length > 0) throw length()
    same(root1, await emptyRoot())
  } else if (start === 0n && end === size) {
    await verifyConsistency({ size1: size, size2: size, root1, root2 }, proof)
  } else {
    await verifySubtree({ start, end, size, root1, root2 }, proof)
  }
}

interface Walk {
  readonly start: bigint
  readonly end: bigint
  readonly size: bigint
  readonly root1: Uint8Array
  readonly root2: Uint8Array
}

/** The places of a subtree's first and last leaf and of the tree's last, in some level. */
interface Places {
  readonly first: bigint
  readonly second: bigint
  readonly third: bigint
}

/**
 * The general case of both kinds of consistency: walks from the last complete subtree of the smaller
 * tree up to the root of the larger one, and computes both roots.
 */
async function verifySubtree(
  { start, end, size, root1, root2 }: Walk,
  proof: readonly Uint8Array[],
): Promise<void> {
  subtreeSize(start, end)
  if (end > size) throw range()
  let places = { first: start, second: end - 1n, third: size - 1n }
  // The subtree's last leaf goes up to the largest subtree that stands alone in both trees.
  while (isAlone(places)) places = up(places)
  const inBoth = places.first === places.second
  const seed = inBoth ? root1 : proof[0]
  if (seed === undefined) throw length()
  const [hash1, hash2] = await climb(places, sized(seed), inBoth ? proof : proof.slice(1))
  same(hash1, root1)
  same(hash2, root2)
}

/** Returns the roots of both trees, from a subtree of both. */
async function climb(
  from: Places,
  seed: Uint8Array,
  siblings: readonly Uint8Array[],
): Promise<[Uint8Array, Uint8Array]> {
  let places = from
  let [hash1, hash2] = [seed, seed]
  for (const bytes of siblings) {
    const sibling = sized(bytes)
    const { first, second, third } = places
    if (third === 0n) throw length()
    if (isOdd(second) || second === third) {
      if (first < second) hash1 = await nodeHash(sibling, hash1)
      hash2 = await nodeHash(sibling, hash2)
      while (places.second !== 0n && !isOdd(places.second)) places = up(places)
    } else {
      hash2 = await nodeHash(hash2, sibling)
    }
    places = up(places)
  }
  if (places.third !== 0n) throw length()
  return [hash1, hash2]
}

function isAlone({ first, second, third }: Places): boolean {
  return first !== second && (second === third || isOdd(second))
}

function up({ first, second, third }: Places): Places {
  return { first: first >> 1n, second: second >> 1n, third: third >> 1n }
}

/** Returns the number of leaves from `start` to before `end`, if they can be a subtree. */
function subtreeSize(start: bigint, end: bigint): bigint {
  const size = end - start
  if (size <= 0n) throw range()
  let width = 1n
  while (width < size) width <<= 1n
  if (start % width !== 0n) throw range()
  return size
}

function isOdd(place: bigint): boolean {
  return (place & 1n) === 1n
}

function count(value: LeafCount): bigint {
  const isCount =
    typeof value === 'bigint' ? value >= 0n : Number.isSafeInteger(value) && value >= 0
  if (!isCount || BigInt(value) > MAX_COUNT) throw range()
  return BigInt(value)
}

function sized(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 32) return bytes
  throw new LogError('ERR_LEDGER_PROOF', 'a hash of the proof is not 32 bytes long')
}

function same(computed: Uint8Array, root: Uint8Array): void {
  if (sameBytes(computed, root)) return
  throw new LogError('ERR_LEDGER_PROOF', 'the proof leads to another root')
}

function length(): LogError {
  return new LogError('ERR_LEDGER_PROOF', 'the proof has too few or too many hashes')
}

function range(): LogError {
  const message = 'the proof is about leaves that the tree does not have'
  return new LogError('ERR_LEDGER_PROOF', message)
}

const MAX_COUNT = (1n << 64n) - 1n
const LEAF = new Uint8Array([0])
const NODE = new Uint8Array([1])
