// SPDX-License-Identifier: Apache-2.0
//! Envelopes that we write: payloads of any type, checked before they are signed.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector fails the test"
)]

use ambit_canon::{Limits, Value, parse, write};
use ambit_receipt::acta::{self, KeyId, SignOptions, Unsandboxed};
use ambit_receipt::{KeySet, SigningKey, Status, verify};

fn key() -> SigningKey {
    SigningKey::from_seed(&[9; 32])
}

fn value(text: &str) -> Value {
    parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// A payload with one member set to JSON text; without it where the text is empty.
fn with(payload: &str, name: &str, member: &str) -> String {
    let Value::Object(mut payload) = value(payload) else {
        panic!("not an object")
    };
    match member {
        "" => drop(payload.remove(name)),
        member => drop(payload.insert(name, value(member))),
    }
    write(&Value::Object(payload))
}

/// The code of the answer, and the member at fault where there is one.
fn judged(payload: &str, options: SignOptions) -> (&'static str, String) {
    match acta::sign(payload.as_bytes(), &key(), options) {
        Ok(_) => ("OK", String::new()),
        Err(acta::ActaError::Schema(error)) => ("ERR_RECEIPT_SCHEMA", error.path),
        Err(error) => (error.code(), String::new()),
    }
}

const DECISION: &str = r#"{"type":"protectmcp:decision","issued_at":"2026-01-01T00:00:00Z",
    "tool_name":"read_file","decision":"allow"}"#;
const RESTRAINT: &str = r#"{"type":"protectmcp:restraint","issued_at":"2026-01-01T00:00:00Z",
    "agent_id":"a","agent_manifest_version":"1.0.0","tool_name":"rm","decision":"deny"}"#;
const LIFECYCLE: &str = r#"{"type":"protectmcp:lifecycle","issued_at":"2026-01-01T00:00:00Z",
    "lifecycle_event":"session_start"}"#;
const OTHER: &str =
    r#"{"type":"example:note","issued_at":"2026-01-01T00:00:00+01:00","any":[1.50,{}]}"#;
const SKILL: &str = r#"{"type":"sb-runtime:decision","issued_at":"2026-01-01T00:00:00Z",
    "action":"file:read","decision":"allow","trust_score":1.0}"#;
const EXECUTION: &str = r#"{"type":"ambit:execution","issued_at":"2026-01-01T00:00:01Z",
    "run_id":"r1","ledger_id":"l1","seq":1,"decision_hash":
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","contract_hash":
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","policy_hash":
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","mode":"local",
    "status":"not_started","commands":[],"enforcement":{"tier":"none","mechanisms":{}}}"#;
const APPROVAL: &str = r#"{"type":"ambit:approval","approval_version":"ambit.approval.v1",
    "approval_id":"a1","issued_at":"2026-01-01T00:00:00Z","not_before":"2026-01-01T00:00:00Z",
    "expires_at":"2026-01-01T00:15:00Z","scope":"single_execution","mode":"hardened",
    "bind":"contract","contract_hash":
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","policy_hash":
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"#;
const HASH: &str = "\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"";
const HEX: &str = "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"";

#[test]
fn payloads_of_every_type_are_signed_under_either_id_of_the_key() {
    let public = key().verifying_key();
    // the last has the marks of another format, but for issuer and signature
    for payload in [
        DECISION, RESTRAINT, LIFECYCLE, OTHER, EXECUTION, APPROVAL, SKILL,
    ] {
        for (key_id, kid) in [
            (KeyId::Thumbprint, public.thumbprint()),
            (KeyId::Issuer, public.issuer_id()),
        ] {
            let options = SignOptions {
                key_id,
                ..SignOptions::default()
            };
            let sealed = acta::sign(payload.as_bytes(), &key(), options).unwrap();
            let document = parse(&sealed, &Limits::default()).unwrap();
            assert_eq!(write(&document).into_bytes(), sealed);
            let want = value(&with(payload, "issuer_id", &format!("\"{kid}\"")));
            assert_eq!(document.get("payload"), Some(&want));
            let mut keys = KeySet::new();
            keys.insert(kid.as_str(), public);
            let verdict = verify(&sealed, &keys);
            assert_eq!(
                (verdict.status, verdict.key_id.as_deref()),
                (Status::Valid, Some(kid.as_str()))
            );
            // the same with the issuer written out, and refused under the key's other id
            let named = with(payload, "issuer_id", &format!("\"{kid}\""));
            assert_eq!(
                acta::sign(named.as_bytes(), &key(), options).unwrap(),
                sealed
            );
            let other = SignOptions {
                key_id: match key_id {
                    KeyId::Issuer => KeyId::Thumbprint,
                    KeyId::Thumbprint => KeyId::Issuer,
                },
                ..options
            };
            assert_eq!(judged(&named, other).0, "ERR_RECEIPT_ISSUER_MISMATCH");
        }
    }
}

#[test]
fn a_payload_of_our_type_is_signed_as_a_ledger_seals_it() {
    let signed = acta::sign(EXECUTION.as_bytes(), &key(), SignOptions::default()).unwrap();
    assert_eq!(acta::seal(value(EXECUTION), &key()).unwrap(), signed);
}

#[test]
fn a_bad_payload_is_an_error_that_names_the_member() {
    for (payload, cases) in [
        (DECISION, DECISION_CASES),
        (RESTRAINT, RESTRAINT_CASES),
        (LIFECYCLE, LIFECYCLE_CASES),
        (OTHER, COMMON_CASES),
        (DECISION, COMMON_CASES),
        (EXECUTION, EXECUTION_CASES),
        (APPROVAL, APPROVAL_CASES),
    ] {
        for (name, texts) in cases {
            for text in *texts {
                let (code, path) = judged(&with(payload, name, text), SignOptions::default());
                assert_eq!(code, "ERR_RECEIPT_SCHEMA", "{name}: {text}");
                assert!(path.starts_with(name), "{name}: {text}: {path}");
            }
        }
    }
}

/// A member, and what it must not be; no text: it must not be missing.
type Cases = &'static [(&'static str, &'static [&'static str])];

const COMMON_CASES: Cases = &[
    (
        "type",
        &["", "null", "\"\"", "\"decision\"", "\"a:\"", "\":b\""],
    ),
    (
        "issued_at",
        &["", "\"2026-01-01\"", "\"2026-01-01T00:00:00\"", "1"],
    ),
    (
        "previousReceiptHash",
        &["null", "\"\"", HEX, "\"md5:00\"", "\"sha256:00\""],
    ),
    (
        "evidence",
        &[
            "{}",
            "[1]",
            r#"[{"dimension":"d","state":"satisfied"}]"#,
            r#"[{"dimension":"d","state":"good","source":{"authority":"a","ref":"r"}}]"#,
            r#"[{"dimension":"d","state":"stale","source":{"authority":"a"}}]"#,
        ],
    ),
    ("committed_fields_root", &["\"00\"", HASH]),
    (
        "payload_digest",
        &[r#"{"hash":"00","size":1}"#, r#"{"size":1}"#, "1"],
    ),
    ("hook_latency_ms", &["-1", "-0.5", "\"1\"", "null"]),
    ("tool_duration_ms", &["-1", "true"]),
    ("sandbox_state", &["\"on\"", "null", "true"]),
    ("action_ref", &["\"x\"", HASH]),
    ("iteration_id", &["\"\"", "1"]),
];

const DECISION_CASES: Cases = &[
    ("tool_name", &["", "null", "\"\""]),
    ("decision", &["", "\"ALLOW\"", "\"maybe\"", "true"]),
    ("reason", &["1"]),
    ("agent_tier", &["\"root\""]),
    ("required_tier", &["\"root\""]),
    ("policy_digest", &["\"\"", HEX]),
    ("session_id", &["\"\""]),
    ("tool_input", &["{}"]),
    ("prompt", &["\"p\""]),
    ("private_key", &["\"k\""]),
];

const RESTRAINT_CASES: Cases = &[
    ("agent_id", &["", "\"\""]),
    ("agent_manifest_version", &["", "1"]),
    ("tool_name", &[""]),
    ("decision", &["", "\"rate_limit\"", "\"require_approval\""]),
    ("denial_type", &["\"other\""]),
];

const LIFECYCLE_CASES: Cases = &[("lifecycle_event", &["", "\"born\"", "null"])];

const APPROVAL_CASES: Cases = &[
    ("approval_version", &["", "\"ambit.approval.v2\""]),
    ("approval_id", &["", "\"\"", "1"]),
    ("not_before", &["", "\"2026-01-01\""]),
    (
        "expires_at",
        &["", "\"tomorrow\"", "\"2026-01-01T00:00:00\""],
    ),
    ("scope", &["", "\"forever\""]),
    ("mode", &["", "\"none\""]),
    ("bind", &["", "\"nothing\""]),
    ("action_hash", &[HASH]),
    ("contract_hash", &["", "\"sha256:00\""]),
    ("policy_hash", &["", HEX]),
    ("ticket_id", &["\"\""]),
    ("reason", &["1"]),
];

#[test]
fn an_approval_binds_an_action_or_a_contract_with_its_policy() {
    let action = with(APPROVAL, "bind", "\"action\"");
    let bare = with(&with(&action, "contract_hash", ""), "policy_hash", "");
    for (payload, want) in [
        (action.clone(), "action_hash"),
        (with(&action, "action_hash", HASH), "contract_hash"),
        (bare.clone(), "action_hash"),
        (with(&bare, "action_hash", HASH), ""),
        (
            with(&with(&bare, "action_hash", HASH), "policy_hash", HASH),
            "policy_hash",
        ),
        (with(APPROVAL, "until", "1"), "`until`"),
    ] {
        assert_eq!(
            judged(&payload, SignOptions::default()).1,
            want,
            "{payload}"
        );
    }
}

#[test]
fn an_approval_has_no_place_in_a_ledger() {
    let sealed = acta::seal(value(APPROVAL), &key());
    assert_eq!(sealed.unwrap_err().code(), "ERR_RECEIPT_TYPE");
}

const EXECUTION_CASES: Cases = &[
    ("nonce", &["\"\"", "\"\\n\"", "\"é\"", "1", "null"]),
    ("audience", &["\"\"", "\"\\u007f\"", "[\"a\"]"]),
    (
        "artifacts",
        &[
            "{}",
            r#"[{"path":"a","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","bytes":1}]"#,
            r#"[{"path":"/a","sha256":"BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","bytes":1}]"#,
            r#"[{"path":"/a","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","bytes":-1}]"#,
            r#"[{"path":"/a","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","bytes":1,"x":1}]"#,
        ],
    ),
    (
        "approvals",
        &[
            "[1]",
            r#"[{"approver_key_id":"k"}]"#,
            r#"[{"approval_hash":"sha256:00","approver_key_id":"k"}]"#,
            r#"[{"approval_hash":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","approver_key_id":""}]"#,
            r#"[{"approval_hash":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","approver_key_id":"k","scope":"forever"}]"#,
        ],
    ),
    (
        "scope",
        &[
            "[]",
            r#"{"declared":[],"granted":[]}"#,
            r#"{"declared":[{"command_id":"a"}],"granted":[],"observed":[]}"#,
            r#"{"declared":[{"command_id":"a","read_paths":[],"write_paths":[],"network":"deny","env_names":[],"env":{"A":"secret"}}],"granted":[],"observed":[]}"#,
            r#"{"declared":[],"granted":[],"observed":[{"command_id":"a","executable":"ls"}]}"#,
            r#"{"declared":[],"granted":[],"observed":[],"more":1}"#,
        ],
    ),
];

#[test]
fn members_that_the_rules_allow_are_signed() {
    for (payload, name, text) in [
        (DECISION, "policy_digest", HASH),
        (DECISION, "previousReceiptHash", HASH),
        (DECISION, "hook_latency_ms", "0.25"),
        (DECISION, "sandbox_state", "\"disabled\""),
        (DECISION, "anything", "{\"else\":null}"),
        (OTHER, "tool_input", "{}"),
        (OTHER, "action_ref", HEX),
        (
            OTHER,
            "evidence",
            r#"[{"dimension":"d","state":"stale","source":{"authority":"a","ref":"r"},"as_of":"2026-01-01T00:00:00Z"}]"#,
        ),
        (EXECUTION, "nonce", "\"n 1\""),
        (EXECUTION, "audience", "\"https://example.com/a\""),
        (EXECUTION, "approvals", "[]"),
        (
            EXECUTION,
            "approvals",
            r#"[{"approval_hash":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","approver_key_id":"k"}]"#,
        ),
        (APPROVAL, "reason", "\"because\""),
        (APPROVAL, "ledger_id", "\"0123\""),
        (
            EXECUTION,
            "artifacts",
            r#"[{"path":"/a","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","bytes":0}]"#,
        ),
        (
            EXECUTION,
            "scope",
            r#"{"declared":[{"command_id":"a","read_paths":["/é"],"write_paths":[],"network":"deny","env_names":["A"]}],"granted":[],"observed":[{"command_id":"a","executable":"/bin/ls","executable_hash":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}],"truncated":true}"#,
        ),
    ] {
        let got = judged(&with(payload, name, text), SignOptions::default());
        assert_eq!(got, ("OK", String::new()), "{name}: {text}");
    }
}

#[test]
fn what_is_no_payload_is_an_error() {
    let deep = with(
        OTHER,
        "any",
        &format!("{}{}", "[".repeat(62), "]".repeat(62)),
    );
    let deeper = format!("{{\"x\":{}{}}}", "[".repeat(63), "]".repeat(63));
    let long = " ".repeat(1 << 20);
    // 4 bytes that are 8 in canonical form
    let grows = format!("[{}1]", "9e-6,".repeat(200_000));
    let grows =
        format!(r#"{{"type":"example:note","issued_at":"2026-01-01T00:00:00Z","x":{grows}}}"#);
    for (payload, want) in [
        (deep.as_str(), "OK"),
        (&deeper, "ERR_RECEIPT_TOO_LARGE"),
        (&long, "ERR_RECEIPT_TOO_LARGE"),
        (&grows, "ERR_RECEIPT_TOO_LARGE"),
        ("{\"type\":1,\"type\":2}", "ERR_RECEIPT_MALFORMED"),
        ("{\"seq\":9007199254740992}", "ERR_RECEIPT_MALFORMED"),
        ("", "ERR_RECEIPT_MALFORMED"),
        ("[]", "ERR_RECEIPT_SCHEMA"),
        (&with(OTHER, "signature", "null"), "ERR_RECEIPT_SCHEMA"),
        (&with(OTHER, "any", "{\"é\":1}"), "ERR_RECEIPT_SCHEMA"),
        (
            &with(OTHER, "issuer_id", "null"),
            "ERR_RECEIPT_ISSUER_MISMATCH",
        ),
        (&with(EXECUTION, "extra", "1"), "ERR_RECEIPT_SCHEMA"),
    ] {
        let shown: String = payload.chars().take(80).collect();
        assert_eq!(judged(payload, SignOptions::default()).0, want, "{shown}");
    }
}

#[test]
fn claims_without_a_sandbox_need_an_explicit_choice() {
    let command = |tier: &str, termination: &str| {
        format!(
            r#"[{{"id":"a","argv_hash":{HASH},"exit_code":0,"signal":null,"timed_out":false,
            "duration_ms":1,{tier}{termination}"stdout":{{"sha256":{HEX},"bytes":0,"truncated":false}},
            "stderr":{{"sha256":{HEX},"bytes":0,"truncated":false}}}}]"#
        )
    };
    let ran = |tier, termination| with(EXECUTION, "commands", &command(tier, termination));
    let full = r#"{"tier":"full","mechanisms":{}}"#;
    let cases = [
        (with(OTHER, "sandbox_backend", "\"none\""), true),
        (with(DECISION, "sandbox_backend", "\"none\""), true),
        (with(OTHER, "sandbox_backend", "\"nono\""), false),
        (EXECUTION.to_owned(), false),
        (ran("", ""), true),
        (
            ran("\"tier\":\"none\",", "\"termination\":\"exited\","),
            true,
        ),
        (
            ran("\"tier\":\"full\",", "\"termination\":\"exited\","),
            false,
        ),
        (
            ran("\"tier\":\"none\",", "\"termination\":\"not_found\","),
            false,
        ),
        (ran("", "\"termination\":\"not_executable\","), false),
        (with(&ran("", ""), "enforcement", full), false),
        (
            with(&ran("\"tier\":\"none\",", ""), "enforcement", full),
            true,
        ),
    ];
    for (payload, unsandboxed) in cases {
        let want = if unsandboxed {
            "ERR_RECEIPT_UNSANDBOXED"
        } else {
            "OK"
        };
        assert_eq!(
            judged(&payload, SignOptions::default()).0,
            want,
            "{payload}"
        );
        let allowed = SignOptions {
            unsandboxed: Unsandboxed::Allowed,
            ..SignOptions::default()
        };
        assert_eq!(judged(&payload, allowed).0, "OK", "{payload}");
    }
}
