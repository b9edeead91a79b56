// SPDX-License-Identifier: Apache-2.0
//! Authorizations and their results, as the governance toolkit's bilateral extension writes them.
#![expect(clippy::unwrap_used, reason = "a broken vector fails the test")]

mod common;

use ambit_canon::{Value, write};
use ambit_receipt::{Format, KeySet, VerifyingKey, verify};
use common::{assert_every_byte_counts, json, text};

const OPERATOR: &str = "b14fd168a2f6c7dfdd9b623a71a1d5cf1996c3f89330047b17a4c43cbbdb2f90";
const OPERATOR_KID: &str = "5yI6I8jsBNPyQwqyU4Z6MpuCPtzrBznMwJeRVNNJFHU";

fn keys() -> KeySet {
    let mut keys = KeySet::new();
    keys.insert_any(VerifyingKey::from_hex(OPERATOR).unwrap());
    keys
}

fn rows() -> Vec<(String, String)> {
    let file = json("legacy/agt-bilateral.json");
    let rows = file.as_array().unwrap().iter();
    rows.filter_map(|row| {
        let name = text(row, "name").unwrap().to_owned();
        Some((name, write(row.get("envelope")?)))
    })
    .collect()
}

fn row(name: &str) -> String {
    let mut rows = rows().into_iter();
    rows.find(|row| row.0 == name).unwrap().1
}

fn judge(document: &str) -> (&'static str, Option<&'static str>) {
    let verdict = verify(document.as_bytes(), &keys());
    (verdict.code.as_str(), verdict.format.map(Format::as_str))
}

#[test]
fn every_hash_is_computed_again_and_every_signature_checked() {
    let rows = rows();
    let got: Vec<_> = rows
        .iter()
        .map(|(name, document)| {
            let (code, format) = judge(document);
            assert_eq!(format, Some("agt-bilateral"), "{name}");
            (name.as_str(), code)
        })
        .collect();
    // The toolkit's own check accepts all but the two rows whose hash was changed.
    assert_eq!(
        got,
        [
            ("authorization-only", "OK"),
            ("sealed", "OK"),
            ("sealed-result-data-swapped", "HASH_MISMATCH"),
            ("sealed_at-changed", "SCHEMA_INVALID"),
            ("result-hash-changed", "HASH_MISMATCH"),
            ("authorization-hash-changed", "HASH_MISMATCH"),
            ("authorization-sig-changed", "INVALID_SIGNATURE"),
            ("spliced-result-from-other-receipt", "HASH_MISMATCH"),
            ("bilateral-flag-cleared", "SCHEMA_INVALID"),
            // The same bytes as `authorization-only`.
            ("result-removed", "OK"),
            ("result-sig-removed", "SCHEMA_INVALID"),
        ]
    );
    assert_eq!(row("result-removed"), row("authorization-only"));
}

#[test]
fn what_nobody_signs_is_said() {
    let detail = |name| verify(row(name).as_bytes(), &keys()).detail;
    assert!(detail("authorization-only").contains("that no result was taken away, nobody signs"));
    assert!(detail("sealed").contains("when the result was sealed, nobody signs"));
}

#[test]
fn an_authorization_that_was_stripped_or_filled_up_is_no_receipt_of_any_kind() {
    let document = row("sealed");
    let without = |names: &[&str]| {
        let value = ambit_canon::parse(document.as_bytes(), &ambit_receipt::LIMITS).unwrap();
        let mut envelope = value.as_object().unwrap().clone();
        for name in names {
            assert!(envelope.remove(name).is_some(), "{name}");
        }
        write(&Value::Object(envelope))
    };
    for (changed, want) in [
        (
            without(&["result"]),
            ("SCHEMA_INVALID", Some("agt-bilateral")),
        ),
        (
            without(&["bilateral"]),
            ("SCHEMA_INVALID", Some("agt-bilateral")),
        ),
        (
            without(&["authorization"]),
            ("SCHEMA_INVALID", Some("agt-bilateral")),
        ),
        (
            without(&["signature"]),
            ("MISSING_SIGNATURE", Some("agt-bilateral")),
        ),
        (
            without(&["authorization", "bilateral"]),
            ("UNKNOWN_FORMAT", Some("agt-skill")),
        ),
        (
            without(&["authorization", "bilateral", "result"]),
            ("SCHEMA_INVALID", Some("agt-skill")),
        ),
        (
            document.replacen('{', "{\"more\":1,", 1),
            ("UNKNOWN_FORMAT", Some("agt-bilateral")),
        ),
        (
            document.replacen(OPERATOR_KID, "other", 1),
            ("UNKNOWN_KEY", Some("agt-bilateral")),
        ),
        (
            document.replacen('{', "{\"pubkey\":\"\",", 1),
            ("AMBIGUOUS_FORMAT", None),
        ),
        (
            document.replacen("\"exit_code\":0", "\"exit_code\":0.0", 1),
            ("HASH_MISMATCH", Some("agt-bilateral")),
        ),
        (
            document.replacen("\"exit_code\"", "\"\u{e9}\"", 1),
            ("NOT_REPRODUCIBLE", Some("agt-bilateral")),
        ),
    ] {
        assert_ne!(changed, document);
        assert_eq!(judge(&changed), want, "{changed}");
    }
}

#[test]
fn any_change_of_a_byte_in_an_authorization_is_found() {
    let tried = assert_every_byte_counts(row("authorization-only").as_bytes(), &keys());
    assert!(tried > 700, "{tried}");
}

#[test]
fn any_change_of_a_byte_in_a_sealed_result_is_found_but_of_when_it_was_sealed() {
    let document = row("sealed");
    let (head, _) = document.split_once("\"sealed_at\":").unwrap();
    let span = head.len()..head.len() + "\"sealed_at\":\"2026-06-01T12:00:00.137Z\"".len();
    let mut unnoticed = 0;
    for (at, byte) in document.bytes().enumerate() {
        let other = byte ^ 1;
        if !byte.is_ascii_alphanumeric() || !other.is_ascii_alphanumeric() {
            continue;
        }
        let mut changed = document.clone().into_bytes();
        changed.splice(at..=at, [other]);
        let valid = verify(&changed, &keys()).code.as_str() == "OK";
        assert!(!valid || span.contains(&at), "byte {at}");
        unnoticed += usize::from(valid);
    }
    assert!((1..20).contains(&unnoticed), "{unnoticed}");
}
