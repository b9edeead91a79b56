// SPDX-License-Identifier: Apache-2.0
//! Any bytes as a proof file, as the edge of a tree, and as proofs of any numbers: nothing panics,
//! what is read is written back, and no proof leads to a root that it was not made for.
#![no_main]

use ambit_receipt::tlog::{
    Frontier, Prover, TlogProof, verify_consistency, verify_inclusion, verify_subtree_consistency,
    verify_subtree_inclusion,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = TlogProof::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes);
        assert!(proof.verify_by(&[0; 32], &[]).is_err());
    }
    if let Ok(mut frontier) = Frontier::from_bytes(bytes) {
        assert_eq!(frontier.to_bytes(), bytes);
        let _full = frontier.append([0; 32]);
        let _root = frontier.root();
    }
    let (numbers, rest) = bytes.as_chunks::<8>();
    let [a, b, c] = [0, 1, 2].map(|at| numbers.get(at).map_or(0, |it| u64::from_be_bytes(*it)));
    let proof = bytes.as_chunks::<32>().0;
    // SHA-256 has no preimage of this.
    let (leaf, root) = ([7; 32], [8; 32]);
    assert!(verify_inclusion(a, b, &leaf, proof, &root).is_err());
    assert!(verify_consistency(a, b, &leaf, &root, proof).is_err());
    assert!(verify_subtree_inclusion(a, b, c, &leaf, proof, &root).is_err());
    assert!(verify_subtree_consistency(a, b, c, &leaf, &root, proof).is_err());
    assert!(verify_inclusion(a, b, rest, proof, rest).is_err());
    for prover in [Prover::inclusion(a, b), Prover::consistency(a, b)] {
        if let Ok(mut prover) = prover {
            for leaf in proof {
                let _full = prover.push(*leaf);
            }
            let _missing = prover.finish();
        }
    }
});
