// SPDX-License-Identifier: Apache-2.0
//! Trees and proofs against their recursive definition.
use ambit_receipt::tlog::{
    Frontier, Hash, ProofError, ProveError, Prover, leaf_hash, verify_consistency,
    verify_inclusion, verify_subtree_consistency, verify_subtree_inclusion,
};
use proptest::prelude::*;

use crate::naive;

const NONE: &[Hash] = &[];

#[test]
fn roots_and_inclusion_proofs_are_those_of_the_definition() {
    let digests = naive::digests(36);
    let mut frontier = Frontier::new();
    for size in 1..=digests.len() {
        let leaves = &digests[..size];
        frontier.append(leaf_hash(&digests[size - 1])).unwrap();
        let root = naive::root(leaves);
        assert_eq!((frontier.root(), frontier.size()), (root, size as u64));
        for (index, digest) in leaves.iter().enumerate() {
            let proof = made(Prover::inclusion(index as u64, size as u64), &digests);
            assert_eq!(proof, naive::path(index, leaves), "{index} in {size}");
            let (index, size, leaf) = (index as u64, size as u64, leaf_hash(digest));
            assert_eq!(verify_inclusion(index, size, &leaf, &proof, &root), Ok(()));
            assert_all_fail(&proof, &root, |proof, root| {
                verify_inclusion(index, size, &leaf, proof, root)
            });
            let other = index ^ 1;
            if other < size {
                let moved = verify_inclusion(other, size, &leaf, &proof, &root);
                assert!(moved.is_err(), "{index} at {other} in {size}");
            }
        }
    }
}

#[test]
fn consistency_proofs_are_those_of_the_definition() {
    let digests = naive::digests(36);
    for size2 in 1..=digests.len() {
        let root2 = naive::root(&digests[..size2]);
        for size1 in 1..=size2 {
            let root1 = naive::root(&digests[..size1]);
            let proof = made(Prover::consistency(size1 as u64, size2 as u64), &digests);
            let want = naive::subproof(0, size1, &digests[..size2], true);
            assert_eq!(proof, want, "{size1} in {size2}");
            let (size1, size2) = (size1 as u64, size2 as u64);
            let check = |proof: &[Hash], root2: &Hash| {
                verify_consistency(size1, size2, &root1, root2, proof)
            };
            assert_eq!(check(&proof, &root2), Ok(()), "{size1} in {size2}");
            assert_all_fail(&proof, &root2, check);
            let other = verify_consistency(size1, size2, &[0; 32], &root2, &proof);
            assert_eq!(other, Err(ProofError::Root));
        }
    }
}

#[test]
fn subtrees_hold_where_the_draft_has_them() {
    let digests = naive::digests(24);
    for size in 1..=digests.len() {
        let root = naive::root(&digests[..size]);
        for start in 0..size {
            for end in start + 1..=size {
                let leaves = &digests[start..end];
                let subroot = naive::root(leaves);
                let place = (start as u64, end as u64, size as u64);
                if !start.is_multiple_of(leaves.len().next_power_of_two()) {
                    let got = verify_subtree_consistency(
                        place.0, place.1, place.2, &subroot, &root, NONE,
                    );
                    assert_eq!(got, Err(ProofError::Range), "{place:?}");
                    continue;
                }
                let proof = naive::subproof(start, end, &digests[..size], true);
                let check = |proof: &[Hash], root: &Hash| {
                    verify_subtree_consistency(place.0, place.1, place.2, &subroot, root, proof)
                };
                assert_eq!(check(&proof, &root), Ok(()), "{place:?}");
                assert_all_fail(&proof, &root, check);
                for (index, digest) in leaves.iter().enumerate() {
                    let path = naive::path(index, leaves);
                    let (at, leaf) = ((start + index) as u64, leaf_hash(digest));
                    let got =
                        verify_subtree_inclusion(at, place.0, place.1, &leaf, &path, &subroot);
                    assert_eq!(got, Ok(()), "{at} in {place:?}");
                }
            }
        }
    }
}

#[test]
fn numbers_that_no_proof_can_be_about_are_refused() {
    let range = Some(ProveError::Range);
    assert_eq!(Prover::inclusion(0, 0).err(), range);
    assert_eq!(Prover::inclusion(3, 3).err(), range);
    assert_eq!(Prover::consistency(0, 3).err(), range);
    assert_eq!(Prover::consistency(4, 3).err(), range);
    let prover = Prover::inclusion(1, 3).unwrap();
    assert!(!prover.is_complete());
    assert_eq!(prover.finish(), Err(ProveError::Incomplete));
    // A tree of one leaf proves itself.
    let alone = Prover::inclusion(0, 1).unwrap();
    assert!(alone.is_complete());
    assert_eq!(alone.finish(), Ok(Vec::new()));
}

#[test]
fn the_largest_sizes_are_bounded_work_and_no_overflow() {
    let hash = [7; 32];
    let proof = [hash; 65];
    for (index, size) in [
        (0, u64::MAX),
        (u64::MAX - 1, u64::MAX),
        (u64::MAX / 2, u64::MAX),
        (u64::MAX, u64::MAX),
        (1 << 63, u64::MAX),
    ] {
        for length in [0, 1, 62, 63, 64, 65] {
            let proof = &proof[..length];
            assert!(verify_inclusion(index, size, &hash, proof, &hash).is_err());
            assert!(verify_consistency(index, size, &hash, &[1; 32], proof).is_err());
            let got = verify_subtree_consistency(index, size, size, &hash, &[1; 32], proof);
            assert!(got.is_err());
        }
        let parts = Prover::inclusion(index, size).map(Prover::finish);
        assert!(matches!(parts, Ok(Err(_)) | Err(_)));
    }
}

proptest! {
    #[test]
    fn what_was_proven_of_any_log_holds(size2 in 1_u64..600, a in any::<u64>(), b in any::<u64>()) {
        let (index, size1) = (a % size2, b % size2 + 1);
        let digests = naive::digests(size2);
        let (root1, root2) = (root(&digests[..size1 as usize]), root(&digests));
        let proof = made(Prover::inclusion(index, size2), &digests);
        let leaf = leaf_hash(&digests[index as usize]);
        prop_assert_eq!(verify_inclusion(index, size2, &leaf, &proof, &root2), Ok(()));
        let proof = made(Prover::consistency(size1, size2), &digests);
        prop_assert_eq!(verify_consistency(size1, size2, &root1, &root2, &proof), Ok(()));
    }

    #[test]
    fn an_edge_that_was_stored_goes_on_as_if_it_had_not_been(first in 0_u64..300, more in 0_u64..300) {
        let digests = naive::digests(first + more);
        let mut frontier = Frontier::new();
        for (place, digest) in digests.iter().enumerate() {
            if place as u64 == first {
                frontier = Frontier::from_bytes(&frontier.to_bytes()).unwrap();
            }
            frontier.append(leaf_hash(digest)).unwrap();
        }
        prop_assert_eq!(frontier.root(), naive::root(&digests));
    }

    #[test]
    fn random_proofs_never_panic_and_never_hold(
        a in any::<u64>(), b in any::<u64>(), c in any::<u64>(),
        proof in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..70),
    ) {
        prop_assume!(a != b || !proof.is_empty());
        let (leaf, root) = ([1; 32], [2; 32]);
        prop_assert!(verify_inclusion(a, b, &leaf, &proof, &root).is_err());
        prop_assert!(verify_consistency(a, b, &leaf, &root, &proof).is_err());
        prop_assert!(verify_subtree_consistency(a, b, c, &leaf, &root, &proof).is_err());
    }
}

fn root(digests: &[[u8; 32]]) -> Hash {
    let mut frontier = Frontier::new();
    for digest in digests {
        frontier.append(leaf_hash(digest)).unwrap();
    }
    frontier.root()
}

fn made(prover: Result<Prover, ProveError>, digests: &[[u8; 32]]) -> Vec<Hash> {
    let mut prover = prover.unwrap();
    for digest in digests {
        prover.push(leaf_hash(digest)).unwrap();
    }
    assert!(prover.is_complete());
    prover.finish().unwrap()
}

/// Shorter, longer, with a changed hash, or for another root.
fn assert_all_fail(
    proof: &[Hash],
    root: &Hash,
    check: impl Fn(&[Hash], &Hash) -> Result<(), ProofError>,
) {
    assert!(check(proof, &[0; 32]).is_err());
    let longer = [proof, &[[0; 32]]].concat();
    assert_eq!(check(&longer, root), Err(ProofError::Length));
    if let Some((_, shorter)) = proof.split_last() {
        assert!(check(shorter, root).is_err());
    }
    for place in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed[place][31] ^= 1;
        assert_eq!(check(&changed, root), Err(ProofError::Root));
    }
}
