// SPDX-License-Identifier: Apache-2.0
//! Documents that hold many receipts: an array of them, or a bundle as protect-mcp exports it.
//!
//! Keys inside a bundle are never used. A receipt is taken as the exact text that stands there: some
//! formats sign the spelling of a number. Of a document no more is kept than its text, whatever
//! stands in it: it is cut into elements one by one, and each is strict JSON or no receipt.

use ambit_canon::{Limits, Value, parse};

use super::lines::MAX_LINE_BYTES;

/// The receipts of an array or a bundle.
pub(super) struct Receipts {
    text: Vec<u8>,
    /// Where the next element begins: behind a bracket or a comma.
    next: Option<usize>,
}

impl Receipts {
    /// Reads a document; gives it back where it is one receipt, or nothing that we know.
    pub(super) fn read(text: Vec<u8>) -> Result<Self, Vec<u8>> {
        let Some(open) = opening(&text).filter(|open| is_bundle(&text, *open)) else {
            return Err(text);
        };
        let first = open.saturating_add(1);
        let is_empty = token(&text, first).is_some_and(|(at, _)| text.get(at) == Some(&b']'));
        Ok(Self {
            text,
            next: (!is_empty).then_some(first),
        })
    }
}

impl Iterator for Receipts {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let from = self.next.take()?;
        let end = end_of_element(&self.text, from)?;
        if self.text.get(end) == Some(&b',') {
            self.next = Some(end.saturating_add(1));
        }
        let element = trimmed(self.text.get(from..end)?);
        Some(exact(element).unwrap_or_else(|| element.to_vec()))
    }
}

/// Returns the text that an element holds, if it is a string: an exact text may stand there.
fn exact(element: &[u8]) -> Option<Vec<u8>> {
    if element.first() != Some(&b'"') {
        return None;
    }
    let value = parse(element, &limits(MAX_LINE_BYTES)).ok()?;
    value.as_str().map(|text| text.as_bytes().to_vec())
}

/// Whether what stands around the elements is strict JSON, and not itself a receipt.
fn is_bundle(text: &[u8], open: usize) -> bool {
    let mut close = Some(open);
    // The end of the last element is the bracket that closes the list.
    while let Some(at) = close
        && (at == open || text.get(at) == Some(&b','))
    {
        close = end_of_element(text, at.saturating_add(1));
    }
    let around = close.and_then(|close| Some([text.get(..=open)?, text.get(close..)?]));
    around
        .map(|it| it.concat())
        .and_then(|it| parse(&it, &limits(MAX_AROUND_BYTES)).ok())
        // What has a mark of a receipt is judged as one: else its own claims would pass unverified.
        .is_some_and(|it: Value| RECEIPT.iter().all(|name| it.get(name).is_none()))
}

/// Returns where the list opens: the document's own, or that of its member `receipts`.
fn opening(text: &[u8]) -> Option<usize> {
    let (first, mut next) = token(text, 0)?;
    match text.get(first) {
        Some(b'[') => return Some(first),
        Some(b'{') => {}
        _ => return None,
    }
    let mut depth = 1_usize;
    while depth > 0 {
        let (at, end) = token(text, next)?;
        next = end;
        match text.get(at) {
            Some(b'[' | b'{') => depth = depth.saturating_add(1),
            Some(b']' | b'}') => depth = depth.saturating_sub(1),
            _ if depth == 1 && text.get(at..end) == Some(MEMBER) => {
                let (colon, value) = token(text, end)?;
                let (value, _) = token(text, value)?;
                if text.get(colon) == Some(&b':') && text.get(value) == Some(&b'[') {
                    return Some(value);
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns where the element ends that begins here: at a comma, or at the list's own bracket.
fn end_of_element(text: &[u8], from: usize) -> Option<usize> {
    let (mut next, mut depth) = (from, 0_usize);
    loop {
        let (at, end) = token(text, next)?;
        next = end;
        match text.get(at) {
            Some(b'[' | b'{') => depth = depth.saturating_add(1),
            Some(b',' | b']') if depth == 0 => return Some(at),
            Some(b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// Returns where the next token begins and ends: a string with its quotes, or one byte that is no
/// white space.
fn token(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    let space = rest.iter().position(|&byte| !is_space(byte))?;
    let at = from.saturating_add(space);
    let mut end = at.saturating_add(1);
    if text.get(at) == Some(&b'"') {
        while *text.get(end)? != b'"' {
            let step = if text.get(end) == Some(&b'\\') { 2 } else { 1 };
            end = end.saturating_add(step);
        }
        end = end.saturating_add(1);
    }
    Some((at, end))
}

/// Takes the white space away that JSON allows around a value.
fn trimmed(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| !is_space(byte));
    let end = text.iter().rposition(|&byte| !is_space(byte));
    let range = start.zip(end).map(|(start, end)| start..=end);
    range.and_then(|it| text.get(it)).unwrap_or_default()
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

const fn limits(max_bytes: usize) -> Limits {
    Limits {
        max_bytes,
        max_depth: 64,
    }
}

const MEMBER: &[u8] = b"\"receipts\"";
/// Members of receipts: of every format's there is one.
pub(super) const RECEIPT: [&str; 3] = ["payload", "receipt_version", "signature"];
/// Most bytes that may stand around a bundle's receipts (4 MiB).
const MAX_AROUND_BYTES: usize = 4 << 20;
