// SPDX-License-Identifier: Apache-2.0
//! Receipts of formats that are only read: as recorded, tampered with, and of two shapes.
#![expect(clippy::unwrap_used, reason = "a broken vector fails the test")]

mod common;

use ambit_canon::{Value, write};
use ambit_receipt::{Format, KeySet, Status, VerifyingKey, verify};
use common::{assert_every_byte_counts, bytes, json, keys, list, text};

/// The public key of the recorded receipts, and the ids that they give it.
const OPERATOR: &str = "b14fd168a2f6c7dfdd9b623a71a1d5cf1996c3f89330047b17a4c43cbbdb2f90";
const OPERATOR_KID: &str = "5yI6I8jsBNPyQwqyU4Z6MpuCPtzrBznMwJeRVNNJFHU";
const OTHER: &str = "3f09e960d320e4c69a594282486c545067117ada39a24f6bc3ecfd0c47a396f7";

fn any(hex: &str) -> KeySet {
    let mut keys = KeySet::new();
    keys.insert_any(VerifyingKey::from_hex(hex).unwrap());
    keys
}

fn named(id: &str, hex: &str) -> KeySet {
    keys(id, VerifyingKey::from_hex(hex).unwrap())
}

/// The code and the format's name.
fn judge(document: &str, keys: &KeySet) -> (&'static str, Option<&'static str>) {
    let verdict = verify(document.as_bytes(), keys);
    (verdict.code.as_str(), verdict.format.map(Format::as_str))
}

#[test]
fn receipts_of_the_skill_verify_as_python_signed_them() {
    let file = json("legacy/agt-receipts.json");
    let mut differ = Vec::new();
    for row in file.as_array().unwrap() {
        let (name, document) = (text(row, "name").unwrap(), text(row, "text").unwrap());
        assert_eq!(row.get("verify_receipt"), Some(&Value::Bool(true)));
        let got = judge(document, &any(OPERATOR));
        if got != ("OK", Some("agt-skill")) {
            differ.push((name, got.0));
        }
    }
    let want = [
        ("lone-surrogate", "MALFORMED_JSON"),
        ("custom-kid-issuer-ring0", "UNKNOWN_KEY"),
    ];
    assert_eq!(
        (differ.as_slice(), file.as_array().map(<[_]>::len)),
        (want.as_slice(), Some(36))
    );
    let custom = file.as_array().unwrap().iter();
    let mut custom = custom.filter(|row| text(row, "name") == Some("custom-kid-issuer-ring0"));
    let custom = custom.next().and_then(|row| text(row, "text")).unwrap();
    let got = judge(custom, &named("custom-kid", OPERATOR));
    assert_eq!(got, ("OK", Some("agt-skill")));
}

#[test]
fn tampered_receipts_of_the_skill_never_verify() {
    let file = json("legacy/agt-tamper.json");
    let mut got = Vec::new();
    for case in file.as_array().unwrap() {
        let document = text(case, "text").unwrap();
        let code = judge(document, &any(text(case, "key").unwrap())).0;
        let skill = case.get("skill").and_then(Value::as_bool);
        assert!(code != "OK" || skill == Some(true), "laxer than the skill");
        got.push((text(case, "name").unwrap(), code));
    }
    assert_eq!(got, AGT_TAMPERED);
}

#[test]
fn another_key_than_the_skill_s_receipt_names_does_not_verify_it() {
    let document = agt();
    assert_eq!(judge(&document, &any(OPERATOR)).0, "OK");
    assert_eq!(judge(&document, &any(OTHER)).0, "UNKNOWN_KEY");
    assert_eq!(judge(&document, &named("other", OPERATOR)).0, "UNKNOWN_KEY");
    assert_eq!(
        judge(&document, &named(OPERATOR_KID, OTHER)).0,
        "INVALID_SIGNATURE"
    );
    assert_eq!(judge(&document, &KeySet::new()).0, "NO_KEY");
}

#[test]
fn receipts_of_the_sb_program_verify_by_a_trusted_key_alone() {
    let file = json("legacy/sb-runtime.json");
    let mut got = Vec::new();
    for case in list(&file, "cases") {
        let documents = list(case, "texts")
            .iter()
            .map(|text| text.as_str().unwrap());
        let codes = documents.map(|document| judge(document, &any(OPERATOR)));
        let codes: Vec<&str> = codes
            .filter(|got| *got != ("OK", Some("sb-runtime")))
            .map(|(code, _)| code)
            .collect();
        got.push((text(case, "name").unwrap(), codes.join(" ")));
    }
    let got: Vec<(&str, &str)> = got
        .iter()
        .map(|(name, codes)| (*name, codes.as_str()))
        .collect();
    assert_eq!(got, SB_RUNTIME);
}

#[test]
fn what_serde_json_would_sign_must_be_certain() {
    let document = sb_runtime();
    assert_eq!(judge(&document, &any(OPERATOR)).0, "OK");
    assert_eq!(judge(&document, &named("any name", OPERATOR)).0, "OK");
    assert_eq!(judge(&document, &named("any name", OTHER)).0, "UNKNOWN_KEY");
    for (from, to, want) in [
        ("\"sequence\":1", "\"sequence\":1.0", "NOT_REPRODUCIBLE"),
        ("\"sequence\":1", "\"sequence\":1e0", "NOT_REPRODUCIBLE"),
        ("\"args\"", "\"\u{e9}\"", "NOT_REPRODUCIBLE"),
        (
            "\"sequence\":1",
            "\"sequence\":1,\"sequence\":1",
            "MALFORMED_JSON",
        ),
        ("\"pubkey\":\"b1", "\"pubkey\":\"B1", "MALFORMED_SIGNATURE"),
        ("\"pubkey\":", "\"kid\":", "UNKNOWN_FORMAT"),
    ] {
        let changed = document.replacen(from, to, 1);
        assert_ne!(changed, document, "{from}");
        assert_eq!(judge(&changed, &any(OPERATOR)).0, want, "{to}");
    }
}

#[test]
fn flat_receipts_of_version_1_verify_as_published() {
    let file = json("legacy/flat-v1.json");
    let key = text(&file, "public_key").unwrap();
    for row in list(&file, "vectors") {
        let document = write(row.get("signed_artifact").unwrap());
        assert_eq!(judge(&document, &any(key)), ("OK", Some("flat-v1")));
        assert_eq!(judge(&document, &named("x", key)), ("OK", Some("flat-v1")));
        assert_eq!(judge(&document, &any(OTHER)).0, "INVALID_SIGNATURE");
        assert_eq!(judge(&document, &KeySet::new()).0, "NO_KEY");
        let versioned = document.replacen("\"v\":1", "\"v\":2", 1);
        assert_eq!(judge(&versioned, &any(key)).0, "UNKNOWN_FORMAT");
    }
    assert_eq!(list(&file, "vectors").len(), 4);
}

#[test]
fn flat_receipts_keep_the_draft_s_rules() {
    let document = tampered("flat-valid");
    for (from, to, want) in [
        (
            "\"kid\": \"sb:issuer:",
            "\"kid\": \"sb:other:",
            "ISSUER_MISMATCH",
        ),
        ("\"ed25519\"", "\"Ed25519\"", "UNSUPPORTED_ALGORITHM"),
        ("\"ed25519\"", "null", "MALFORMED_SIGNATURE"),
        ("\"8049f6", "\"8049F6", "SIGNATURE_ENCODING"),
        (
            "\"signature\": \"",
            "\"signature\": 1, \"x\": \"",
            "MALFORMED_SIGNATURE",
        ),
        (
            "\"signature\": \"",
            "\"signature\": null, \"x\": \"",
            "MISSING_SIGNATURE",
        ),
    ] {
        let changed = document.replacen(from, to, 1);
        assert_ne!(changed, document, "{from}");
        assert_eq!(
            judge(&changed, &any(OPERATOR)),
            (want, Some("flat-v1")),
            "{to}"
        );
    }
}

#[test]
fn receipts_of_version_2_verify_by_a_key_from_outside() {
    let file = json("acta/embedded-key.json");
    let mut got = Vec::new();
    for case in list(&file, "cases") {
        let Some(name) =
            text(case, "name").and_then(|name| name.strip_prefix("decision-receipt-v2/"))
        else {
            continue;
        };
        let receipt = case.get("receipt").unwrap();
        let kid = text(receipt, "kid").unwrap();
        let keys = text(case, "key").map_or_else(KeySet::new, |key| named(kid, key));
        let verdict = verify(write(receipt).as_bytes(), &keys);
        assert_eq!(Some(verdict.status.as_str()), text(case, "expected"));
        assert_eq!(
            (verdict.format, verdict.key_id.as_deref()),
            (Some(Format::V2), Some(kid))
        );
        got.push((name, verdict.code.as_str()));
    }
    let want = [
        ("no-key", "NO_KEY"),
        ("bystander", "INVALID_SIGNATURE"),
        ("own-key-supplied-externally", "OK"),
    ];
    assert_eq!(got, want);
}

#[test]
fn a_published_receipt_of_version_2_with_commitments_verifies() {
    let file = json("legacy/v2-redacted.json");
    let jwk = file
        .get("verification")
        .and_then(|it| it.get("signing_keys"));
    let jwk = jwk
        .and_then(Value::as_array)
        .and_then(<[_]>::first)
        .unwrap();
    let key = VerifyingKey::from_jwk(write(jwk).as_bytes()).unwrap();
    let document = write(file.get("redacted_receipt").unwrap());
    let verdict = verify(document.as_bytes(), &keys(text(jwk, "kid").unwrap(), key));
    assert_eq!(
        (verdict.status, verdict.format),
        (Status::Valid, Some(Format::V2))
    );
}

#[test]
fn receipts_of_version_2_keep_their_rules() {
    let document = tampered("v2-valid");
    for (from, to, want) in [
        ("\"v\": 2", "\"v\": 1", "UNKNOWN_FORMAT"),
        ("\"v\": 2", "\"v\": \"2\"", "UNKNOWN_FORMAT"),
        ("\"ed25519\"", "\"none\"", "UNSUPPORTED_ALGORITHM"),
        (
            "\"kid\": \"sb",
            "\"kid\": 1, \"x\": \"sb",
            "MALFORMED_SIGNATURE",
        ),
        (
            "\"issuer\": \"x\"",
            "\"issuer\": \"y\"",
            "INVALID_SIGNATURE",
        ),
        (
            "\"decision\": \"allow\"",
            "\"decision\": \"deny\"",
            "INVALID_SIGNATURE",
        ),
    ] {
        let changed = document.replacen(from, to, 1);
        assert_ne!(changed, document, "{from}");
        assert_eq!(judge(&changed, &any(OPERATOR)), (want, Some("v2")), "{to}");
    }
}

#[test]
fn documents_of_two_shapes_are_undecidable_whoever_signed_them() {
    let agt = agt();
    let issuer = agt.replacen(OPERATOR_KID, "sb:issuer:5yI6I8jsBNPy", 1);
    let rows = [
        issuer,
        sb_runtime().replacen('{', "{\"v\":2,", 1),
        tampered("v2-valid").replacen('{', "{\"pubkey\":\"\",", 1),
        tampered("v2-valid").replacen('{', "{\"receipt_version\":\"\",", 1),
        tampered("flat-valid").replacen('{', "{\"receipt_version\":\"\",", 1),
        agt.replacen('{', "{\"v\":2,", 1),
        agt.replacen('{', "{\"pubkey\":\"\",", 1),
        agt.replacen("\"kid\"", "\"algorithm\":\"\",\"kid\"", 1),
    ];
    for document in rows {
        let verdict = verify(document.as_bytes(), &any(OPERATOR));
        let got = (verdict.status, verdict.code.as_str(), verdict.format);
        assert_eq!(
            got,
            (Status::Undecidable, "AMBIGUOUS_FORMAT", None),
            "{document}"
        );
    }
}

#[test]
fn any_change_of_a_byte_in_a_receipt_of_any_format_is_found() {
    let compact = |document: String| write(&parsed(&document)).into_bytes();
    let rows = [
        (agt().into_bytes(), 800),
        (sb_runtime().into_bytes(), 500),
        (compact(tampered("flat-valid")), 440),
        (compact(tampered("v2-valid")), 400),
    ];
    for (document, least) in rows {
        let tried = assert_every_byte_counts(&document, &any(OPERATOR));
        assert!(tried > least, "{tried} of {least}");
    }
}

fn parsed(document: &str) -> Value {
    ambit_canon::parse(document.as_bytes(), &ambit_canon::Limits::default()).unwrap()
}

/// The first receipt of the worked example, in one line.
fn agt() -> String {
    let file = json("legacy/agt-receipts.json");
    let text = file
        .as_array()
        .unwrap()
        .first()
        .and_then(|row| text(row, "text"));
    text.unwrap().lines().map(str::trim).collect()
}

/// The first receipt that the program wrote, in one line.
fn sb_runtime() -> String {
    let file = json("legacy/sb-runtime.json");
    let case = list(&file, "cases").first().unwrap();
    write(&parsed(
        list(case, "texts").first().and_then(Value::as_str).unwrap(),
    ))
}

/// A text of the draft's vectors.
fn tampered(name: &str) -> String {
    let file = ambit_canon::parse(&bytes("acta/tamper.json"), &ambit_canon::Limits::default());
    let file = file.unwrap();
    let mut cases = list(&file, "cases").iter();
    let case = cases.find(|case| text(case, "name") == Some(name)).unwrap();
    text(case, "text").unwrap().to_owned()
}

/// The codes of the receipts of a case that are not valid. Links and gaps are no receipt's matter.
const SB_RUNTIME: &[(&str, &str)] = &[
    ("valid-4", ""),
    ("truncated-tail", ""),
    ("dropped-head", ""),
    ("dropped-middle", ""),
    ("swapped", ""),
    ("flip-decision", "INVALID_SIGNATURE"),
    ("unknown-payload-field-injected", "INVALID_SIGNATURE"),
    ("unknown-action-field-injected", "INVALID_SIGNATURE"),
    ("unknown-envelope-field", "UNKNOWN_FORMAT"),
    ("policy_id-removed", "INVALID_SIGNATURE"),
    ("sig-uppercase", "SIGNATURE_ENCODING"),
    ("pubkey-changed-second", "UNKNOWN_KEY"),
    ("last-signature-wrong", "INVALID_SIGNATURE"),
    (
        "whole-chain-resigned-by-attacker",
        "UNKNOWN_KEY UNKNOWN_KEY UNKNOWN_KEY UNKNOWN_KEY",
    ),
];

const AGT_TAMPERED: &[(&str, &str)] = &[
    ("valid-reordered-keys", "OK"),
    ("valid-minified", "OK"),
    ("valid-unicode-escaped-ascii", "OK"),
    ("wrong-key", "UNKNOWN_KEY"),
    ("flip-sandbox_backend", "INVALID_SIGNATURE"),
    ("flip-ring", "INVALID_SIGNATURE"),
    ("flip-decision", "INVALID_SIGNATURE"),
    ("flip-agent_id", "INVALID_SIGNATURE"),
    ("flip-policy_id", "INVALID_SIGNATURE"),
    ("flip-policy_digest", "INVALID_SIGNATURE"),
    ("flip-trust_score", "INVALID_SIGNATURE"),
    ("flip-issuer_id", "INVALID_SIGNATURE"),
    ("flip-issued_at", "INVALID_SIGNATURE"),
    ("flip-type", "SIGNATURE_ENCODING"),
    ("drop-type", "SIGNATURE_ENCODING"),
    ("drop-agent_id", "INVALID_SIGNATURE"),
    ("drop-action", "SIGNATURE_ENCODING"),
    ("drop-decision", "INVALID_SIGNATURE"),
    ("drop-ring", "INVALID_SIGNATURE"),
    ("drop-sandbox_backend", "INVALID_SIGNATURE"),
    ("drop-policy_id", "INVALID_SIGNATURE"),
    ("drop-trust_score", "INVALID_SIGNATURE"),
    ("drop-issuer_id", "INVALID_SIGNATURE"),
    ("drop-issued_at", "INVALID_SIGNATURE"),
    ("add-previousReceiptHash", "INVALID_SIGNATURE"),
    ("add-null-field", "INVALID_SIGNATURE"),
    ("trust-1.0-to-1-int", "INVALID_SIGNATURE"),
    ("trust-1.0-to-1e0", "OK"),
    ("trust-1.0-to-1.00", "OK"),
    ("ring-2-to-true-like", "INVALID_SIGNATURE"),
    ("add-envelope-field", "UNKNOWN_FORMAT"),
    ("alg-ES256", "UNSUPPORTED_ALGORITHM"),
    ("alg-EDDSA", "UNSUPPORTED_ALGORITHM"),
    ("alg-Ed25519", "UNSUPPORTED_ALGORITHM"),
    ("alg-empty", "UNSUPPORTED_ALGORITHM"),
    ("alg-missing", "MALFORMED_SIGNATURE"),
    ("sig-hex", "SIGNATURE_ENCODING"),
    ("sig-std-base64-padded", "SIGNATURE_ENCODING"),
    ("sig-b64url-padded", "SIGNATURE_ENCODING"),
    ("sig-empty", "MALFORMED_SIGNATURE"),
    ("sig-truncated", "SIGNATURE_ENCODING"),
    ("sig-extended", "SIGNATURE_ENCODING"),
    ("sig-bitflip-R", "INVALID_SIGNATURE"),
    ("sig-bitflip-S", "INVALID_SIGNATURE"),
    ("sig-garbage", "SIGNATURE_ENCODING"),
    ("sig-number", "MALFORMED_SIGNATURE"),
    ("sig-S-plus-L", "INVALID_SIGNATURE"),
    (
        "sig-b64url-noncanonical-trailing-bits",
        "SIGNATURE_ENCODING",
    ),
    ("sig-with-newline", "SIGNATURE_ENCODING"),
    ("sig-with-junk-chars", "SIGNATURE_ENCODING"),
    ("payload-null", "UNKNOWN_FORMAT"),
    ("signature-null", "MISSING_SIGNATURE"),
    ("signature-string", "MALFORMED_SIGNATURE"),
    ("signature-list", "MALFORMED_SIGNATURE"),
    ("payload-empty-object", "SIGNATURE_ENCODING"),
    ("payload-array", "UNKNOWN_FORMAT"),
    ("payload-string", "UNKNOWN_FORMAT"),
    ("envelope-array", "UNKNOWN_FORMAT"),
    ("envelope-string", "UNKNOWN_FORMAT"),
    ("envelope-null", "UNKNOWN_FORMAT"),
    ("empty-object", "UNKNOWN_FORMAT"),
    ("dup-key-last-wins-bad", "MALFORMED_JSON"),
    ("dup-signature", "MALFORMED_JSON"),
    ("non-ascii-key", "NOT_REPRODUCIBLE"),
    ("json-nan", "MALFORMED_JSON"),
    ("json-infinity", "MALFORMED_JSON"),
    ("bigint", "MALFORMED_JSON"),
    ("trailing-garbage", "MALFORMED_JSON"),
    ("bom", "MALFORMED_JSON"),
    ("nested-deep", "MALFORMED_JSON"),
];
