// SPDX-License-Identifier: Apache-2.0
//! Any bytes as an envelope: what a key signed comes out of it, and nothing else does.
#![no_main]

use std::sync::LazyLock;

use ambit_receipt::{KeySet, SigningKey, dsse};
use libfuzzer_sys::fuzz_target;

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let mut keys = KeySet::new();
    keys.insert_any(SigningKey::from_seed(&[2; 32]).verifying_key());
    keys
});

fuzz_target!(|envelope: &[u8]| {
    if let Ok(got) = dsse::import(envelope, &KEYS) {
        // The one statement that this key signed in the corpus: signatures cannot be found by luck.
        assert_eq!(got.receipt, b"{\"a\": \"\xe2\x98\x83\"}\n");
        assert_eq!(
            (got.exported_at.as_str(), got.signers.len()),
            ("2026-11-20T00:00:00Z", 1)
        );
    }
});
