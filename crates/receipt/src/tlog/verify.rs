// SPDX-License-Identifier: Apache-2.0
//! Checking proofs (RFC 9162 section 2.1, and subtrees as in draft-ietf-plants-merkle-tree-certs
//! section 4).
//!
//! Hashes come as bytes of any length: one that is not 32 bytes long is never used to compute with.

use super::hash::{EMPTY_ROOT, Hash, node_hash};

/// Checks that the leaf with the hash `leaf` is the one at `index` of the tree with `size` leaves
/// and this root. `proof` holds the hashes from the leaf's sibling upwards.
///
/// # Errors
///
/// [`ProofError::Range`] unless `index < size`, [`ProofError::Length`] for a proof that is longer or
/// shorter than these numbers ask for, [`ProofError::HashSize`], [`ProofError::Root`].
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &[u8],
    proof: &[impl AsRef<[u8]>],
    root: &[u8],
) -> Result<(), ProofError> {
    let last = last_of(size)?;
    if index > last {
        return Err(ProofError::Range);
    }
    let mut hash = sized(leaf)?;
    // `at` and `last` are the places of the leaf's and the last leaf's ancestors in each level.
    let (mut at, mut last) = (index, last);
    for sibling in proof {
        let sibling = sized(sibling.as_ref())?;
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at == last {
            // A right edge without a sibling is taken over as it is, level after level.
            let skipped = at.trailing_zeros();
            (at, last) = (shifted(at, skipped), shifted(last, skipped));
        }
        if is_odd(at) {
            hash = node_hash(&sibling, &hash);
        } else {
            hash = node_hash(&hash, &sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    same(&hash, root)
}

/// Checks that the tree with `size1` leaves and `root1` is the beginning of the tree with `size2`
/// leaves and `root2`.
///
/// # Errors
///
/// [`ProofError::Range`] unless `size1 <= size2`, and where `size1` is 0 and `size2` is not (any
/// tree begins with the empty one: nothing would be proven), and as [`verify_inclusion`].
pub fn verify_consistency(
    size1: u64,
    size2: u64,
    root1: &[u8],
    root2: &[u8],
    proof: &[impl AsRef<[u8]>],
) -> Result<(), ProofError> {
    if size1 == size2 {
        if !proof.is_empty() {
            return Err(ProofError::Length);
        }
        if size1 == 0 {
            same(root1, &EMPTY_ROOT)?;
        }
        return same(root1, root2);
    }
    verify_subtree(0, size1, size2, root1, root2, proof)
}

/// Checks that the leaf at `index` of a log is in the subtree over the leaves from `start` to
/// before `end`, with this root.
///
/// # Errors
///
/// [`ProofError::Range`] unless `start <= index < end` and `start` is a multiple of the least power
/// of two that is not below `end - start`, and as [`verify_inclusion`].
pub fn verify_subtree_inclusion(
    index: u64,
    start: u64,
    end: u64,
    leaf: &[u8],
    proof: &[impl AsRef<[u8]>],
    root: &[u8],
) -> Result<(), ProofError> {
    let size = subtree_size(start, end)?;
    let index = index.checked_sub(start).ok_or(ProofError::Range)?;
    verify_inclusion(index, size, leaf, proof, root)
}

/// Checks that the subtree over the leaves from `start` to before `end`, with the root `root1`, is
/// part of the tree with `size` leaves and the root `root2`. An empty subtree with the root of
/// nothing is part of any.
///
/// # Errors
///
/// As [`verify_subtree_inclusion`]; [`ProofError::Range`] too unless `end <= size`.
pub fn verify_subtree_consistency(
    start: u64,
    end: u64,
    size: u64,
    root1: &[u8],
    root2: &[u8],
    proof: &[impl AsRef<[u8]>],
) -> Result<(), ProofError> {
    if start == end && end <= size {
        if !proof.is_empty() {
            return Err(ProofError::Length);
        }
        return same(root1, &EMPTY_ROOT);
    }
    if (start, end) == (0, size) {
        return verify_consistency(size, size, root1, root2, proof);
    }
    verify_subtree(start, end, size, root1, root2, proof)
}

/// The general case of both kinds of consistency (section 4.4.3 of the draft): walks from the last
/// complete subtree of the smaller tree up to the root of the larger one, and computes both roots.
fn verify_subtree(
    start: u64,
    end: u64,
    size: u64,
    root1: &[u8],
    root2: &[u8],
    proof: &[impl AsRef<[u8]>],
) -> Result<(), ProofError> {
    subtree_size(start, end)?;
    let (mut first, mut second) = (start, last_of(end)?);
    let mut third = last_of(size)?;
    if second > third {
        return Err(ProofError::Range);
    }
    let mut proof = proof.iter();
    // The subtree's last leaf goes up to the largest subtree that stands alone in both trees.
    let alone = distance(first, second);
    let up = if second == third {
        alone
    } else {
        alone.min(second.trailing_ones())
    };
    (first, second, third) = (shifted(first, up), shifted(second, up), shifted(third, up));
    let seed = if first == second {
        sized(root1)?
    } else {
        sized(proof.next().ok_or(ProofError::Length)?.as_ref())?
    };
    let (mut hash1, mut hash2) = (seed, seed);
    for sibling in proof {
        let sibling = sized(sibling.as_ref())?;
        if third == 0 {
            return Err(ProofError::Length);
        }
        if is_odd(second) || second == third {
            if first < second {
                hash1 = node_hash(&sibling, &hash1);
            }
            hash2 = node_hash(&sibling, &hash2);
            let skipped = second.trailing_zeros();
            (first, second, third) = (
                shifted(first, skipped),
                shifted(second, skipped),
                shifted(third, skipped),
            );
        } else {
            hash2 = node_hash(&hash2, &sibling);
        }
        (first, second, third) = (first >> 1, second >> 1, third >> 1);
    }
    if third != 0 {
        return Err(ProofError::Length);
    }
    same(&hash1, root1)?;
    same(&hash2, root2)
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum ProofError {
    /// A hash that is not 32 bytes long.
    #[error("a hash of the proof is not 32 bytes long")]
    HashSize,
    /// The proof has not the number of hashes that its sizes ask for.
    #[error("the proof has too few or too many hashes")]
    Length,
    /// The numbers are none that a proof can be about.
    #[error("the proof is about leaves that the tree does not have")]
    Range,
    /// The proof leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

fn last_of(size: u64) -> Result<u64, ProofError> {
    size.checked_sub(1).ok_or(ProofError::Range)
}

/// Returns the number of leaves from `start` to before `end`, if they can be a subtree.
fn subtree_size(start: u64, end: u64) -> Result<u64, ProofError> {
    let size = end.checked_sub(start).filter(|size| *size > 0);
    let size = size.ok_or(ProofError::Range)?;
    let fits = match size.checked_next_power_of_two() {
        Some(width) => start.is_multiple_of(width),
        None => start == 0,
    };
    if fits {
        Ok(size)
    } else {
        Err(ProofError::Range)
    }
}

/// Returns how many levels up two places become one.
const fn distance(left: u64, right: u64) -> u32 {
    u64::BITS.saturating_sub((left ^ right).leading_zeros())
}

fn shifted(place: u64, levels: u32) -> u64 {
    place.checked_shr(levels).unwrap_or(0)
}

const fn is_odd(place: u64) -> bool {
    place & 1 == 1
}

fn sized(bytes: &[u8]) -> Result<Hash, ProofError> {
    bytes.try_into().ok().ok_or(ProofError::HashSize)
}

fn same(computed: &[u8], root: &[u8]) -> Result<(), ProofError> {
    if computed == root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}
