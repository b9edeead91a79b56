// SPDX-License-Identifier: Apache-2.0
//! Receipts in DSSE envelopes, there and back.
#![expect(clippy::unwrap_used, reason = "a broken fixture fails the test")]

use ambit_canon::{Digest, Limits, Value, parse};
use ambit_receipt::acta::{self, SignOptions};
use ambit_receipt::{KeySet, KeyWindow, SigningKey, Status, VerifyingKey, csc, dsse, verify};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

const AT: &str = "2026-11-20T00:00:00Z";

fn signer() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

fn exporter() -> SigningKey {
    SigningKey::from_seed(&[2; 32])
}

fn any(key: VerifyingKey) -> KeySet {
    let mut keys = KeySet::new();
    keys.insert_any(key);
    keys
}

/// Receipts whose exact bytes are not canonical, too.
fn receipts() -> Vec<Vec<u8>> {
    let payload = r#"{"type":"example:note","issued_at":"2026-01-01T00:00:00Z","é":"☃"}"#;
    let payload = payload.replace('é', "e");
    let sealed = acta::sign(payload.as_bytes(), &signer(), SignOptions::default()).unwrap();
    let spaced = String::from_utf8(sealed.clone()).unwrap();
    let spaced = spaced.replace("{\"", "{\r\n\"").replace(",\"", " ,\t\"");
    let receipt = br#"{"receipt_version":"csc.receipt.v0.1","contract_id":"c","execution_id":"e",
        "contract_sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "status":"success","exit_code":0,"started_at":"2026-01-01T00:00:00Z",
        "stdout_hash":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "stderr_hash":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "ended_at":"2026-01-01T00:00:00Z","policy_profile":"p","artifacts":[{"path":"/out/a",
        "sha256":"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"}]}"#;
    let csc = csc::sign(receipt, &signer(), "key-1", "2026-01-01T00:00:00Z").unwrap();
    assert_ne!(spaced.as_bytes(), sealed);
    vec![sealed, spaced.into_bytes(), csc.into_bytes()]
}

fn exported(receipt: &[u8]) -> String {
    dsse::export(receipt, &any(signer().verifying_key()), AT, &exporter()).unwrap()
}

/// An envelope of this statement, signed by the exporter.
fn envelope(payload_type: &str, body: &[u8]) -> String {
    let sig = exporter_signature(payload_type, body);
    format!(
        r#"{{"payload":"{}","payloadType":"{payload_type}","signatures":[{{"sig":"{sig}"}}]}}"#,
        STANDARD.encode(body)
    )
}

fn exporter_signature(payload_type: &str, body: &[u8]) -> String {
    let key: &dyn ambit_receipt::Sign = &exporter();
    STANDARD.encode(key.sign(&dsse::pae(payload_type, body)).unwrap())
}

fn statement_in(envelope: &str) -> String {
    let envelope = parse(envelope.as_bytes(), &Limits::default()).unwrap();
    let payload = envelope.get("payload").and_then(Value::as_str).unwrap();
    String::from_utf8(STANDARD.decode(payload).unwrap()).unwrap()
}

fn code(envelope: &str, keys: &KeySet) -> &'static str {
    match dsse::import(envelope.as_bytes(), keys) {
        Ok(_) => "OK",
        Err(error) => error.code(),
    }
}

/// secure-systems-lab/dsse, protocol.md, and the same by hand.
#[test]
fn the_encoding_that_is_signed_is_as_published() {
    for (payload_type, body, want) in [
        (
            "http://example.com/HelloWorld",
            "hello world",
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
        ),
        ("", "", "DSSEv1 0  0 "),
        ("é", "☃\0", "DSSEv1 2 é 4 ☃\0"),
    ] {
        assert_eq!(dsse::pae(payload_type, body.as_bytes()), want.as_bytes());
    }
}

#[test]
fn a_receipt_comes_back_byte_for_byte() {
    for receipt in receipts() {
        let envelope = exported(&receipt);
        let keys = any(exporter().verifying_key());
        let got = dsse::import(envelope.as_bytes(), &keys).unwrap();
        assert_eq!(got.receipt, receipt);
        assert_eq!(got.exported_at, AT);
        assert_eq!(got.signers, [exporter().verifying_key().thumbprint()]);
        let verdict = verify(&got.receipt, &any(signer().verifying_key()));
        assert_eq!(verdict.status, Status::Valid);
        // the same by the key's id
        let mut named = KeySet::new();
        named.insert_by_thumbprint(exporter().verifying_key());
        assert_eq!(code(&envelope, &named), "OK");
    }
}

#[test]
fn the_statement_is_about_the_receipt_and_its_artifacts() {
    let receipt = receipts().pop().unwrap();
    let statement = statement_in(&exported(&receipt));
    let statement = parse(statement.as_bytes(), &Limits::default()).unwrap();
    let want = format!(
        r#"[{{"digest":{{"sha256":"{}"}},"name":"receipt"}},{{"digest":{{"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}},"name":"/out/a"}}]"#,
        Digest::of(&receipt).hex()
    );
    let want = parse(want.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(statement.get("subject"), Some(&want));
    let text = |name| {
        statement
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    assert_eq!(
        text("_type").as_deref(),
        Some("https://in-toto.io/Statement/v1")
    );
    assert_eq!(
        text("predicateType").as_deref(),
        Some("urn:ambit:receipt:v1")
    );
}

#[test]
fn only_valid_receipts_are_exported() {
    let receipt = receipts().remove(0);
    let flipped = String::from_utf8(receipt.clone())
        .unwrap()
        .replace('☃', "☄");
    let keys = any(signer().verifying_key());
    for (document, keys, at, want) in [
        (receipt.as_slice(), &keys, AT, "OK"),
        (flipped.as_bytes(), &keys, AT, "ERR_RECEIPT_NOT_VALID"),
        (b"{}", &keys, AT, "ERR_RECEIPT_NOT_VALID"),
        (b"\xff", &keys, AT, "ERR_RECEIPT_NOT_VALID"),
        (&receipt, &KeySet::new(), AT, "ERR_RECEIPT_NOT_VALID"),
        (
            &receipt,
            &any(exporter().verifying_key()),
            AT,
            "ERR_RECEIPT_NOT_VALID",
        ),
        (&receipt, &keys, "today", "ERR_RECEIPT_TIME"),
    ] {
        let got = dsse::export(document, keys, at, &exporter());
        assert_eq!(got.map_or_else(|error| error.code(), |_| "OK"), want);
    }
}

#[test]
fn an_envelope_that_no_trusted_key_signed_is_refused() {
    let envelope = exported(&receipts()[0]);
    let keys = any(exporter().verifying_key());
    let statement = statement_in(&envelope);
    let changed = statement.replace(AT, "2026-11-20T00:00:01Z");
    let swapped = envelope.replace(&STANDARD.encode(&statement), &STANDARD.encode(changed));
    let thumbprint = exporter().verifying_key().thumbprint();
    let mut other = KeySet::new();
    other.insert_by_thumbprint(signer().verifying_key());
    // what the envelope calls the key by its thumbprint, a key set may call otherwise
    let mut by_name = KeySet::new();
    by_name.insert("ops", exporter().verifying_key());
    for (envelope, keys, want) in [
        (envelope.clone(), &keys, "OK"),
        (swapped, &keys, "ERR_RECEIPT_ENVELOPE_SIGNATURE"),
        (envelope.clone(), &other, "ERR_RECEIPT_ENVELOPE_KEY"),
        (envelope.clone(), &KeySet::new(), "ERR_RECEIPT_ENVELOPE_KEY"),
        // the id is a hint: another one that names no key of ours changes nothing
        (envelope.replace(&thumbprint, "me"), &keys, "OK"),
        (envelope.replace(&thumbprint, ""), &keys, "OK"),
        (
            envelope.replace(&thumbprint, &signer().verifying_key().thumbprint()),
            &keys,
            "OK",
        ),
        (envelope.clone(), &by_name, "OK"),
        (
            envelope.clone(),
            &any(signer().verifying_key()),
            "ERR_RECEIPT_ENVELOPE_KEY",
        ),
    ] {
        assert_eq!(code(&envelope, keys), want, "{envelope}");
    }
}

#[test]
fn a_key_counts_within_its_window_only() {
    let envelope = exported(&receipts()[0]);
    let [before, after] = ["2026-11-19T00:00:00Z", "2026-11-21T00:00:00Z"].map(str::to_owned);
    let window = |from: Option<&str>, until: Option<&str>, revoked: Option<&str>| KeyWindow {
        valid_from: from.map(str::to_owned),
        valid_until: until.map(str::to_owned),
        revoked_at: revoked.map(str::to_owned),
    };
    for (window, want) in [
        (window(Some(&before), Some(&after), None), "OK"),
        (window(Some(AT), Some(&after), Some(&after)), "OK"),
        (window(Some(&after), None, None), "ERR_RECEIPT_ENVELOPE_KEY"),
        (window(None, Some(AT), None), "ERR_RECEIPT_ENVELOPE_KEY"),
        (
            window(None, None, Some(&before)),
            "ERR_RECEIPT_ENVELOPE_KEY",
        ),
        (
            window(None, Some("never"), None),
            "ERR_RECEIPT_ENVELOPE_KEY",
        ),
    ] {
        let mut keys = KeySet::new();
        keys.insert_any_within(exporter().verifying_key(), &window);
        assert_eq!(code(&envelope, &keys), want, "{window:?}");
    }
}

#[test]
fn signatures_of_others_may_stand_beside_and_either_alphabet_is_read() {
    let envelope = exported(&receipts()[0]);
    let keys = any(exporter().verifying_key());
    let beside = envelope.replace(
        r#""signatures":["#,
        r#""signatures":[{"keyid":"ecdsa","sig":"AAAA"},{"keyid":null,"sig":"AA=="},"#,
    );
    let more = envelope.replacen('{', r#"{"more":1,"#, 1);
    let body = statement_in(&envelope);
    let document = parse(envelope.as_bytes(), &Limits::default()).unwrap();
    let signatures = document
        .get("signatures")
        .and_then(Value::as_array)
        .unwrap();
    let sig = signatures[0].get("sig").and_then(Value::as_str).unwrap();
    let url = envelope
        .replace(&STANDARD.encode(&body), &URL_SAFE.encode(&body))
        .replace(sig, &sig.replace('+', "-").replace('/', "_"));
    assert!(sig.contains(['+', '/']) && url != envelope);
    for envelope in [beside, more, url] {
        assert_eq!(code(&envelope, &keys), "OK", "{envelope}");
    }
}

#[test]
fn malformed_envelopes_are_named_as_such() {
    let good = exported(&receipts()[0]);
    let keys = any(exporter().verifying_key());
    let body = statement_in(&good);
    let signed = |body: &str| envelope(dsse::PAYLOAD_TYPE, body.as_bytes());
    let many = format!(r#"[{}{{"sig":"AAAA"}}]"#, r#"{"sig":"AAAA"},"#.repeat(16));
    let signature = good
        .split_once("\"signatures\":")
        .unwrap()
        .1
        .trim_end_matches('}');
    assert_eq!(code(&signed(&body), &keys), "OK");
    for envelope in [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        good.replace("in-toto", "in-toto2"),
        envelope("text/plain", body.as_bytes()),
        good.replace("\"payload\":\"", "\"payload\":\"*"),
        good.replace("\"sig\":\"", "\"sig\":\"*"),
        good.replace(signature, "[]}]}"),
        good.replace(signature, "[]"),
        good.replace(signature, &many),
        good.replace("payloadType", "payloadtype"),
        good.replacen('{', r#"{"payload":"","#, 1),
        " ".repeat((16 << 20) + 1),
        signed(""),
        signed("[]"),
        signed(&body.replace("Statement/v1", "Statement/v0.1")),
        signed(&body.replace("ambit:receipt:v1", "ambit:receipt:v2")),
        signed(&body.replace("\"receipt\":\"", "\"receipt\":\" ")),
        signed(&body.replace("\"sha256\"", "\"sha512\"")),
        signed(&body.replace(AT, "today")),
        signed(&body.replace("\"subject\"", "\"subjects\"")),
        signed(&body.replace("\"receipt\":\"", "\"recipe\":\"")),
    ] {
        let shown: String = envelope.chars().take(200).collect();
        assert_eq!(code(&envelope, &keys), "ERR_RECEIPT_ENVELOPE", "{shown}");
    }
}
