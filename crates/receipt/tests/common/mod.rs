// SPDX-License-Identifier: Apache-2.0
//! What the vector tests share.
#![expect(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "a broken vector fails the test; each test binary uses a part"
)]

use std::fs;
use std::path::PathBuf;

use ambit_canon::{Limits, Value, parse};
use ambit_receipt::{KeySet, Status, VerifyingKey, verify};

/// Reads a vector file.
pub fn bytes(path: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../__test__/vectors/receipts");
    fs::read(root.join(path)).unwrap()
}

/// Reads a vector file of JSON.
pub fn json(path: &str) -> Value {
    parse(&bytes(path), &Limits::default()).unwrap()
}

/// Returns the elements of a member.
pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).unwrap()
}

/// Returns the text of a member, if it is text.
pub fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// Encodes hex.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap();
    let pairs = bytes.iter().map(|byte| [byte >> 4, byte & 15]);
    pairs.flatten().map(digit).collect()
}

/// Decodes hex.
pub fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().as_chunks::<2>().0.iter();
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A set of one key under one id.
pub fn keys(id: &str, key: VerifyingKey) -> KeySet {
    let mut keys = KeySet::new();
    keys.insert(id, key);
    keys
}

/// Changes every byte inside a string or number to other legal characters, one at a time, and
/// checks that none of the documents is valid. Returns how many were tried.
pub fn assert_every_byte_counts(document: &[u8], keys: &KeySet) -> usize {
    assert_eq!(verify(document, keys).status, Status::Valid);
    let (mut tried, mut in_string) = (0_usize, false);
    for (at, byte) in document.iter().copied().enumerate() {
        if byte == b'"' {
            in_string = !in_string;
            continue;
        }
        assert_ne!(byte, b'\\', "the document must have no escapes");
        let others: Vec<u8> = match byte {
            b'0'..=b'9' if !in_string => (b'0'..=b'9').collect(),
            _ if in_string => vec![byte ^ 1, byte ^ 0x20, b'0'],
            _ => continue,
        };
        let legal =
            |other: &u8| !matches!(other, 0..0x20 | b'"' | b'\\' | 0x7f..) && *other != byte;
        for other in others.into_iter().filter(legal) {
            let mut changed = document.to_vec();
            changed.splice(at..=at, [other]);
            let verdict = verify(&changed, keys);
            assert_ne!(
                verdict.status,
                Status::Valid,
                "byte {at}: {byte} to {other}"
            );
            tried = tried.saturating_add(1);
        }
    }
    tried
}
