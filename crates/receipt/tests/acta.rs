// SPDX-License-Identifier: Apache-2.0
//! Acta envelopes: the draft's, tampered ones, and ours.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector fails the test"
)]

mod common;

use ambit_canon::{Digest, Limits, Object, Value, parse, write};
use ambit_receipt::{Format, KeySet, SigningKey, Status, VerifyingKey, acta, verify};
use common::{assert_every_byte_counts, json, list, text, unhex};

fn value(text: &str) -> Value {
    parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn any(key: VerifyingKey) -> KeySet {
    let mut keys = KeySet::new();
    keys.insert_any(key);
    keys
}

/// The keys of a case: `jwks` by their kid, else the hex `key` for any.
fn case_keys(case: &Value) -> KeySet {
    let mut keys = KeySet::new();
    if let Some(jwks) = case.get("jwks").filter(|jwks| !jwks.is_null()) {
        for jwk in list(jwks, "keys") {
            let key = VerifyingKey::from_jwk(write(jwk).as_bytes()).unwrap();
            keys.insert(text(jwk, "kid").unwrap(), key);
        }
    }
    if let Some(key) = text(case, "key") {
        keys.insert_any(VerifyingKey::from_hex(key).unwrap());
    }
    keys
}

#[test]
fn the_worked_example_verifies_and_chains() {
    let example = json("acta/worked-example-04.json");
    let keys = case_keys(&example);
    let mut previous = (String::new(), String::new());
    let mut links = 0;
    for row in list(&example, "receipts") {
        let document = write(row.get("receipt").unwrap());
        let verdict = verify(document.as_bytes(), &keys);
        assert_eq!(
            (verdict.status, verdict.format),
            (Status::Valid, Some(Format::Acta))
        );
        assert_eq!(verdict.key_id.as_deref(), Some("sb:issuer:Cw9kjHiSmKyK"));
        assert_eq!(verdict.payload_type.as_deref(), Some("sb-runtime:decision"));
        let hash = acta::receipt_hash(document.as_bytes()).unwrap();
        assert_eq!(
            (Some(hash), text(row, "receipt_hash")),
            (verdict.digest, Some(hash.prefixed().as_str()))
        );
        let payload = row
            .get("receipt")
            .and_then(|receipt| receipt.get("payload"))
            .unwrap();
        assert_eq!(
            Some(write(payload).into_bytes()),
            text(row, "signing_input_hex").map(unhex)
        );
        let scenario = text(row, "scenario").unwrap();
        if let Some(link) = text(payload, "previousReceiptHash") {
            assert_eq!((scenario, link), (previous.0.as_str(), previous.1.as_str()));
            links += 1;
        }
        previous = (scenario.to_owned(), hash.prefixed());
    }
    assert_eq!((list(&example, "receipts").len(), links), (18, LINKS));
}

#[test]
fn a_signature_member_inside_the_payload_is_refused() {
    let file = json("acta/signing-input.json");
    let got: Vec<&str> = list(&file, "cases")
        .iter()
        .map(|case| {
            let document = write(case.get("receipt").unwrap());
            let verdict = verify(document.as_bytes(), &case_keys(&file));
            assert_eq!(Some(verdict.status.as_str()), text(case, "expected"));
            verdict.code.as_str()
        })
        .collect();
    assert_eq!(
        got,
        [
            "SIGNATURE_IN_PAYLOAD",
            "SIGNATURE_IN_PAYLOAD",
            "SIGNATURE_IN_PAYLOAD",
            "OK"
        ]
    );
}

#[test]
fn a_key_inside_the_receipt_is_never_used() {
    let file = json("acta/embedded-key.json");
    let envelopes = list(&file, "cases")
        .iter()
        .filter(|case| text(case, "name").is_some_and(|name| name.starts_with("acta-envelope/")));
    let mut got = Vec::new();
    for case in envelopes {
        let document = write(case.get("receipt").unwrap());
        let verdict = verify(document.as_bytes(), &case_keys(case));
        assert_eq!(Some(verdict.status.as_str()), text(case, "expected"));
        got.push(verdict.code.as_str());
    }
    assert_eq!(got, ["NO_KEY", "INVALID_SIGNATURE", "OK"]);
}

#[test]
fn tampered_envelopes_get_the_draft_s_outcome() {
    let file = json("acta/tamper.json");
    let mut got = Vec::new();
    for case in list(&file, "cases") {
        let name = text(case, "name").unwrap();
        let verdict = verify(text(case, "text").unwrap().as_bytes(), &case_keys(case));
        assert_eq!(
            Some(verdict.status.as_str()),
            text(case, "expected_04"),
            "{name}"
        );
        got.push((name, verdict.code.as_str()));
    }
    assert_eq!(got, TAMPERED);
}

const DECISION: &str = r#"{"type":"ambit:decision","issued_at":"2026-01-01T00:00:00.000Z",
    "run_id":"r1","ledger_id":"l1","seq":1,"mode":"hardened","decision":"deny",
    "reason_codes":["COMMAND_NOT_ALLOWED","PATH_OUTSIDE_SCOPE"],"contract_id":"c1",
    "contract_hash":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "policy_name":"p","policy_hash":
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "classified_effects":[{"command_id":"a","effect_type":"write_workspace"}]}"#;

const EXECUTION: &str = r#"{"type":"ambit:execution","issued_at":"2026-01-01T00:00:01Z",
    "run_id":"r1","ledger_id":"l1","seq":2,"previousReceiptHash":
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","decision_hash":
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","contract_hash":
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","policy_hash":
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","mode":"hardened",
    "status":"failed","commands":[{"id":"a","argv_hash":
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","exit_code":null,
    "signal":9,"timed_out":false,"duration_ms":12,"max_rss_bytes":4096,"stdout":{"sha256":
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","bytes":0,
    "truncated":false},"stderr":{"sha256":
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","bytes":0,
    "truncated":false}}],"enforcement":{"tier":"full","mechanisms":{"landlock":
    {"state":"enforced","abi":6}}},"csc_receipt_hash":
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "error":{"code":"ERR_SANDBOX_X","message":""}}"#;

fn key() -> SigningKey {
    SigningKey::from_seed(&[9; 32])
}

/// A payload with one member set to JSON text.
fn with(payload: &str, name: &str, member: &str) -> Value {
    let Value::Object(mut payload) = value(payload) else {
        panic!("not an object")
    };
    payload.insert(name, value(member));
    Value::Object(payload)
}

fn without(payload: &str, name: &str) -> Value {
    let Value::Object(mut payload) = value(payload) else {
        panic!("not an object")
    };
    assert!(payload.remove(name).is_some(), "{name}");
    Value::Object(payload)
}

#[test]
fn sealed_payloads_verify_in_their_exact_bytes() {
    let kid = key().verifying_key().thumbprint();
    for payload in [DECISION, EXECUTION] {
        let sealed = acta::seal(value(payload), &key()).unwrap();
        let document = parse(&sealed, &Limits::default()).unwrap();
        assert_eq!(write(&document).into_bytes(), sealed);
        assert_eq!(
            document.get("payload"),
            Some(&with(payload, "issuer_id", &format!("\"{kid}\"")))
        );
        let verdict = verify(&sealed, &any(key().verifying_key()));
        assert_eq!(
            (verdict.status, verdict.key_id.as_deref()),
            (Status::Valid, Some(kid.as_str()))
        );
        assert_eq!(verdict.digest, Some(Digest::of(&sealed)));
        assert_eq!(acta::receipt_hash(&sealed).ok(), verdict.digest);
        let named = with(payload, "issuer_id", &format!("\"{kid}\""));
        assert_eq!(acta::seal(named, &key()).unwrap(), sealed);
    }
}

#[test]
fn a_bad_payload_is_an_error_and_never_a_signature() {
    let deep = format!("{{\"x\":{}1{}}}", "[".repeat(61), "]".repeat(61));
    let mechanisms = format!("{{\"tier\":\"none\",\"mechanisms\":{deep}}}");
    let long = format!("\"{}\"", "x".repeat((1 << 20) - 700));
    let cases = [
        (Value::Null, "ERR_RECEIPT_SCHEMA"),
        (
            with(DECISION, "issuer_id", "\"other\""),
            "ERR_RECEIPT_ISSUER_MISMATCH",
        ),
        (
            with(DECISION, "issuer_id", "null"),
            "ERR_RECEIPT_ISSUER_MISMATCH",
        ),
        (with(DECISION, "signature", "null"), "ERR_RECEIPT_SCHEMA"),
        (
            with(DECISION, "type", "\"protectmcp:decision\""),
            "ERR_RECEIPT_TYPE",
        ),
        (without(DECISION, "type"), "ERR_RECEIPT_TYPE"),
        (
            with(EXECUTION, "enforcement", &mechanisms),
            "ERR_RECEIPT_TOO_LARGE",
        ),
        (
            with(DECISION, "policy_name", &long),
            "ERR_RECEIPT_TOO_LARGE",
        ),
        (
            with(
                EXECUTION,
                "enforcement",
                r#"{"tier":"none","mechanisms":{"é":1}}"#,
            ),
            "ERR_RECEIPT_SCHEMA",
        ),
    ];
    for (index, (payload, want)) in cases.into_iter().enumerate() {
        let got = acta::seal(payload, &key()).map_err(|error| error.code());
        assert_eq!(got, Err(want), "row {index}");
    }
}

/// Members of our types: their name, and texts that they must not have.
#[test]
fn each_member_of_our_types_is_checked() {
    let path = |payload: Value| match acta::seal(payload, &key()) {
        Err(acta::ActaError::Schema(error)) => error.path,
        other => format!("{other:?}"),
    };
    for (payload, names) in [(DECISION, DECISION_MEMBERS), (EXECUTION, EXECUTION_MEMBERS)] {
        for (name, texts) in names {
            if !["previousReceiptHash", "csc_receipt_hash", "error"].contains(name) {
                assert_eq!(path(without(payload, name)), *name);
            }
            for text in *texts {
                let got = path(with(payload, name, text));
                assert!(got.starts_with(name), "{name}: {text}: {got}");
            }
        }
        assert_eq!(path(with(payload, "extra", "1")), "`extra`");
    }
    assert_eq!(
        path(without(EXECUTION, "previousReceiptHash")),
        "previousReceiptHash"
    );
    let effect = r#"[{"command_id":"a","effect_type":"x","why":1}]"#;
    assert_eq!(
        path(with(DECISION, "classified_effects", effect)),
        "classified_effects[0].`why`"
    );
}

#[test]
fn limits_and_the_words_for_them_are_checked() {
    let status = |text: &str| acta::seal(with(EXECUTION, "status", text), &key()).is_ok();
    for word in ["cpu", "file_size", "oom", "output", "pids", "timed_out"] {
        assert!(status(&format!("\"{word}\"")), "{word}");
    }
    assert!(!status("\"timeout\"") && !status("\"memory\""));
    let sealed = |reached: &str| {
        let member = format!("\"timed_out\":false,\"limits_reached\":{reached},");
        let payload = EXECUTION.replacen("\"timed_out\":false,", &member, 1);
        match acta::seal(value(&payload), &key()) {
            Ok(_) => Ok(()),
            Err(acta::ActaError::Schema(error)) => Err(error.path),
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(sealed("[]"), Ok(()));
    assert_eq!(
        sealed(r#"[{"limit":"oom","evidence":"oom_kill 1"}]"#),
        Ok(())
    );
    for reached in [
        "{}",
        "[\"oom\"]",
        r#"[{"limit":"oom"}]"#,
        r#"[{"limit":"","evidence":"x"}]"#,
        r#"[{"limit":"oom","evidence":""}]"#,
        r#"[{"limit":"oom","evidence":"x","more":1}]"#,
    ] {
        let path = sealed(reached).unwrap_err();
        assert!(path.contains("limits_reached"), "{reached}: {path}");
    }
}

/// Later versions may add members; a verifier of today reads past them, signed as they are.
#[test]
fn members_that_we_do_not_know_pass_in_verification_only() {
    let verdict = verify(
        &resealed(&with(DECISION, "later", "1")),
        &any(key().verifying_key()),
    );
    assert_eq!(verdict.code.as_str(), "OK");
    for payload in [
        with(DECISION, "seq", "0"),
        without(EXECUTION, "previousReceiptHash"),
    ] {
        let verdict = verify(&resealed(&payload), &any(key().verifying_key()));
        assert_eq!(
            (verdict.status, verdict.code.as_str()),
            (Status::Invalid, "SCHEMA_INVALID")
        );
    }
}

/// Signs what `seal` would refuse, by way of another implementation's eyes: raw dalek.
fn resealed(payload: &Value) -> Vec<u8> {
    use ed25519_dalek::Signer as _;
    let Value::Object(mut payload) = payload.clone() else {
        panic!("not an object")
    };
    let kid = key().verifying_key().thumbprint();
    payload.insert("issuer_id", kid.as_str());
    let payload = Value::Object(payload);
    let signer = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let sig = signer.sign(write(&payload).as_bytes());
    let halves = [sig.r_bytes(), sig.s_bytes()].map(|half| Digest::from_bytes(*half).hex());
    let sig = halves.concat();
    let signature: Object = [
        ("alg", "EdDSA"),
        ("kid", kid.as_str()),
        ("sig", sig.as_str()),
    ]
    .into_iter()
    .collect();
    let envelope: Object = [
        ("payload", payload),
        ("signature", Value::Object(signature)),
    ]
    .into_iter()
    .collect();
    write(&Value::Object(envelope)).into_bytes()
}

/// The skill writes neither that issuer nor that spelling of a signature.
#[test]
fn an_envelope_of_the_draft_may_carry_the_skill_s_payload() {
    let payload = r#"{"type":"sb-runtime:decision","action":"shell:ls","decision":"allow",
        "issued_at":"2026-01-01T00:00:00Z"}"#;
    let sealed = acta::sign(payload.as_bytes(), &key(), acta::SignOptions::default()).unwrap();
    let verdict = verify(&sealed, &any(key().verifying_key()));
    assert_eq!(
        (verdict.code.as_str(), verdict.format),
        ("OK", Some(Format::Acta))
    );
    let text = String::from_utf8(sealed).unwrap();
    let (head, _) = text.split_once("\"sig\":\"").unwrap();
    let respelled = format!("{head}\"sig\":\"{}\"}}}}", "A".repeat(86));
    let verdict = verify(respelled.as_bytes(), &any(key().verifying_key()));
    assert_eq!(verdict.code.as_str(), "AMBIGUOUS_FORMAT");
}

#[test]
fn documents_of_no_one_format_are_undecidable() {
    let sealed = String::from_utf8(acta::seal(value(DECISION), &key()).unwrap()).unwrap();
    let both = sealed.replacen('{', "{\"receipt_version\":\"csc.receipt.v0.1\",", 1);
    for (document, code) in [
        ("{}", "UNKNOWN_FORMAT"),
        ("[]", "UNKNOWN_FORMAT"),
        ("null", "UNKNOWN_FORMAT"),
        ("1", "UNKNOWN_FORMAT"),
        ("{\"signature\":{}}", "UNKNOWN_FORMAT"),
        (both.as_str(), "AMBIGUOUS_FORMAT"),
    ] {
        let verdict = verify(document.as_bytes(), &any(key().verifying_key()));
        assert_eq!(
            (verdict.status, verdict.code.as_str()),
            (Status::Undecidable, code)
        );
        assert_eq!(
            (verdict.format, verdict.key_id, verdict.payload_type),
            (None, None, None)
        );
    }
}

#[test]
fn another_key_than_the_thumbprint_names_is_unknown() {
    let sealed = acta::seal(value(DECISION), &key()).unwrap();
    let other = SigningKey::from_seed(&[8; 32]).verifying_key();
    let verdict = verify(&sealed, &any(other));
    assert_eq!(
        (verdict.status, verdict.code.as_str()),
        (Status::Undecidable, "UNKNOWN_KEY")
    );
    assert_eq!(verify(&sealed, &KeySet::new()).code.as_str(), "NO_KEY");
}

#[test]
fn the_largest_payload_that_is_sealed_can_be_verified() {
    let empty = write(&with(DECISION, "policy_name", "\"\"")).len();
    // `issuer_id` adds 58 bytes.
    let room = (1 << 20) - 512 - empty - 58;
    let sized = |length: usize| {
        with(
            DECISION,
            "policy_name",
            &format!("\"{}\"", "x".repeat(length)),
        )
    };
    let sealed = acta::seal(sized(room), &key()).unwrap();
    assert_eq!(
        verify(&sealed, &any(key().verifying_key())).status,
        Status::Valid
    );
    let code = acta::seal(sized(room + 1), &key()).map_err(|error| error.code());
    assert_eq!(code, Err("ERR_RECEIPT_TOO_LARGE"));
}

#[test]
fn any_change_of_a_byte_in_a_decision_is_found() {
    let sealed = acta::seal(value(DECISION), &key()).unwrap();
    let tried = assert_every_byte_counts(&sealed, &any(key().verifying_key()));
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn any_change_of_a_byte_in_an_execution_is_found() {
    let sealed = acta::seal(value(EXECUTION), &key()).unwrap();
    let tried = assert_every_byte_counts(&sealed, &any(key().verifying_key()));
    assert!(tried > 1_500, "{tried}");
}

/// Links of the worked example's chains.
const LINKS: usize = 15;

/// Shapes other than the envelope, which a later version reads; until then they are undecidable.
const BAD_DIGESTS: &[&str] = &[
    "null",
    "\"\"",
    "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
    "\"sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\"",
    "\"md5:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
];

const DECISION_MEMBERS: &[(&str, &[&str])] = &[
    ("issued_at", &["\"2026-01-01T00:00:00\"", "0"]),
    ("run_id", &["\"\"", "1"]),
    ("ledger_id", &["\"\"", "null"]),
    ("seq", &["0", "-1", "1.5", "\"1\""]),
    ("previousReceiptHash", BAD_DIGESTS),
    ("mode", &["\"soft\"", "null"]),
    ("decision", &["\"maybe\"", "true"]),
    (
        "reason_codes",
        &[
            "[]",
            "\"A\"",
            "[\"a\"]",
            "[\"B\",\"A\"]",
            "[\"A\",\"A\"]",
            "[\"_A\"]",
            "[1]",
        ],
    ),
    ("contract_id", &["\"\""]),
    ("contract_hash", BAD_DIGESTS),
    ("policy_name", &["\"\""]),
    ("policy_hash", BAD_DIGESTS),
    (
        "classified_effects",
        &["{}", "[1]", "[{\"command_id\":\"a\"}]"],
    ),
];

const EXECUTION_MEMBERS: &[(&str, &[&str])] = &[
    ("decision_hash", BAD_DIGESTS),
    ("csc_receipt_hash", BAD_DIGESTS),
    ("status", &["\"blocked\""]),
    ("commands", &["{}", "[{}]", "[null]"]),
    (
        "enforcement",
        &[
            "{}",
            "{\"tier\":\"most\",\"mechanisms\":{}}",
            "{\"tier\":\"full\"}",
        ],
    ),
    (
        "error",
        &[
            "\"x\"",
            "{\"code\":\"A\"}",
            "{\"code\":\"\",\"message\":\"\"}",
        ],
    ),
];

const TAMPERED: [(&str, &str); 65] = [
    ("valid-pretty", "OK"),
    ("valid-reordered", "OK"),
    ("valid-escape-respelled", "OK"),
    ("wrong-key", "INVALID_SIGNATURE"),
    ("no-key", "NO_KEY"),
    ("jwks-unknown-kid", "UNKNOWN_KEY"),
    ("jwks-ok", "OK"),
    ("flip-sandbox_backend", "INVALID_SIGNATURE"),
    ("flip-ring", "INVALID_SIGNATURE"),
    ("flip-decision", "INVALID_SIGNATURE"),
    ("flip-tool_name", "INVALID_SIGNATURE"),
    ("flip-policy_digest", "INVALID_SIGNATURE"),
    ("flip-trust_score", "INVALID_SIGNATURE"),
    ("flip-issued_at", "INVALID_SIGNATURE"),
    ("add-null-member", "INVALID_SIGNATURE"),
    ("drop-previousReceiptHash", "INVALID_SIGNATURE"),
    ("issuer-kid-mismatch", "ISSUER_MISMATCH"),
    ("missing-type", "SCHEMA_INVALID"),
    ("missing-issuer_id", "SCHEMA_INVALID"),
    ("issued_at-no-tz", "SCHEMA_INVALID"),
    ("payload-signature-member-empty", "SIGNATURE_IN_PAYLOAD"),
    ("payload-signature-member-string", "SIGNATURE_IN_PAYLOAD"),
    ("embedded-key-no-external", "NO_KEY"),
    ("embedded-key-external-right", "OK"),
    ("extra-envelope-member", "UNKNOWN_FORMAT"),
    ("extra-signature-member", "MALFORMED_SIGNATURE"),
    ("alg-ES256", "UNSUPPORTED_ALGORITHM"),
    ("alg-HS256", "UNSUPPORTED_ALGORITHM"),
    ("alg-ML-DSA-65", "UNSUPPORTED_ALGORITHM"),
    ("alg-case-ed25519", "UNSUPPORTED_ALGORITHM"),
    ("alg-case-eddsa", "UNSUPPORTED_ALGORITHM"),
    ("sig-uppercase-hex", "SIGNATURE_ENCODING"),
    ("sig-0x-prefix", "SIGNATURE_ENCODING"),
    ("sig-base64url", "SIGNATURE_ENCODING"),
    ("sig-63-bytes", "SIGNATURE_ENCODING"),
    ("sig-65-bytes", "SIGNATURE_ENCODING"),
    ("sig-empty", "MALFORMED_SIGNATURE"),
    ("sig-S-plus-L", "INVALID_SIGNATURE"),
    ("prehashed", "INVALID_SIGNATURE"),
    ("signed-over-pretty", "INVALID_SIGNATURE"),
    ("signed-over-python-json", "INVALID_SIGNATURE"),
    ("dup-payload-member", "MALFORMED_JSON"),
    ("dup-top-level-payload", "MALFORMED_JSON"),
    ("dup-__proto__", "INVALID_SIGNATURE"),
    ("non-ascii-key", "OK"),
    ("numeric-looking-keys", "OK"),
    ("utf16-sort-keys", "OK"),
    ("nonascii-value", "OK"),
    ("float-exp", "OK"),
    ("lone-surrogate", "MALFORMED_JSON"),
    ("big-int-2^53+1", "MALFORMED_JSON"),
    ("json-nan", "MALFORMED_JSON"),
    ("trailing-garbage", "MALFORMED_JSON"),
    ("bom", "MALFORMED_JSON"),
    ("empty", "MALFORMED_JSON"),
    ("array", "UNKNOWN_FORMAT"),
    ("payload-missing", "UNKNOWN_FORMAT"),
    ("payload-null", "UNKNOWN_FORMAT"),
    ("payload-array", "UNKNOWN_FORMAT"),
    ("signature-missing", "MISSING_SIGNATURE"),
    ("signature-null", "MISSING_SIGNATURE"),
    ("flat-valid", "OK"),
    ("flat-signature-null-in-input", "INVALID_SIGNATURE"),
    ("v2-valid", "OK"),
    ("v2-crossed-rule", "INVALID_SIGNATURE"),
];
