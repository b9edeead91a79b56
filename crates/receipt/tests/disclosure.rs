// SPDX-License-Identifier: Apache-2.0
//! Fields that are shown apart from the receipt that commits to them.
#![expect(clippy::unwrap_used, reason = "a broken vector fails the test")]

mod common;

use ambit_canon::{Digest, Value, write};
use ambit_receipt::disclosure::{Disclosed, commit, verify_disclosed, verify_fields};
use ambit_receipt::{KeySet, Status, VerifyingKey};
use common::{json, list, text, unhex};

fn root(tree: &Value) -> Digest {
    let root = unhex(text(tree, "root").unwrap());
    Digest::from_bytes(root.try_into().unwrap())
}

fn codes(found: &[Disclosed]) -> Vec<&'static str> {
    found.iter().map(|it| it.code.as_str()).collect()
}

fn code(root: &Digest, disclosure: &Value) -> String {
    codes(&verify_fields(root, write(disclosure).as_bytes())).join(" ")
}

/// The five-field tree, and the disclosure of its last field.
fn five(file: &Value) -> (&Value, Value) {
    let mut trees = list(file, "trees").iter();
    let tree = trees.find(|it| it.get("fields").and_then(Value::as_i64) == Some(5));
    let tree = tree.unwrap();
    (tree, list(tree, "disclosures").last().unwrap().clone())
}

#[test]
fn every_committed_field_verifies_under_its_receipt() {
    let file = json("acta/commitment-mode.json");
    let mut keys = KeySet::new();
    keys.insert_any(VerifyingKey::from_hex(text(&file, "public_key_hex").unwrap()).unwrap());
    let mut fields = 0;
    for tree in list(&file, "trees") {
        let receipt = write(tree.get("receipt").unwrap());
        let shown = list(tree, "disclosures");
        for one in shown {
            assert_eq!(code(&root(tree), one), "OK");
        }
        fields += shown.len();
        for document in [
            write(tree.get("disclosures").unwrap()),
            format!(
                "{{\"disclosures\":{}}}",
                write(tree.get("disclosures").unwrap())
            ),
        ] {
            let (verdict, found) = verify_disclosed(receipt.as_bytes(), &keys, document.as_bytes());
            assert_eq!(verdict.status, Status::Valid);
            assert_eq!(codes(&found), vec!["OK"; shown.len()]);
        }
    }
    assert_eq!((list(&file, "trees").len(), fields), (7, 30));
}

#[test]
fn a_field_that_was_not_committed_so_fails() {
    let file = json("acta/commitment-mode.json");
    let (tree, _) = five(&file);
    let got: Vec<_> = list(&file, "must_fail_against_five_field_root")
        .iter()
        .map(|row| {
            let code = code(&root(tree), row.get("disclosure").unwrap());
            (text(row, "why").unwrap(), code)
        })
        .collect();
    let got: Vec<_> = got
        .iter()
        .map(|(why, code)| (*why, code.as_str()))
        .collect();
    assert_eq!(
        got,
        [
            ("sibling flipped", "ROOT_MISMATCH"),
            ("index off by one", "PROOF_INVALID"),
            ("tree_size 8 (padded-tree assumption)", "PROOF_INVALID"),
            ("extra sibling", "PROOF_INVALID"),
            ("missing sibling", "PROOF_INVALID"),
            ("wrong value", "ROOT_MISMATCH"),
            ("cross-field name", "ROOT_MISMATCH"),
            ("salt padded base64", "SALT_ENCODING"),
            ("index negative", "PROOF_INVALID"),
            ("index >= tree_size", "PROOF_INVALID"),
        ]
    );
}

#[test]
fn what_is_no_disclosure_is_undecidable() {
    let file = json("acta/commitment-mode.json");
    let (tree, good) = five(&file);
    let good = write(&good);
    for (from, to, want) in [
        ("", "", "OK"),
        ("\"name\":", "\"nom\":", "MALFORMED_DISCLOSURE"),
        ("\"value\":", "\"values\":", "MALFORMED_DISCLOSURE"),
        ("\"proof\":", "\"proofs\":", "MALFORMED_DISCLOSURE"),
        ("\"salt\":", "\"salt\":1,\"salz\":", "MALFORMED_DISCLOSURE"),
        ("\"index\":4", "\"index\":4.5", "MALFORMED_DISCLOSURE"),
        ("\"index\":4", "\"index\":\"4\"", "MALFORMED_DISCLOSURE"),
        (
            "\"siblings\":[\"ae",
            "\"siblings\":[\"AE",
            "MALFORMED_DISCLOSURE",
        ),
        ("{", "{\"name\":\"x\",", "MALFORMED_DISCLOSURE"),
        ("{", "", "MALFORMED_DISCLOSURE"),
        (
            "uoIHfl2TmzXXi21UhgjkQVv4FvPJt5u8fobp16Vp7mg\",\"value",
            "uoIHfl2TmzXXi21UhgjkQQ\",\"value",
            "ROOT_MISMATCH",
        ),
        (
            "uoIHfl2TmzXXi21UhgjkQVv4FvPJt5u8fobp16Vp7mg\",\"value",
            "uoIHfl2TmzXXi21Uhgjk\",\"value",
            "SALT_TOO_SHORT",
        ),
    ] {
        // The copy of the leaf's text in the vector is not used, and goes.
        let good = good.replacen("leaf_bytes_utf8", "unused", 1);
        let (head, tail) = good.split_at(good.find("\"name\":\"tool_name\",\"proof\"").unwrap());
        let good = format!("{{{tail}");
        assert!(head.starts_with('{'));
        let changed = good.replacen(from, to, 1);
        assert!(from.is_empty() || changed != good, "{from}");
        let found = verify_fields(&root(tree), changed.as_bytes());
        assert_eq!(codes(&found), [want], "{to}");
    }
    assert_eq!(
        codes(&verify_fields(&root(tree), b"{\"disclosures\":1}")),
        ["MALFORMED_DISCLOSURE"]
    );
    assert_eq!(verify_fields(&root(tree), b"[]"), []);
}

#[test]
fn fields_that_cannot_stand_in_one_tree_are_refused_together() {
    // Whoever commits can put leaves in any order, or one name twice: only made fields show it.
    let node = |left: &Digest, right: &Digest| {
        Digest::of(&[&[1][..], left.as_bytes(), right.as_bytes()].concat())
    };
    let leaf = |text: &str| Digest::of(&[&[0], text.as_bytes()].concat());
    let salt = "uoIHfl2TmzXXi21UhgjkQVv4FvPJt5u8fobp16Vp7mg";
    let text = |name: &str, value: u8| {
        format!("{{\"name\":\"{name}\",\"salt\":\"{salt}\",\"value\":{value}}}")
    };
    for (first, second, want) in [
        (("a", 1), ("b", 2), "OK"),
        (("b", 1), ("a", 2), "FIELD_CONFLICT"),
        (("a", 1), ("a", 2), "FIELD_CONFLICT"),
    ] {
        let leaves = [
            leaf(&text(first.0, first.1)),
            leaf(&text(second.0, second.1)),
        ];
        let shown = |index: usize, field: (&str, u8)| {
            let sibling = leaves[1 - index].hex();
            text(field.0, field.1).replacen(
                '{',
                &format!(
                    "{{\"proof\":{{\"index\":{index},\"tree_size\":2,\"siblings\":[\"{sibling}\"]}},"
                ),
                1,
            )
        };
        let root = node(&leaves[0], &leaves[1]);
        let (first, second) = (shown(0, first), shown(1, second));
        assert_eq!(codes(&verify_fields(&root, first.as_bytes())), ["OK"]);
        let both = format!("[{second},{first},{first}]");
        assert_eq!(codes(&verify_fields(&root, both.as_bytes())), [want; 3]);
    }
}

#[test]
fn fields_of_a_receipt_that_is_not_valid_or_has_no_root_are_undecidable() {
    let file = json("acta/commitment-mode.json");
    let (tree, shown) = five(&file);
    let receipt = write(tree.get("receipt").unwrap());
    let shown = write(&shown);
    let judged = |receipt: &str, keys: &KeySet| {
        let (verdict, found) = verify_disclosed(receipt.as_bytes(), keys, shown.as_bytes());
        (verdict.code.as_str(), codes(&found).join(" "))
    };
    let mut keys = KeySet::new();
    assert_eq!(
        judged(&receipt, &keys),
        ("NO_KEY", "RECEIPT_NOT_VALID".to_owned())
    );
    keys.insert_any(VerifyingKey::from_hex(text(&file, "public_key_hex").unwrap()).unwrap());
    assert_eq!(judged(&receipt, &keys), ("OK", "OK".to_owned()));
    let example = json("acta/worked-example-04.json");
    let without = write(list(&example, "receipts")[0].get("receipt").unwrap());
    assert_eq!(
        judged(&without, &keys),
        ("OK", "NO_COMMITTED_ROOT".to_owned())
    );
}

#[test]
fn what_is_committed_here_can_be_shown() {
    let fields = r#"{"é":[1,{"a":null}],"\ud83d\ude00":1.5,"\uffff":"x","a":true,"b":{}}"#;
    let fields = ambit_canon::parse(fields.as_bytes(), &ambit_receipt::LIMITS).unwrap();
    let made = commit(fields.as_object().unwrap()).unwrap();
    let document = format!("[{}]", made.disclosures.join(","));
    let found = verify_fields(&made.root, document.as_bytes());
    assert_eq!(codes(&found), ["OK"; 5]);
    let names: Vec<_> = found.iter().map(|it| it.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["a", "b", "é", "\u{ffff}", "😀"]);
}
