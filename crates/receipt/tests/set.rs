// SPDX-License-Identifier: Apache-2.0
//! Sets of receipts: recorded chains, chains of our own, sources.
#![expect(clippy::unwrap_used, reason = "a broken vector fails the test")]

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use ambit_canon::{Digest, Value};
use ambit_receipt::set::source::{Content, Item, Shape, Source};
use ambit_receipt::set::{
    Commitment, Place, ReceiptResult, SetOptions, SetVerdict, SetVerifier, verify_all,
};
use ambit_receipt::{KeySet, VerifyingKey};
use common::{json, list, text};

const OPERATOR: &str = "b14fd168a2f6c7dfdd9b623a71a1d5cf1996c3f89330047b17a4c43cbbdb2f90";

fn operator() -> KeySet {
    let key = VerifyingKey::from_hex(OPERATOR).unwrap();
    let mut keys = KeySet::new();
    keys.insert_any(key);
    keys
}

fn items(texts: Vec<Vec<u8>>) -> impl Iterator<Item = Item> + Send {
    texts.into_iter().zip(0..).map(|(text, number)| Item {
        place: Place::at(Arc::from("set"), number),
        content: Content::Document(text),
    })
}

fn run(source: Source, keys: &KeySet, options: SetOptions) -> (Vec<ReceiptResult>, SetVerdict) {
    let (items, sequence, scope) = Source::join(vec![source]);
    let options = SetOptions {
        sequence,
        scope,
        ..options
    };
    let mut results = Vec::new();
    let verdict = verify_all(items, keys, SetVerifier::new(options), |result| {
        results.push(result);
        ControlFlow::Continue(())
    });
    (results, verdict.unwrap())
}

/// The set's code, and its findings as `CODE@number`; receipts that are not valid as theirs.
fn judge(texts: Vec<Vec<u8>>, keys: &KeySet, shape: Shape) -> String {
    let source = Source::new("set", items(texts), shape);
    words(&run(source, keys, SetOptions::default()))
}

fn words((results, set): &(Vec<ReceiptResult>, SetVerdict)) -> String {
    let mut words = vec![set.code.as_str().to_owned()];
    for result in results {
        let verdict = result.outcome.as_ref().unwrap();
        if verdict.code.as_str() != "OK" {
            let at = result.place.number.unwrap();
            words.push(format!("{}@{at}", verdict.code.as_str()));
        }
    }
    words.extend(set.findings.iter().map(|it| {
        let at = it
            .place
            .as_ref()
            .map_or(0, |place| place.number.unwrap_or(0));
        format!("{}@{at}", it.code.as_str())
    }));
    words.join(" ")
}

fn texts(case: &Value, name: &str) -> Vec<Vec<u8>> {
    list(case, name)
        .iter()
        .map(|text| text.as_str().unwrap().as_bytes().to_vec())
        .collect()
}

fn table(file: &str, member: &str, shape: Shape) -> Vec<(String, String)> {
    let file = json(file);
    list(&file, member)
        .iter()
        .map(|case| {
            let got = judge(texts(case, "texts"), &operator(), shape);
            (text(case, "name").unwrap().to_owned(), got)
        })
        .collect()
}

fn assert_table(got: &[(String, String)], want: &[(&str, &str)]) {
    let got: Vec<(&str, &str)> = got.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(got, want);
}

#[test]
fn chains_of_the_draft_are_judged_by_its_own_rule_of_linking() {
    let got = table("chains/draft.json", "chains", Shape::Ordered);
    assert_table(&got, DRAFT);
}

#[test]
fn chains_of_the_skill_are_judged_by_the_skill_s_rule_of_linking() {
    let got = table("chains/agt.json", "chains", Shape::Ordered);
    assert_table(&got, AGT);
}

#[test]
fn chains_of_the_sb_program_are_judged_by_number_and_payload() {
    let got = table("legacy/sb-runtime.json", "cases", Shape::Ordered);
    assert_table(&got, SB_RUNTIME);
}

#[test]
fn order_says_nothing_where_the_source_has_none() {
    let file = json("chains/agt.json");
    let case = list(&file, "chains").iter();
    let mut case = case.filter(|case| text(case, "name") == Some("swapped"));
    let texts = texts(case.next().unwrap(), "texts");
    assert_eq!(judge(texts, &operator(), Shape::Unordered), "OK");
}

#[test]
fn a_receipt_dated_before_a_commitment_that_it_follows_is_named() {
    let file = json("acta/timeliness.json");
    let key = list(file.get("jwks").unwrap(), "keys").first().unwrap();
    let jwk = ambit_canon::write(key);
    let key = VerifyingKey::from_jwk(jwk.as_bytes()).unwrap();
    let keys = common::keys("test:chained:ed25519", key);
    let document = |name: &str| ambit_canon::write(file.get(name).unwrap()).into_bytes();
    let terminal = Digest::of(&document("genesis"));
    let judge = |chain: &[&str], time_us: i64, count, terminal| {
        let texts = chain.iter().map(|name| document(name)).collect();
        let commitment = Commitment {
            ledger: None,
            count,
            terminal: Some(terminal),
            time_us,
            skew_us: 0,
        };
        let options = SetOptions {
            commitments: vec![commitment],
            ..SetOptions::default()
        };
        words(&run(
            Source::new("set", items(texts), Shape::Ordered),
            &keys,
            options,
        ))
    };
    // 2026-02-01, 2026-03-01: the receipt is of 2026-02-15, its predecessor of 2026-01-10.
    let (before, after) = (1_769_904_000_000_000, 1_772_323_200_000_000);
    let chain = ["genesis", "receipt"];
    assert_eq!(judge(&chain, before, 1, terminal), "OK");
    assert_eq!(
        judge(&chain, after, 1, terminal),
        "ISSUED_BEFORE_COMMITMENT ISSUED_BEFORE_COMMITMENT@1"
    );
    assert_eq!(
        judge(&chain, before, 2, Digest::of(&document("receipt"))),
        "ISSUED_AFTER_COMMITMENT ISSUED_AFTER_COMMITMENT@1"
    );
    assert_eq!(
        judge(&chain, before, 1, Digest::of(b"other")),
        "COMMITMENT_MISMATCH COMMITMENT_MISMATCH@0"
    );
    assert_eq!(
        judge(&chain, after, 3, terminal),
        "CHAIN_TRUNCATED CHAIN_TRUNCATED@0"
    );
}

/// What the draft's rule says of each chain: numbers count from 0. The six conventions of linking
/// are the first six; only the first two are the draft's.
const DRAFT: &[(&str, &str)] = &[
    ("conv: draft-03/04", "OK"),
    ("conv: draft-02 bare hex", "OK"),
    (
        "conv: agt skill / swarms b64url(receipt)",
        "RECEIPT_INVALID SCHEMA_INVALID@1 SCHEMA_INVALID@2 SCHEMA_INVALID@3 \
         CHAIN_BROKEN@1 CHAIN_BROKEN@2 CHAIN_BROKEN@3",
    ),
    (
        "conv: sdk-js/py sha256:hex(payload)",
        "CHAIN_BROKEN CHAIN_BROKEN@1 CHAIN_BROKEN@2 CHAIN_BROKEN@3",
    ),
    (
        "conv: protect-mcp<0.10 hex(payload)",
        "CHAIN_BROKEN CHAIN_BROKEN@1 CHAIN_BROKEN@2 CHAIN_BROKEN@3",
    ),
    (
        "conv: marques-07 hex(envelope minus signature)",
        "CHAIN_BROKEN CHAIN_BROKEN@1 CHAIN_BROKEN@2 CHAIN_BROKEN@3",
    ),
    (
        "genesis-null",
        "RECEIPT_INVALID SCHEMA_INVALID@0 CHAIN_BROKEN@0",
    ),
    ("genesis-zeros", "CHAIN_BROKEN CHAIN_BROKEN@0"),
    (
        "unknown-hash-prefix",
        "RECEIPT_INVALID SCHEMA_INVALID@1 CHAIN_BROKEN@1",
    ),
    ("truncated", "OK"),
    ("middle-removed", "CHAIN_BROKEN CHAIN_BROKEN@2"),
    ("reordered", "CHAIN_ORDER CHAIN_ORDER@1"),
    (
        "resigned-predecessor",
        "RECEIPT_INVALID ISSUER_MISMATCH@0 CHAIN_BROKEN@1",
    ),
    ("fork", "CHAIN_FORK CHAIN_FORK@3"),
];

/// The skill's readers see neither a truncated tail nor a second branch alone, and nor do we.
const AGT: &[(&str, &str)] = &[
    ("valid-8", "OK"),
    ("truncated-tail", "OK"),
    ("truncated-to-empty", "EMPTY"),
    ("dropped-head", "CHAIN_GAP CHAIN_GAP@0"),
    ("dropped-middle", "CHAIN_BROKEN CHAIN_BROKEN@3"),
    ("swapped", "CHAIN_ORDER CHAIN_ORDER@1"),
    ("duplicated", "CHAIN_DUPLICATE CHAIN_DUPLICATE@3"),
    (
        "tampered-payload",
        "RECEIPT_INVALID INVALID_SIGNATURE@2 CHAIN_BROKEN@3",
    ),
    ("tampered-kid", "CHAIN_BROKEN UNKNOWN_KEY@2 CHAIN_BROKEN@3"),
    (
        "kid-removed-last-covered",
        "CHAIN_BROKEN MALFORMED_SIGNATURE@2 CHAIN_BROKEN@3",
    ),
    ("tampered-kid-on-head", "UNKNOWN_KEY UNKNOWN_KEY@7"),
    ("fork-branch-A", "OK"),
    ("fork-branch-B", "OK"),
    ("two-genesis-concatenated", "CHAIN_BROKEN CHAIN_BROKEN@2"),
];

const SB_RUNTIME: &[(&str, &str)] = &[
    ("valid-4", "OK"),
    ("truncated-tail", "OK"),
    ("dropped-head", "CHAIN_GAP CHAIN_GAP@0"),
    ("dropped-middle", "CHAIN_GAP CHAIN_GAP@1"),
    ("swapped", "CHAIN_ORDER CHAIN_ORDER@0"),
    (
        "flip-decision",
        "RECEIPT_INVALID INVALID_SIGNATURE@1 CHAIN_BROKEN@2",
    ),
    (
        "unknown-payload-field-injected",
        "RECEIPT_INVALID INVALID_SIGNATURE@0 CHAIN_BROKEN@1",
    ),
    (
        "unknown-action-field-injected",
        "RECEIPT_INVALID INVALID_SIGNATURE@0 CHAIN_BROKEN@1",
    ),
    (
        "unknown-envelope-field",
        "RECEIPT_UNDECIDABLE UNKNOWN_FORMAT@0",
    ),
    (
        "policy_id-removed",
        "RECEIPT_INVALID INVALID_SIGNATURE@0 CHAIN_BROKEN@1",
    ),
    ("sig-uppercase", "RECEIPT_INVALID SIGNATURE_ENCODING@1"),
    (
        "pubkey-changed-second",
        "CHAIN_GAP UNKNOWN_KEY@1 CHAIN_GAP@2",
    ),
    (
        "last-signature-wrong",
        "RECEIPT_INVALID INVALID_SIGNATURE@3",
    ),
    (
        "whole-chain-resigned-by-attacker",
        "UNKNOWN_KEY UNKNOWN_KEY@0 UNKNOWN_KEY@1 UNKNOWN_KEY@2 UNKNOWN_KEY@3",
    ),
];
