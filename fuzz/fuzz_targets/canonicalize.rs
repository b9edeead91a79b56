// SPDX-License-Identifier: Apache-2.0
//! Any bytes: `canonicalize` gives the answer of `parse` and `write`, and its text is its own.
#![no_main]

use ambit_canon::{Limits, canonicalize, parse, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    let limits = Limits {
        max_bytes: 1 << 12,
        max_depth: 8,
    };
    let got = canonicalize(document, &limits);
    assert_eq!(got, parse(document, &limits).map(|value| write(&value)));
    if let Ok(text) = got {
        // Canonical text may be longer than its document: numbers lose their exponent.
        let limits = Limits::default();
        assert_eq!(canonicalize(text.as_bytes(), &limits), Ok(text));
    }
});
