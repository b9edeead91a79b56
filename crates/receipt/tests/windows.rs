// SPDX-License-Identifier: Apache-2.0
//! Sets of keys: their JSON form, their names, and when keys were good.
#![expect(clippy::unwrap_used, reason = "a broken vector fails the test")]

mod common;

use ambit_canon::{Value, write};
use ambit_receipt::{KeySet, KeyWindow, SigningKey, Status, VerifyingKey, verify};
use common::{hex, json, list, text};

fn jwks(holder: &Value) -> KeySet {
    let jwks = write(holder.get("jwks").unwrap());
    KeySet::from_jwks(jwks.as_bytes()).unwrap().keys
}

/// Status, code and key status of a receipt.
fn told(receipt: &Value, keys: &KeySet) -> [&'static str; 3] {
    let verdict = verify(write(receipt).as_bytes(), keys);
    let key_status = verdict.key_status.map_or("", |status| status.as_str());
    [verdict.status.as_str(), verdict.code.as_str(), key_status]
}

#[test]
fn a_key_counts_within_its_window_and_no_longer() {
    let file = json("acta/key-window.json");
    let got: Vec<_> = list(&file, "cases")
        .iter()
        .map(|case| {
            let told = told(case.get("receipt").unwrap(), &jwks(case));
            assert_eq!(Some(told[0]), text(case, "expected"), "{case:?}");
            (text(case, "name").unwrap(), told[1], told[2])
        })
        .collect();
    assert_eq!(
        got,
        [
            ("inside", "OK", "inside"),
            ("at-valid-from", "OK", "inside"),
            ("at-valid-until", "KEY_OUTSIDE_WINDOW", "outside"),
            ("after-valid-until", "KEY_OUTSIDE_WINDOW", "outside"),
            ("before-valid-from", "KEY_OUTSIDE_WINDOW", "outside"),
            ("inside-no-window", "OK", "not_established"),
            (
                "offset-equal-to-valid_until",
                "KEY_OUTSIDE_WINDOW",
                "outside"
            ),
            ("offset-just-inside", "OK", "inside"),
            ("fraction-just-inside", "OK", "inside"),
            (
                "window-bound-garbage",
                "KEY_WINDOW_UNDECIDABLE",
                "undecidable"
            ),
            ("window-inverted", "KEY_WINDOW_UNDECIDABLE", "undecidable"),
            ("window-equal", "KEY_WINDOW_UNDECIDABLE", "undecidable"),
            ("issued_at-garbage", "KEY_WINDOW_UNDECIDABLE", "undecidable"),
            ("open-end", "OK", "inside"),
            ("open-start", "OK", "inside"),
            ("leap-second", "KEY_WINDOW_UNDECIDABLE", "undecidable"),
            ("lowercase-t-z", "OK", "inside"),
        ]
    );
}

/// The draft knows no revocation and calls both valid.
#[test]
fn a_receipt_dated_after_its_key_was_revoked_is_invalid() {
    let file = json("acta/revocation.json");
    let keys = jwks(&file);
    let got: Vec<_> = list(&file, "cases")
        .iter()
        .map(|case| {
            let told = told(case.get("receipt").unwrap(), &keys);
            assert_eq!(Some(told[0]), text(case, "expected_if_revocation_checked"));
            told
        })
        .collect();
    assert_eq!(
        got,
        [
            ["valid", "OK", "inside"],
            ["invalid", "KEY_REVOKED", "revoked"]
        ]
    );
    let before = write(list(&file, "cases")[0].get("receipt").unwrap());
    let detail = verify(before.as_bytes(), &keys).detail;
    assert!(detail.contains("the signer's own word"), "{detail}");
}

#[test]
fn receipts_under_a_key_with_a_window_verify_alone() {
    let file = json("acta/timeliness.json");
    let keys = jwks(&file);
    for name in ["genesis", "receipt"] {
        let told = told(file.get(name).unwrap(), &keys);
        assert_eq!(told, ["valid", "OK", "inside"], "{name}");
    }
    // A commitment is no receipt: it has no time, to which the window could be applied.
    let told = told(file.get("commitment").unwrap(), &keys);
    assert_eq!(told, ["invalid", "SCHEMA_INVALID", "undecidable"]);
}

const FLAT: &str = r#"{"type":"a:b","issued_at":"2026-05-01T00:00:00Z","kid":"#;

/// A flat receipt of seed 9 that names `kid`, by way of raw dalek.
fn signed(kid: &str) -> String {
    use ed25519_dalek::Signer as _;
    let body = format!("{FLAT}\"{kid}\"}}");
    let body = ambit_canon::canonicalize(body.as_bytes(), &ambit_receipt::LIMITS).unwrap();
    let signer = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let sig = hex(&signer.sign(body.as_bytes()).to_bytes());
    body.replacen('{', &format!("{{\"signature\":\"{sig}\","), 1)
}

fn key(seed: u8) -> VerifyingKey {
    SigningKey::from_seed(&[seed; 32]).verifying_key()
}

fn revoked(at: &str) -> KeyWindow {
    KeyWindow {
        revoked_at: Some(at.to_owned()),
        ..KeyWindow::default()
    }
}

fn window(from: &str, until: &str) -> KeyWindow {
    KeyWindow {
        valid_from: Some(from.to_owned()),
        valid_until: Some(until.to_owned()),
        revoked_at: None,
    }
}

#[test]
fn a_key_is_named_by_both_of_its_own_ids() {
    let own = [key(9).thumbprint(), key(9).issuer_id()];
    for name in own.iter().map(String::as_str).chain(["ops", "other"]) {
        let document = signed(name);
        let code = |keys: &KeySet| verify(document.as_bytes(), keys).code.as_str();
        let is_own = own.iter().any(|id| id == name);
        let named = |fits| if fits { "OK" } else { "UNKNOWN_KEY" };
        for (id, fits) in [("ops", name == "ops"), (&own[0], is_own), (&own[1], is_own)] {
            let mut by_id = KeySet::new();
            by_id.insert(id, key(9));
            assert_eq!(code(&by_id), named(fits), "{name} under {id}");
        }
        let mut any = KeySet::new();
        any.insert_any(key(9));
        assert_eq!(code(&any), "OK", "{name}");
        let mut wrong = KeySet::new();
        wrong.insert_any(key(8));
        let other = if own[0] == name {
            "UNKNOWN_KEY"
        } else {
            "INVALID_SIGNATURE"
        };
        assert_eq!(code(&wrong), other, "{name}");
        // What the verifier says goes before what the name says.
        wrong.insert(name, key(7));
        wrong.insert_any(key(9));
        assert_eq!(code(&wrong), "INVALID_SIGNATURE", "{name}");
    }
    assert_eq!(key(9).issuer_id().len(), "sb:issuer:".len() + 12);
    let vectors = json("acta/keys.json");
    for row in list(&vectors, "keys") {
        let key = VerifyingKey::from_hex(text(row, "public_key_hex").unwrap()).unwrap();
        assert_eq!(
            Some(key.issuer_id().as_str()),
            text(row, "kid_sb_issuer_base58")
        );
    }
}

#[test]
fn what_is_known_of_a_key_holds_under_all_of_its_names() {
    let document = signed("ops");
    let judged = |keys: &KeySet| {
        let verdict = verify(document.as_bytes(), keys);
        (verdict.code.as_str(), verdict.key_status.unwrap().as_str())
    };
    let mut keys = KeySet::new();
    keys.insert("ops", key(9));
    assert_eq!(judged(&keys), ("OK", "not_established"));
    keys.insert_by_own_id(key(9), &revoked("2026-06-01T00:00:00Z"));
    assert_eq!(judged(&keys), ("OK", "not_established"));
    keys.insert_any_within(key(9), &revoked("soon"));
    assert_eq!(judged(&keys), ("KEY_WINDOW_UNDECIDABLE", "undecidable"));
    keys.insert_any_within(key(9), &revoked("2026-05-01T02:00:00+02:00"));
    assert_eq!(judged(&keys), ("KEY_REVOKED", "revoked"));

    let mut keys = KeySet::new();
    keys.insert_any(key(9));
    keys.insert_any_within(
        key(9),
        &window("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
    );
    assert_eq!(judged(&keys), ("KEY_OUTSIDE_WINDOW", "outside"));
    keys.insert_any_within(
        key(9),
        &window("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"),
    );
    assert_eq!(judged(&keys), ("OK", "inside"));
    keys.insert_within("ops", key(9), &revoked("2026-01-01T00:00:00Z"));
    assert_eq!(judged(&keys), ("KEY_REVOKED", "revoked"));
    // A revocation is not taken back by trusting the key again.
    assert_eq!(keys.insert("ops", key(9)), Some(key(9)));
    assert_eq!(judged(&keys), ("KEY_REVOKED", "revoked"));
    assert_eq!(keys.insert("ops", key(8)), Some(key(9)));
    assert_eq!(
        verify(document.as_bytes(), &keys).code.as_str(),
        "INVALID_SIGNATURE"
    );
}

fn jwk(seed: u8, more: &str) -> String {
    key(seed).to_jwk().replacen('{', &format!("{{{more}"), 1)
}

#[test]
fn a_jwks_gives_its_ed25519_keys_and_counts_the_others() {
    let others = r#"{"kty":"EC","crv":"P-256","x":"","y":"","kid":"ops"},{"kty":"OKP","crv":"X25519","x":""},{"use":"enc","kty":"OKP","crv":"Ed25519"},{}"#;
    let document = format!(
        r#"{{"more":[1],"keys":[{},{others},{},{}]}}"#,
        jwk(
            9,
            r#""kid":"ops","use":"sig","alg":"EdDSA","more":{"a":1},"#
        ),
        jwk(8, ""),
        jwk(8, ""),
    );
    let jwks = KeySet::from_jwks(document.as_bytes()).unwrap();
    assert_eq!((jwks.taken, jwks.skipped), (3, 4));
    assert_eq!(jwks.keys.get("ops"), Some(key(9)));
    assert_eq!(jwks.keys.get(&key(8).thumbprint()), Some(key(8)));
    let status = |kid| verify(signed(kid).as_bytes(), &jwks.keys).status;
    assert_eq!(
        (status("ops"), status("x")),
        (Status::Valid, Status::Undecidable)
    );
    // a key may carry its certificates: the set's limits are the only ones
    let chain = format!(
        r#""kid":"ops","x5c":["{}"],"a":[[[[[[[[]]]]]]]],"#,
        "A".repeat(70_000)
    );
    let large = format!("{{\"keys\":[{}]}}", jwk(9, &chain));
    let large = KeySet::from_jwks(large.as_bytes()).unwrap();
    assert_eq!(large.keys.get("ops"), Some(key(9)));
    let empty = KeySet::from_jwks(br#"{"keys":[]}"#).unwrap();
    assert!(empty.keys.is_empty());
}

#[test]
fn a_jwks_that_is_not_right_is_refused_as_a_whole() {
    let set = |keys: &[String]| format!("{{\"keys\":[{}]}}", keys.join(","));
    let kid = r#""kid":"ops","#;
    for (document, code) in [
        ("[]".to_owned(), "ERR_KEY_MALFORMED"),
        ("{\"keys\":{}}".to_owned(), "ERR_KEY_MALFORMED"),
        ("{\"keys\":[],\"keys\":[]}".to_owned(), "ERR_KEY_MALFORMED"),
        ("{\"keys\":[1]}".to_owned(), "ERR_KEY_MALFORMED"),
        (set(&[jwk(9, r#""kid":"","#)]), "ERR_KEY_MALFORMED"),
        (set(&[jwk(9, r#""kid":1,"#)]), "ERR_KEY_MALFORMED"),
        (set(&[jwk(9, r#""d":"AA","#)]), "ERR_KEY_MALFORMED"),
        (
            set(&[r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.to_owned()]),
            "ERR_KEY_MALFORMED",
        ),
        (
            set(&[format!(
                r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#,
                "A".repeat(43)
            )]),
            "ERR_KEY_SMALL_ORDER",
        ),
        // a private key does not belong here, whatever its public half is
        (
            set(&[format!(
                r#"{{"kty":"OKP","crv":"Ed25519","d":"{0}","x":"{0}"}}"#,
                "A".repeat(43)
            )]),
            "ERR_KEY_MALFORMED",
        ),
        (set(&[jwk(9, kid), jwk(8, kid)]), "ERR_KEY_DUPLICATE"),
        (
            set(&[
                jwk(9, kid),
                jwk(9, r#""kid":"ops","valid_until":"2026-01-01T00:00:00Z","#),
            ]),
            "ERR_KEY_DUPLICATE",
        ),
    ] {
        let got = KeySet::from_jwks(document.as_bytes()).map(|jwks| jwks.taken);
        assert_eq!(got.unwrap_err().code(), code, "{document}");
    }
    let same = set(&[jwk(9, kid), jwk(9, kid)]);
    assert_eq!(KeySet::from_jwks(same.as_bytes()).unwrap().taken, 2);
    // A bound that is no text is not overlooked.
    let bound = set(&[jwk(9, r#""kid":"ops","valid_until":null,"#)]);
    let keys = KeySet::from_jwks(bound.as_bytes()).unwrap().keys;
    let code = verify(signed("ops").as_bytes(), &keys).code.as_str();
    assert_eq!(code, "KEY_WINDOW_UNDECIDABLE");
}
