// SPDX-License-Identifier: Apache-2.0
//! Hex and base64, one spelling for each value.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

/// Returns lowercase hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
        .collect()
}

/// Reads exactly `N` bytes of lowercase hex.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let mut bytes = [0; N];
    if pairs.len() != N {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(bytes)
}

/// Returns padded base64 (RFC 4648 section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads exactly `N` bytes of base64 with its padding, its alphabet and zero trailing bits.
pub(crate) fn from_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// Reads padded base64 in either alphabet, for formats that allow both.
pub(crate) fn from_either_base64(text: &str) -> Option<Vec<u8>> {
    let url = text.contains(['-', '_']);
    let engine = if url { &URL_SAFE } else { &STANDARD };
    engine.decode(text).ok()
}

/// Returns base64url without padding (RFC 4648 section 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads exactly `N` bytes of base64url without padding and with zero trailing bits.
pub(crate) fn from_base64url<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// Reads base64url without padding and with zero trailing bits, of any length.
pub(crate) fn base64url_bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The digits of Base58 (Bitcoin's alphabet).
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Returns the number that `bytes` are, big-endian, in Base58; a `1` for each leading zero byte.
pub(crate) fn base58(bytes: &[u8]) -> String {
    // Little-endian digits; quadratic, but keys have 32 bytes.
    let mut digits: Vec<u8> = Vec::new();
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry = carry.saturating_add(u32::from(*digit) << 8);
            *digit = u8::try_from(carry % 58).unwrap_or(0);
            carry /= 58;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 58).unwrap_or(0));
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).map(|_| &0);
    zeros
        .chain(digits.iter().rev())
        .filter_map(|digit| BASE58.get(usize::from(*digit)))
        .map(|digit| char::from(*digit))
        .collect()
}

/// Quotes hostile text for a message: escaped, and cut to 64 characters.
pub(crate) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(64).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", shown.escape_debug())
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_has_one_spelling() {
        assert_eq!(
            (hex(&[0, 0xaf]).as_str(), from_hex("00af")),
            ("00af", Some([0, 0xaf]))
        );
        for text in [
            "00AF", "00a", "00aff", "00aff0", "0x0a", " 0af", "00ag", "00é", "",
        ] {
            assert_eq!(from_hex::<2>(text), None, "{text}");
        }
    }

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(
            (base64(&[0xfb, 0xff]).as_str(), from_base64("+/8=")),
            ("+/8=", Some([251, 255]))
        );
        for text in [
            "+/8", "-_8=", "-_8", "+/9=", "+/+=", " +/8=", "+/8=\n", "+/8==", "+/8=AAAA", "",
        ] {
            assert_eq!(from_base64::<2>(text), None, "{text}");
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
        assert_eq!(from_base64url("-_8"), Some([251, 255]));
        for text in ["-_8=", "+/8", "-_9", " -_8", "-_8\n", ""] {
            assert_eq!(from_base64url::<2>(text), None, "{text}");
        }
    }

    /// draft-msporny-base58-03 section 5, and a key of the draft's vectors.
    #[test]
    fn base58_is_as_published() {
        for (bytes, want) in [
            (&b"Hello World!"[..], "2NEpo7TZRRrLZSi2U"),
            (
                b"The quick brown fox jumps over the lazy dog.",
                "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
            ),
            (&[0, 0, 0x28, 0x7f, 0xb4, 0xcd], "11233QC4"),
            (&[], ""),
        ] {
            assert_eq!(base58(bytes), want);
        }
    }

    #[test]
    fn hostile_text_is_escaped_and_cut() {
        assert_eq!(quoted("a`\u{1b}[31m\n"), "`a`\\u{1b}[31m\\n`");
        assert_eq!(quoted(&"é".repeat(65)), format!("`{}…`", "é".repeat(64)));
    }
}
