// SPDX-License-Identifier: Apache-2.0
//! Documents that hold many receipts: an array of them, or a bundle as protect-mcp exports it.
//!
//! Keys inside a bundle are never used. A receipt is taken as the exact text that stands there: some
//! formats sign the spelling of a number.

use ambit_canon::{Limits, Value, parse};

/// What a document is.
pub(super) enum Bundle {
    /// One receipt, or nothing that we know.
    None,
    Receipts(Vec<Vec<u8>>),
    Unreadable(String),
}

/// Reads a document.
pub(super) fn read(text: &[u8]) -> Bundle {
    let first = text.trim_ascii_start().first();
    let is_array = first == Some(&b'[');
    if !is_array && find(text, MEMBER).is_none() {
        return Bundle::None;
    }
    let limits = Limits {
        max_bytes: MAX_BYTES,
        max_depth: 64,
    };
    // What is no JSON, or deeper than the bundle's own levels allow, is no receipt either.
    let Ok(value) = parse(text, &limits) else {
        return Bundle::None;
    };
    // What has a mark of a receipt is judged as one: else its own claims would pass unverified.
    let is_receipt = RECEIPT.iter().any(|name| value.get(name).is_some());
    let Some(elements) = value
        .as_array()
        .or_else(|| value.get("receipts").and_then(Value::as_array))
        .filter(|_| !is_receipt)
    else {
        return Bundle::None;
    };
    let Some(texts) = slices(text, is_array) else {
        return Bundle::Unreadable("the member `receipts` is spelled with escapes".to_owned());
    };
    if texts.len() != elements.len() {
        return Bundle::Unreadable("the receipts cannot be told apart".to_owned());
    }
    let receipts = texts
        .into_iter()
        .zip(elements)
        // An exact text may stand in a string.
        .map(|(text, value)| value.as_str().map_or(text, str::as_bytes).to_vec());
    Bundle::Receipts(receipts.collect())
}

/// Returns the texts of an array's elements: of the document, or of its member `receipts`.
///
/// The text must be JSON: it was parsed before.
fn slices(text: &[u8], is_array: bool) -> Option<Vec<&[u8]>> {
    let target = if is_array { 1 } else { 2 };
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let (mut start, mut found, mut wanted): (Option<usize>, Vec<&[u8]>, bool) =
        (None, Vec::new(), is_array);
    let mut string_start = 0_usize;
    for (at, byte) in text.iter().copied().enumerate() {
        if in_string {
            if byte == b'"' && !escaped {
                in_string = false;
                if !is_array && depth == 1 && is_name(text, at) {
                    wanted = text.get(string_start..=at) == Some(MEMBER);
                }
            }
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'"' => {
                (in_string, escaped, string_start) = (true, false, at);
                start = begin(start, at, wanted && depth == target);
            }
            b'[' | b'{' => {
                start = begin(start, at, wanted && depth == target);
                depth = depth.saturating_add(1);
            }
            b',' | b']' if wanted && depth == target => {
                if let Some(start) = start.take() {
                    found.push(text.get(start..at)?.trim_ascii_end());
                }
                if byte == b']' {
                    return Some(found);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => {}
            _ => start = begin(start, at, wanted && depth == target),
        }
    }
    None
}

/// Returns where an element begins: here, if it has not begun and this is a place for one.
const fn begin(start: Option<usize>, at: usize, is_place: bool) -> Option<usize> {
    match start {
        None if is_place => Some(at),
        begun => begun,
    }
}

/// Whether the string that ends at `end` is a member's name.
fn is_name(text: &[u8], end: usize) -> bool {
    let rest = text.get(end.saturating_add(1)..).unwrap_or_default();
    rest.trim_ascii_start().first() == Some(&b':')
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|it| it == what)
}

const MEMBER: &[u8] = b"\"receipts\"";
/// Members of receipts: of every format's there is one.
pub(super) const RECEIPT: [&str; 3] = ["payload", "receipt_version", "signature"];
const MAX_BYTES: usize = 64 << 20;
