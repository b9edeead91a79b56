// SPDX-License-Identifier: Apache-2.0
//! Documents that others publish: receipts, and what looks like one.
#![expect(clippy::unwrap_used, reason = "a broken vector fails the test")]

mod common;

use ambit_canon::{Value, write};
use ambit_receipt::{Format, KeySet, VerifyingKey, verify};
use common::{json, list, text};

/// The keys that are published beside the documents, each trusted under the ids that its documents
/// give it.
fn keys(file: &Value) -> KeySet {
    let key = |name| {
        let hex = text(file.get("keys").unwrap(), name).unwrap();
        VerifyingKey::from_hex(hex).unwrap()
    };
    let mut keys = KeySet::new();
    keys.insert("sb:issuer:91e4d1a4f0f0", key("composition"));
    keys.insert(
        "did:aps:z6Mkv1oxS3dr5K9AUc4Tp6LQLJS2XP4sqXuRoHZrYENPpfJU#key-1",
        key("aps"),
    );
    keys.insert(
        "did:aps:z6MkmAWAje6E2baGbKY7vNUAhDdAEkJFXn4Q6fhhZ7xsUaXA",
        key("interop"),
    );
    keys.insert_by_thumbprint(key("gateway"));
    keys.insert_by_thumbprint(key("rfc8032"));
    keys
}

#[test]
fn published_documents_are_receipts_or_it_is_said_why_not() {
    let file = json("upstream/documents.json");
    let keys = keys(&file);
    let got: Vec<_> = list(&file, "documents")
        .iter()
        .map(|row| {
            let verdict = verify(text(row, "text").unwrap().as_bytes(), &keys);
            let format = verdict.format.map_or("", Format::as_str);
            (text(row, "file").unwrap(), format, verdict.code.as_str())
        })
        .collect();
    let want: Vec<_> = DOCUMENTS
        .iter()
        .map(|(file, format, code, _)| (*file, *format, *code))
        .collect();
    assert_eq!(got, want);
    let unexplained =
        |(_, _, code, why): &&(&str, &str, &str, &str)| (*code == "OK") != why.is_empty();
    assert_eq!(DOCUMENTS.iter().find(unexplained), None);
}

/// File, format, code, and why it is not valid.
const DOCUMENTS: &[(&str, &str, &str, &str)] = &[
    ("veritasacta-verify/sample-receipt.json", "v2", "OK", ""),
    (
        "protect-mcp/examples/capgate/example-receipt.json",
        "v2",
        "SIGNATURE_ENCODING",
        "an example: its signature is the text `example-only-not-signed`",
    ),
    (
        "scopeblind-examples/interop/interop-envelope.json",
        "acta",
        "SIGNATURE_ENCODING",
        "an example: its signature is a placeholder",
    ),
    (
        "scopeblind-examples/interop/composition-test/scopeblind-policy-eval.json",
        "acta",
        "SCHEMA_INVALID",
        "signed, but the first of its chain names `null` before it, which draft -04 forbids",
    ),
    (
        "scopeblind-examples/interop/composition-test/scopeblind-execution.json",
        "acta",
        "OK",
        "",
    ),
    (
        "scopeblind-examples/interop/composition-test/aps-receipts/evaluation.json",
        "acta",
        "SCHEMA_INVALID",
        "signed, but of another format: a payload without `type`, `issued_at` and `issuer_id`",
    ),
    (
        "scopeblind-examples/interop/composition-test/aps-receipts/permit.json",
        "acta",
        "SCHEMA_INVALID",
        "signed, but of another format: a payload without `type`, `issued_at` and `issuer_id`",
    ),
    (
        "scopeblind-examples/interop/composition-test/aps-receipts/outcome.json",
        "acta",
        "SCHEMA_INVALID",
        "signed, but of another format: a payload without `type`, `issued_at` and `issuer_id`",
    ),
    (
        "scopeblind-examples/interop/aps-test-vectors/receipt-permit.json",
        "acta",
        "UNKNOWN_FORMAT",
        "an envelope of another format: `issuer_id` and more stand beside its payload",
    ),
    (
        "scopeblind-examples/interop/aps-test-vectors/receipt-deny.json",
        "acta",
        "UNKNOWN_FORMAT",
        "an envelope of another format: `issuer_id` and more stand beside its payload",
    ),
    (
        "scopeblind-examples/interop/aps-test-vectors/receipt-commerce.json",
        "acta",
        "UNKNOWN_FORMAT",
        "an envelope of another format: `issuer_id` and more stand beside its payload",
    ),
    (
        "agent-governance-testvectors-2026-04-19/aps-gateway-enforcement/2-external-verification/receipt.json",
        "v2",
        "OK",
        "",
    ),
    (
        "agent-governance-testvectors-2026-04-19/aps-gateway-enforcement/3-state-drift/receipt.json",
        "v2",
        "OK",
        "",
    ),
    (
        "agent-governance-testvectors-2026-04-19/aps-gateway-enforcement/4-portability/receipt.json",
        "v2",
        "OK",
        "",
    ),
    (
        "agent-governance-testvectors-2026-04-19/aps-gateway-enforcement/4-portability/intoto-envelope.json",
        "acta",
        "UNKNOWN_FORMAT",
        "a DSSE envelope around a receipt, not a receipt",
    ),
    (
        "agent-governance-testvectors-2026-04-19/aps-gateway-enforcement/4-portability/in-toto-statement.json",
        "",
        "UNKNOWN_FORMAT",
        "an in-toto statement, not signed",
    ),
    (
        "agent-governance-testvectors-2026-04-19/aps-gateway-enforcement/1-fail-closed/audit-log.json",
        "",
        "UNKNOWN_FORMAT",
        "a line of a log, not signed",
    ),
    (
        "agent-governance-testvectors-2026-04-19/a2a-trust-header/happy-path.json",
        "",
        "UNKNOWN_FORMAT",
        "a header's delegations and attestations, no receipt",
    ),
    (
        "agent-governance-testvectors-2026-04-19/a2a-trust-header/drift-explicit-flag.json",
        "",
        "UNKNOWN_FORMAT",
        "a header's delegations and attestations, no receipt",
    ),
    (
        "agent-governance-testvectors-2026-04-19/a2a-trust-header/revocation-mid-chain.json",
        "",
        "UNKNOWN_FORMAT",
        "a header's delegations and attestations, no receipt",
    ),
    (
        "agent-governance-testvectors-2026-04-19/a2a-trust-header/shared-card-crossorg.json",
        "",
        "UNKNOWN_FORMAT",
        "a header's delegations and attestations, no receipt",
    ),
    (
        "agent-governance-testvectors-2026-04-19/a2a-trust-header/trust-level-ascending.json",
        "",
        "UNKNOWN_FORMAT",
        "a header's delegations and attestations, no receipt",
    ),
    (
        "agent-governance-testvectors-2026-04-19/a2a-trust-header/trust-level-descending.json",
        "",
        "UNKNOWN_FORMAT",
        "a header's delegations and attestations, no receipt",
    ),
    (
        "scopeblind-examples/security-vulnerability-disclosure/example-chain.jsonl line 1",
        "acta",
        "UNKNOWN_FORMAT",
        "an example: signed by the text `ed25519:EXAMPLE_SIGNATURE_DISCOVER`",
    ),
    (
        "protect-mcp/protect-mcp-log.sample.jsonl line 1",
        "",
        "UNKNOWN_FORMAT",
        "a line of a log, not signed",
    ),
    (
        "agent-governance-testvectors-2026-04-19/expected/chain.jsonl line 1",
        "",
        "UNKNOWN_FORMAT",
        "what is expected of a chain, not signed",
    ),
];

/// Vectors of argentum-core: what was signed, by whom, and when.
#[test]
fn other_bytes_keys_and_times_than_the_draft_s_are_refused() {
    let file = json("acta/farley-receipt-signature.json");
    let jwks = write(file.get("jwks").unwrap());
    let keys = KeySet::from_jwks(jwks.as_bytes()).unwrap().keys;
    let got: Vec<_> = list(&file, "cases")
        .iter()
        .map(|case| {
            let verdict = verify(write(case.get("receipt").unwrap()).as_bytes(), &keys);
            let name = text(case, "name").unwrap();
            assert_eq!(
                Some(verdict.status.as_str()),
                text(case, "expected"),
                "{name}"
            );
            (name, verdict.code.as_str())
        })
        .collect();
    assert_eq!(
        got,
        [
            ("signature-input-drift.reject", "INVALID_SIGNATURE"),
            ("signature-input-drift.conformant", "OK"),
            ("superseded-key.reject", "KEY_OUTSIDE_WINDOW"),
            ("superseded-key.conformant", "OK"),
        ]
    );
}
