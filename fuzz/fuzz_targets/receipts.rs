// SPDX-License-Identifier: Apache-2.0
//! Any bytes as a receipt of any format, or as fields shown apart: a verdict, never a panic, and a
//! valid one only for what verifies again.
#![no_main]

use std::sync::LazyLock;

use ambit_canon::{Digest, parse, write};
use ambit_receipt::disclosure::{DisclosureCode, verify_fields};
use ambit_receipt::{Format, KeySet, KeyWindow, LIMITS, Status, VerdictCode, VerifyingKey, verify};
use libfuzzer_sys::fuzz_target;

/// The keys of the corpus, one of them with a window.
static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let key = |hex: &str| VerifyingKey::from_hex(hex).expect("a key of the vectors");
    let mut keys = KeySet::new();
    for hex in [
        "b14fd168a2f6c7dfdd9b623a71a1d5cf1996c3f89330047b17a4c43cbbdb2f90",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
    ] {
        keys.insert_any(key(hex));
    }
    let window = KeyWindow {
        valid_from: Some("2026-01-01T00:00:00Z".to_owned()),
        valid_until: Some("2026-06-01T00:00:00Z".to_owned()),
        revoked_at: Some("2026-05-31T23:59:59.9999999999Z".to_owned()),
    };
    let rotating = key("43aae8ebbdedb969415d020b0121118022722a577758c5fa88dcd9d8a2116533");
    keys.insert_within("test:rotating:ed25519", rotating, &window);
    keys
});

/// The root of the corpus' disclosures.
const ROOT: &str = "sha256:e70e2b2c65a53c0f70baa8542e1d2123e0119e7fa1449ea1edf7fed080e09e79";

fuzz_target!(|document: &[u8]| {
    let verdict = verify(document, &KEYS);
    assert_eq!(verdict.code.status(verdict.format), verdict.status);
    assert_eq!(
        verdict.status == Status::Valid,
        verdict.code == VerdictCode::Ok
    );
    assert!(!verdict.canonical || verdict.status == Status::Valid);
    let value = parse(document, &LIMITS).ok();
    let digest = value
        .as_ref()
        .map(|value| Digest::of(write(value).as_bytes()));
    assert_eq!(verdict.digest, digest);
    if let (Status::Valid, Some(value)) = (verdict.status, value) {
        assert!(verdict.key_status.is_some());
        assert_eq!(verify(document, &KeySet::new()).code, VerdictCode::NoKey);
        // The skill's formats tell `1.0` from `1`, which the RFC 8785 text does not.
        if !matches!(
            verdict.format,
            Some(Format::AgtSkill | Format::AgtBilateral)
        ) {
            let again = verify(write(&value).as_bytes(), &KEYS);
            assert_eq!((again.code, again.digest), (verdict.code, verdict.digest));
        }
    }
    let root: Digest = ROOT.parse().expect("a digest");
    for field in verify_fields(&root, document) {
        // Hashes cannot be found by luck: these are the fields of the corpus.
        let known = field
            .name
            .as_deref()
            .is_some_and(|name| FIELDS.contains(&name));
        assert!(field.code != DisclosureCode::Ok || known);
    }
});

const FIELDS: &[&str] = &["agent_id", "decision", "tool_name"];
