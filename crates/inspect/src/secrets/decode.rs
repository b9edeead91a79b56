// SPDX-License-Identifier: Apache-2.0
//! What is written in base64, hexadecimal digits or percent-encoding, decoded.

use std::ops::Range;

/// The shortest run that is decoded, bytes.
const LEAST: usize = 16;

/// What a part of a text decodes to.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The part, in the text.
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

/// All parts of a text that decode to what could be text. Their sizes add up to less than eight times
/// that of the text.
pub(super) fn parts(text: &str) -> Vec<Decoded> {
    let mut found = Vec::new();
    if text.contains('%') {
        found.push(Decoded {
            at: 0..text.len(),
            text: percent(text),
        });
    }
    for at in runs(text, u8::is_ascii_hexdigit) {
        for skip in 0..2 {
            push(&mut found, text, &at, skip, hex);
        }
    }
    for at in runs(text, |it| {
        it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/' | b'-' | b'_')
    }) {
        for skip in 0..4 {
            push(&mut found, text, &at, skip, base64);
        }
    }
    found
}

fn push(
    found: &mut Vec<Decoded>,
    text: &str,
    at: &Range<usize>,
    skip: usize,
    decode: fn(&[u8]) -> Vec<u8>,
) {
    let start = at.start.saturating_add(skip);
    let bytes = text.as_bytes().get(start..at.end).unwrap_or_default();
    let decoded = decode(bytes);
    // Credentials are printable. What is not is another alignment, or data.
    let printable = decoded
        .iter()
        .filter(|it| it.is_ascii_graphic() || it.is_ascii_whitespace());
    if printable.count().saturating_mul(4) < decoded.len().saturating_mul(3) {
        return;
    }
    found.push(Decoded {
        at: start..at.end,
        text: String::from_utf8_lossy(&decoded).into_owned(),
    });
}

/// The longest runs of some bytes, of at least [`LEAST`].
fn runs(text: &str, is: fn(&u8) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0_usize;
    for run in text.as_bytes().split(|byte| !is(byte)) {
        let end = start.saturating_add(run.len());
        if run.len() >= LEAST {
            found.push(start..end);
        }
        start = end.saturating_add(1);
    }
    found
}

fn hex(digits: &[u8]) -> Vec<u8> {
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let pairs = digits.chunks_exact(2);
    pairs
        .filter_map(|pair| match pair {
            [high, low] => Some((value(*high)? << 4) | value(*low)?),
            _ => None,
        })
        .collect()
}

fn base64(digits: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(digits.len());
    let (mut held, mut bits) = (0_u32, 0_u32);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit.saturating_sub(b'A'),
            b'a'..=b'z' => digit.saturating_sub(b'a').saturating_add(26),
            b'0'..=b'9' => digit.saturating_sub(b'0').saturating_add(52),
            b'+' | b'-' => 62,
            _ => 63,
        };
        held = ((held << 6) | u32::from(value)) & 0x000f_ffff;
        bits = bits.saturating_add(6);
        if bits >= 8 {
            bits = bits.saturating_sub(8);
            out.push(u8::try_from((held >> bits) & 0xff).unwrap_or_default());
        }
    }
    out
}

/// What is not an escape stays.
fn percent(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|it| char::from(*it).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0_usize;
    while let Some(byte) = bytes.get(at) {
        let escaped = (*byte == b'%')
            .then(|| Some((digit(at.saturating_add(1))?, digit(at.saturating_add(2))?)))
            .flatten()
            .and_then(|(high, low)| u8::try_from((high << 4) | low).ok());
        out.push(escaped.unwrap_or(*byte));
        at = at.saturating_add(if escaped.is_some() { 3 } else { 1 });
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        parts(text).into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn encodings_are_read_wherever_they_begin() {
        let want = "a secret of some length";
        let base64 = "YSBzZWNyZXQgb2Ygc29tZSBsZW5ndGg";
        for text in [
            base64.to_owned(),
            format!("x={base64}="),
            format!("data{base64}"),
            format!("q{base64}"),
            "612073656372657420 6f6620736f6d65206c656e677468".replace(' ', ""),
            "%61%20secret%20of%20some%20length".to_owned(),
        ] {
            assert!(
                texts(&text).iter().any(|it| it.contains(want)),
                "{text}: {:?}",
                texts(&text)
            );
        }
        assert_eq!(texts("short"), Vec::<String>::new());
        assert_eq!(texts("100% sure"), ["100% sure"]);
    }
}
