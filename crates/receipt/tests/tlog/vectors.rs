// SPDX-License-Identifier: Apache-2.0
//! The 518 cases of transparency-dev/merkle: whether each proof holds, and if not, why.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ambit_receipt::tlog::{
    ProofError, verify_consistency, verify_inclusion, verify_subtree_consistency,
    verify_subtree_inclusion,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

#[test]
fn every_proof_holds_or_fails_as_its_vector_says() {
    let mut counts = BTreeMap::new();
    for kind in [
        "consistency",
        "inclusion",
        "subtreeconsistency",
        "subtreeinclusion",
    ] {
        for path in files(&folder().join(kind)) {
            let case: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let got = verdict(kind, &case);
            let want = case["wantErr"].as_bool().unwrap();
            assert_eq!(got.is_err(), want, "{}: {got:?}", path.display());
            *counts.entry((kind, got.err())).or_insert(0) += 1;
        }
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|((kind, error), count)| format!("{kind} {error:?} {count}"))
        .collect();
    assert_eq!(counts, COUNTS);
}

#[test]
fn every_proof_that_holds_fails_with_any_one_bit_changed() {
    let mut changed = 0;
    for kind in ["consistency", "inclusion"] {
        for path in files(&folder().join(kind)) {
            let case: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            if verdict(kind, &case).is_err() {
                continue;
            }
            for place in 0..case["proof"].as_array().map_or(0, Vec::len) {
                let bytes = decode(&case["proof"][place]);
                for bit in 0..bytes.len() * 8 {
                    let mut bytes = bytes.clone();
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    let mut case = case.clone();
                    case["proof"][place] = Value::from(STANDARD.encode(bytes));
                    assert_eq!(verdict(kind, &case), Err(ProofError::Root));
                    changed += 1;
                }
            }
        }
    }
    assert!(changed > 2000, "{changed}");
}

fn verdict(kind: &str, case: &Value) -> Result<(), ProofError> {
    let number = |name: &str| case[name].as_u64().unwrap();
    let bytes = |name: &str| decode(&case[name]);
    let empty = Vec::new();
    let proof: Vec<Vec<u8>> = case["proof"]
        .as_array()
        .unwrap_or(&empty)
        .iter()
        .map(decode)
        .collect();
    match kind {
        "consistency" => verify_consistency(
            number("size1"),
            number("size2"),
            &bytes("root1"),
            &bytes("root2"),
            &proof,
        ),
        "inclusion" => verify_inclusion(
            number("leafIdx"),
            number("treeSize"),
            &bytes("leafHash"),
            &proof,
            &bytes("root"),
        ),
        "subtreeconsistency" => verify_subtree_consistency(
            number("start"),
            number("end"),
            number("size"),
            &bytes("root1"),
            &bytes("root2"),
            &proof,
        ),
        _ => verify_subtree_inclusion(
            number("leafIdx"),
            number("start"),
            number("end"),
            &bytes("leafHash"),
            &proof,
            &bytes("root"),
        ),
    }
}

fn decode(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap_or("")).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__test__/vectors/merkle/testdata")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// How many cases of each kind hold, and why the others do not.
const COUNTS: &[&str] = &[
    "consistency None 6",
    "consistency Some(HashSize) 11",
    "consistency Some(Length) 46",
    "consistency Some(Range) 9",
    "consistency Some(Root) 26",
    "inclusion None 6",
    "inclusion Some(HashSize) 18",
    "inclusion Some(Length) 26",
    "inclusion Some(Range) 17",
    "inclusion Some(Root) 31",
    "subtreeconsistency None 12",
    "subtreeconsistency Some(HashSize) 12",
    "subtreeconsistency Some(Length) 52",
    "subtreeconsistency Some(Range) 12",
    "subtreeconsistency Some(Root) 30",
    "subtreeinclusion None 12",
    "subtreeinclusion Some(HashSize) 36",
    "subtreeinclusion Some(Length) 52",
    "subtreeinclusion Some(Range) 42",
    "subtreeinclusion Some(Root) 62",
];
