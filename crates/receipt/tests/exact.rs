// SPDX-License-Identifier: Apache-2.0
//! What changes a receipt is found; what changes only how it is spelled is said.
#![expect(clippy::unwrap_used, reason = "a broken vector fails the test")]

mod common;

use ambit_canon::{Limits, Value, parse, write};
use ambit_receipt::{KeySet, Status, VerifyingKey, verify};
use common::{assert_every_byte_counts, bytes, json, list, text};

const OPERATOR: &str = "b14fd168a2f6c7dfdd9b623a71a1d5cf1996c3f89330047b17a4c43cbbdb2f90";

fn any(hex: &str) -> KeySet {
    let mut keys = KeySet::new();
    keys.insert_any(VerifyingKey::from_hex(hex).unwrap());
    keys
}

/// The worked example's 18 receipts, as the skill wrote them.
fn skill() -> Vec<String> {
    let file = json("legacy/agt-receipts.json");
    let rows = file.as_array().unwrap().iter();
    let example = rows.filter(|row| text(row, "name").unwrap().contains('/'));
    example
        .map(|row| text(row, "text").unwrap().to_owned())
        .collect()
}

/// The same decisions as envelopes of the draft.
fn draft() -> Vec<String> {
    let file = json("acta/worked-example-04.json");
    let rows = list(&file, "receipts").iter();
    rows.map(|row| write(row.get("receipt").unwrap())).collect()
}

/// Tries every change in a part of the receipts, so that parts are tried side by side.
fn assert_changes_are_found(receipts: &[String], part: usize, of: usize, least: usize) {
    assert_eq!(receipts.len(), 18);
    let keys = any(OPERATOR);
    let receipts = receipts.iter().skip(part).step_by(of);
    let tried: usize = receipts
        .map(|receipt| assert_every_byte_counts(receipt.as_bytes(), &keys))
        .sum();
    assert!(tried > least, "{tried}");
}

#[test]
fn any_change_in_the_first_half_of_the_worked_example_is_found() {
    assert_changes_are_found(&skill(), 0, 2, 9_000);
}

#[test]
fn any_change_in_the_second_half_of_the_worked_example_is_found() {
    assert_changes_are_found(&skill(), 1, 2, 9_000);
}

#[test]
fn any_change_in_the_first_half_of_the_example_restated_is_found() {
    assert_changes_are_found(&draft(), 0, 2, 9_000);
}

#[test]
fn any_change_in_the_second_half_of_the_example_restated_is_found() {
    assert_changes_are_found(&draft(), 1, 2, 9_000);
}

/// Every character of a name or value taken out, and written twice.
#[test]
fn any_character_too_few_or_too_many_is_found() {
    let keys = any(OPERATOR);
    for document in [skill().remove(0), draft().remove(0)] {
        let mut in_string = false;
        for (at, byte) in document.bytes().enumerate() {
            in_string ^= byte == b'"';
            if byte == b'"' || !in_string {
                continue;
            }
            for text in [&[][..], &[byte, byte][..]] {
                let mut changed = document.clone().into_bytes();
                changed.splice(at..=at, text.iter().copied());
                assert_ne!(verify(&changed, &keys).status, Status::Valid, "byte {at}");
            }
        }
    }
}

/// Status, code, whether canonical, and whether the detail says that it is not.
fn judged(document: &str, keys: &KeySet) -> (&'static str, bool, bool) {
    let verdict = verify(document.as_bytes(), keys);
    let said = verdict
        .detail
        .contains("differs from the canonical one only");
    (verdict.code.as_str(), verdict.canonical, said)
}

#[test]
fn what_changes_the_spelling_alone_is_valid_and_named() {
    let compact = |text: &str| write(&parse(text.as_bytes(), &Limits::default()).unwrap());
    let tampered = |name: &str| {
        let file = json("acta/tamper.json");
        let mut cases = list(&file, "cases").iter();
        let case = cases.find(|case| text(case, "name") == Some(name)).unwrap();
        compact(text(case, "text").unwrap())
    };
    let sb_runtime = json("legacy/sb-runtime.json");
    let first = |value: &Value, name| list(value, name).first().unwrap().clone();
    let sb_runtime = compact(
        first(&first(&sb_runtime, "cases"), "texts")
            .as_str()
            .unwrap(),
    );
    let skill: String = skill().remove(0).lines().map(str::trim).collect();
    let skill = skill.replace("\": ", "\":");
    for canonical in [
        draft().remove(0),
        tampered("flat-valid"),
        tampered("v2-valid"),
        sb_runtime,
        skill,
    ] {
        let keys = any(OPERATOR);
        assert_eq!(judged(&canonical, &keys), ("OK", true, false));
        // Its members in another order: the last goes first.
        let Value::Object(members) = parse(canonical.as_bytes(), &Limits::default()).unwrap()
        else {
            continue;
        };
        let last = members.names().last().unwrap();
        let (head, tail) = canonical.split_once(&format!(",\"{last}\":")).unwrap();
        let reordered = format!(
            "{{\"{last}\":{},{}}}",
            tail.strip_suffix('}').unwrap(),
            head.strip_prefix('{').unwrap()
        );
        for changed in [
            format!("{canonical}\n"),
            canonical.replacen(':', ": ", 1),
            canonical.replacen("\"type\":", "\"\\u0074ype\":", 1),
            reordered,
        ] {
            assert_ne!(changed, canonical);
            assert_eq!(judged(&changed, &keys), ("OK", false, true), "{changed}");
        }
        let changed = canonical.replacen("allow", "allom", 1);
        assert_eq!(judged(&changed, &keys), ("INVALID_SIGNATURE", false, false));
    }
}

/// Only where the signed bytes do not keep how a number was written.
#[test]
fn a_number_spelled_another_way_is_named_or_refused() {
    let keys = any(OPERATOR);
    let number = |document: &str| {
        let at = document.find("\"ring\":").unwrap() + "\"ring\":".len();
        let (head, tail) = document.split_at(at);
        format!(
            "{head} {}",
            tail.trim_start().replacen([',', '}'], ".0,", 1)
        )
    };
    assert_eq!(
        judged(&number(&draft().remove(0)), &keys),
        ("OK", false, true)
    );
    let skill = number(&skill().remove(0));
    assert_eq!(judged(&skill, &keys), ("INVALID_SIGNATURE", false, false));
}

#[test]
fn the_text_that_csc_runner_writes_is_canonical() {
    let mut keys = KeySet::new();
    let key = bytes("csc/keys/vec-key-1.pub.raw");
    keys.insert("vec-key-1", VerifyingKey::decode(&key).unwrap());
    let stored = String::from_utf8(bytes("csc/runs/multi.json")).unwrap();
    assert_eq!(judged(&stored, &keys), ("OK", true, false));
    let compact = write(&parse(stored.as_bytes(), &Limits::default()).unwrap());
    for changed in [compact, stored.trim_end().to_owned()] {
        assert_eq!(judged(&changed, &keys), ("OK", false, true));
    }
}
