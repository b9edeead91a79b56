// SPDX-License-Identifier: Apache-2.0
//! The tree and its proofs as RFC 6962 and the draft on subtrees define them, recursively: slow,
//! and written apart from what is tested.
use ambit_receipt::tlog::{EMPTY_ROOT, Hash, leaf_hash, node_hash};

/// The digests of `count` different entries.
pub(crate) fn digests(count: u64) -> Vec<[u8; 32]> {
    let digest = |place: u64| {
        let mut digest = [0xa5; 32];
        digest[..8].copy_from_slice(&place.to_be_bytes());
        digest
    };
    (0..count).map(digest).collect()
}

/// `MTH(D)`.
pub(crate) fn root(leaves: &[[u8; 32]]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => leaf_hash(leaf),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// `PATH(m, D)`.
pub(crate) fn path(index: usize, leaves: &[[u8; 32]]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut path, sibling) = if index < at {
        (path(index, left), root(right))
    } else {
        (path(index - at, right), root(left))
    };
    path.push(sibling);
    path
}

/// `SUBTREE_SUBPROOF(start, end, D, known)`; with `start` 0 it is `SUBPROOF`.
pub(crate) fn subproof(start: usize, end: usize, leaves: &[[u8; 32]], known: bool) -> Vec<Hash> {
    if (start, end) == (0, leaves.len()) {
        return if known {
            Vec::new()
        } else {
            vec![root(leaves)]
        };
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut proof, sibling) = if end <= at {
        (subproof(start, end, left, known), root(right))
    } else if at <= start {
        (subproof(start - at, end - at, right, known), root(left))
    } else {
        (subproof(0, end - at, right, false), root(left))
    };
    proof.push(sibling);
    proof
}

fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}
