// SPDX-License-Identifier: Apache-2.0
//! csc receipts: csc-runner's own, tampered ones, and ours.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector fails the test"
)]

mod common;

use ambit_canon::{Digest, Object, Value, write};
use ambit_receipt::{Format, KeySet, SigningKey, Status, VerifyingKey, csc, verify};
use common::{assert_every_byte_counts, bytes, json, keys, list, text};

fn vector_key(id: &str) -> SigningKey {
    SigningKey::decode(&bytes(&format!("csc/keys/{id}.seed.raw"))).unwrap()
}

fn trusted() -> KeySet {
    keys("vec-key-1", vector_key("vec-key-1").verifying_key())
}

/// Takes a stored receipt apart: without its signature, and the signature.
fn unsign(document: &[u8]) -> (Object, Object) {
    let value = ambit_canon::parse(document, &ambit_receipt::LIMITS).unwrap();
    let Value::Object(mut receipt) = value else {
        panic!("not an object")
    };
    let Some(Value::Object(signature)) = receipt.remove("signature") else {
        panic!("not signed")
    };
    (receipt, signature)
}

#[test]
fn receipts_of_real_runs_verify_and_are_reproduced_byte_for_byte() {
    let (mut valid, mut unsigned) = (0, 0);
    for run in json("csc/runs.json").as_array().unwrap() {
        let id = text(run, "id").unwrap();
        let document = bytes(&format!("csc/runs/{id}.json"));
        let verdict = verify(&document, &trusted());
        if run.get("signed").and_then(Value::as_bool) == Some(false) {
            assert_eq!(
                (verdict.status, verdict.code.as_str()),
                (Status::Invalid, "MISSING_SIGNATURE")
            );
            unsigned += 1;
            continue;
        }
        assert_eq!(
            (verdict.status, verdict.code.as_str()),
            (Status::Valid, "OK"),
            "{id}"
        );
        assert_eq!(verdict.format, Some(Format::Csc));
        assert_eq!(verdict.key_id.as_deref(), Some("vec-key-1"));
        assert_eq!(verdict.payload_type.as_deref(), Some("csc.receipt.v0.1"));
        let (receipt, mut signature) = unsign(&document);
        let signed_at = signature
            .get("signed_at")
            .and_then(Value::as_str)
            .unwrap()
            .to_owned();
        let receipt_text = write(&Value::Object(receipt.clone()));
        let key = vector_key("vec-key-1");
        let again = csc::sign(receipt_text.as_bytes(), &key, "vec-key-1", &signed_at).unwrap();
        assert_eq!(again.as_bytes(), document, "{id}");
        signature.remove("signature");
        let mut payload = receipt;
        payload.insert("signature", signature);
        let payload = write(&Value::Object(payload));
        let digest = Digest::of(payload.as_bytes()).hex();
        assert_eq!(
            Some(digest.as_str()),
            text(run, "signing_payload_sha256"),
            "{id}"
        );
        valid += 1;
    }
    assert_eq!((valid, unsigned), (33, 1));
}

#[test]
fn the_digest_is_that_of_the_canonical_text_whatever_the_spelling() {
    let (pretty, compact) = (
        bytes("csc/tampered/00-baseline.json"),
        bytes("csc/tampered/01-compact.json"),
    );
    let value = ambit_canon::parse(&pretty, &ambit_receipt::LIMITS).unwrap();
    let want = Some(Digest::of(write(&value).as_bytes()));
    assert_eq!(verify(&pretty, &trusted()).digest, want);
    assert_eq!(verify(&compact, &trusted()).digest, want);
    assert_eq!(verify(b"{", &trusted()).digest, None);
}

#[test]
fn tampered_receipts_get_the_answer_we_want() {
    let cases = json("csc/tampered.json");
    let mut got = Vec::new();
    for case in cases.as_array().unwrap() {
        let member = |name| text(case, name).unwrap();
        let document = bytes(&format!("csc/{}", member("file")));
        let key = VerifyingKey::decode(&bytes(&format!("csc/{}", member("public_key")))).unwrap();
        let verdict = verify(&document, &keys(member("key_id"), key));
        let recorded = text(case.get("reference").unwrap(), "message").unwrap();
        let wanted = text(case, "desired_in_replacement").unwrap_or(recorded);
        assert_eq!(
            verdict.status == Status::Valid,
            wanted.starts_with("VALID"),
            "{}",
            member("id")
        );
        got.push((member("id"), verdict.status.as_str(), verdict.code.as_str()));
    }
    assert_eq!(got, TAMPERED);
}

#[test]
fn signatures_are_deterministic_and_those_of_the_reference() {
    let cases = json("csc/signing.json");
    for case in &cases.as_array().unwrap()[..3] {
        let member = |name| text(case, name).unwrap();
        let receipt = write(case.get("receipt").unwrap());
        let key = vector_key(member("key_id"));
        let signed = csc::sign(
            receipt.as_bytes(),
            &key,
            member("key_id"),
            member("signed_at"),
        );
        let signed = ambit_canon::parse(signed.unwrap().as_bytes(), &ambit_receipt::LIMITS);
        assert_eq!(signed.as_ref().ok(), case.get("signed"), "{}", member("id"));
    }
}

#[test]
fn a_key_is_found_by_id_by_thumbprint_or_given_for_any() {
    let key = vector_key("vec-key-1");
    let (public, other) = (key.verifying_key(), vector_key("vec-key-2").verifying_key());
    let receipt = write(
        json("csc/signing.json").as_array().unwrap()[0]
            .get("receipt")
            .unwrap(),
    );
    let sign = |id: &str| csc::sign(receipt.as_bytes(), &key, id, "2026-01-01T00:00:00Z").unwrap();
    let (named, by_print) = (sign("deploy-key"), sign(&public.thumbprint()));
    let any = |key| {
        let mut keys = KeySet::new();
        keys.insert_any(key);
        keys
    };
    let mut print = KeySet::new();
    print.insert_by_thumbprint(public);
    let mut both = any(other);
    both.insert_any(public);
    let mut explicit = any(public);
    explicit.insert("deploy-key", other);
    let cases = [
        (&named, keys("deploy-key", public), "OK"),
        (&named, any(public), "OK"),
        (&named, both.clone(), "OK"),
        (&named, any(other), "INVALID_SIGNATURE"),
        // An id that was given is binding: no other key may stand in for it.
        (&named, explicit, "INVALID_SIGNATURE"),
        (&named, print.clone(), "UNKNOWN_KEY"),
        (&named, keys("deploy", public), "UNKNOWN_KEY"),
        (&named, KeySet::new(), "NO_KEY"),
        (&by_print, print, "OK"),
        (&by_print, any(public), "OK"),
        (&by_print, both, "OK"),
        (&by_print, any(other), "UNKNOWN_KEY"),
        (&by_print, keys("deploy-key", public), "UNKNOWN_KEY"),
    ];
    for (index, (document, keys, want)) in cases.iter().enumerate() {
        assert_eq!(
            verify(document.as_bytes(), keys).code.as_str(),
            *want,
            "row {index}"
        );
    }
}

#[test]
fn a_bad_receipt_is_an_error_and_never_a_signature() {
    let receipt = write(
        json("csc/signing.json").as_array().unwrap()[0]
            .get("receipt")
            .unwrap(),
    );
    let long = receipt.replacen(
        "\"error\":\"\"",
        &format!("\"error\":\"{}\"", "é".repeat(200_000)),
        1,
    );
    let (id, time) = ("k", "2026-01-01T00:00:00Z");
    let cases = [
        (receipt.replace('}', ""), id, time, "ERR_RECEIPT_MALFORMED"),
        (
            receipt.replacen('{', "{\"signature\":null,", 1),
            id,
            time,
            "ERR_RECEIPT_ALREADY_SIGNED",
        ),
        (
            receipt.replace("\"exit_code\":0", "\"exit_code\":0.0"),
            id,
            time,
            "ERR_RECEIPT_MALFORMED",
        ),
        (
            receipt.replacen('{', "{\"status\":\"failed\",", 1),
            id,
            time,
            "ERR_RECEIPT_MALFORMED",
        ),
        ("[]".to_owned(), id, time, "ERR_RECEIPT_SCHEMA"),
        (
            receipt.replace("\"exit_code\":0", "\"exit_code\":5"),
            id,
            time,
            "ERR_RECEIPT_SCHEMA",
        ),
        (receipt.clone(), "", time, "ERR_RECEIPT_KEY_ID"),
        (
            receipt.clone(),
            id,
            "2026-01-01T00:00:00",
            "ERR_RECEIPT_TIME",
        ),
        (long, id, time, "ERR_RECEIPT_TOO_LARGE"),
    ];
    for (receipt, id, time, want) in cases {
        let got = csc::sign(receipt.as_bytes(), &vector_key("vec-key-1"), id, time);
        assert_eq!(got.map_err(|error| error.code()), Err(want));
    }
}

#[test]
fn any_change_of_a_byte_in_a_string_or_number_is_found() {
    let tried = assert_every_byte_counts(&bytes("csc/runs/success.json"), &trusted());
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn every_prefix_of_a_receipt_is_refused() {
    let document = bytes("csc/runs/deny.json");
    let complete = document.len() - 1;
    for end in 0..complete {
        let verdict = verify(&document[..end], &trusted());
        assert_eq!(
            (verdict.status, verdict.code.as_str()),
            (Status::Undecidable, "MALFORMED_JSON")
        );
    }
    assert_eq!(list(&json("acta/tamper.json"), "cases").len(), 65);
}

/// What the parser cannot read is undecidable, where csc-runner says invalid or crashes.
const TAMPERED: [(&str, &str, &str); 53] = [
    ("00-baseline", "valid", "OK"),
    ("01-compact", "valid", "OK"),
    ("10-00-status", "invalid", "INVALID_SIGNATURE"),
    ("10-01-exit_code", "invalid", "INVALID_SIGNATURE"),
    ("10-02-contract_sha256", "invalid", "INVALID_SIGNATURE"),
    ("10-03-policy_sha256", "invalid", "INVALID_SIGNATURE"),
    ("10-04-policy_profile", "invalid", "INVALID_SIGNATURE"),
    ("10-05-execution_mode", "invalid", "INVALID_SIGNATURE"),
    ("10-06-runner_version", "invalid", "INVALID_SIGNATURE"),
    ("10-07-started_at", "invalid", "INVALID_SIGNATURE"),
    ("10-08-stdout_hash", "invalid", "INVALID_SIGNATURE"),
    ("10-09-error", "invalid", "INVALID_SIGNATURE"),
    (
        "10-10-completed_command_ids",
        "invalid",
        "INVALID_SIGNATURE",
    ),
    ("10-11-failed_command_id", "invalid", "INVALID_SIGNATURE"),
    ("10-12-contract_id", "invalid", "INVALID_SIGNATURE"),
    ("10-13-execution_id", "invalid", "INVALID_SIGNATURE"),
    ("10-14-artifacts", "invalid", "INVALID_SIGNATURE"),
    ("20-removed-field", "invalid", "INVALID_SIGNATURE"),
    ("21-added-field", "invalid", "INVALID_SIGNATURE"),
    ("22-added-null", "invalid", "INVALID_SIGNATURE"),
    ("23-null-dropped", "invalid", "INVALID_SIGNATURE"),
    ("30-sig-missing", "invalid", "MISSING_SIGNATURE"),
    ("31-sig-string", "invalid", "MALFORMED_SIGNATURE"),
    ("32-alg", "invalid", "UNSUPPORTED_ALGORITHM"),
    ("33-alg-none", "invalid", "UNSUPPORTED_ALGORITHM"),
    ("34-keyid", "invalid", "INVALID_SIGNATURE"),
    ("35-wrong-pub", "invalid", "INVALID_SIGNATURE"),
    ("36-unknown-keyid", "undecidable", "UNKNOWN_KEY"),
    ("37-signed_at", "invalid", "INVALID_SIGNATURE"),
    ("38-sig-extra", "invalid", "MALFORMED_SIGNATURE"),
    ("39-sig-empty", "invalid", "MALFORMED_SIGNATURE"),
    ("40-sig-short", "invalid", "SIGNATURE_ENCODING"),
    ("41-sig-nopad", "invalid", "SIGNATURE_ENCODING"),
    ("42-sig-malleated", "invalid", "SIGNATURE_ENCODING"),
    ("43-sig-s-plus-L", "invalid", "INVALID_SIGNATURE"),
    ("44-sig-urlsafe", "invalid", "SIGNATURE_ENCODING"),
    ("45-sig-newline", "invalid", "SIGNATURE_ENCODING"),
    ("50-dup-first", "undecidable", "MALFORMED_JSON"),
    ("51-dup-last", "undecidable", "MALFORMED_JSON"),
    ("52-neg0", "invalid", "NON_CANONICAL"),
    ("53-float", "invalid", "NON_CANONICAL"),
    ("54-exp", "invalid", "NON_CANONICAL"),
    ("55-false", "invalid", "INVALID_SIGNATURE"),
    ("56-escape", "valid", "OK"),
    ("57-nan", "undecidable", "MALFORMED_JSON"),
    ("58-trailing", "undecidable", "MALFORMED_JSON"),
    ("59-bom", "undecidable", "MALFORMED_JSON"),
    ("60-list", "undecidable", "UNKNOWN_FORMAT"),
    ("61-badutf8", "undecidable", "MALFORMED_JSON"),
    ("62-keyid-list", "invalid", "MALFORMED_SIGNATURE"),
    ("63-pem-pub", "valid", "OK"),
    ("64-not-a-receipt", "invalid", "SCHEMA_INVALID"),
    ("65-inconsistent", "invalid", "SCHEMA_INVALID"),
];
