// SPDX-License-Identifier: Apache-2.0
//! SHA-256 digests and their two written forms.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest (FIPS 180-4), 32 bytes.
///
/// Written as 64 lowercase hex digits ([`Digest::hex`], `Display`) or with the algorithm's name in
/// front ([`Digest::prefixed`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Wraps a digest that was computed or stored elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns 64 lowercase hex digits.
    pub fn hex(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 0x0f] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text
    }

    /// Returns `sha256:` and 64 lowercase hex digits.
    pub fn prefixed(&self) -> String {
        format!("{PREFIX}{}", self.hex())
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.hex())
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    /// Reads 64 lowercase hex digits, alone or after `sha256:`.
    ///
    /// Uppercase digits are refused: digests are compared as text in many places, so each has one
    /// spelling.
    fn from_str(text: &str) -> Result<Self, DigestError> {
        let hex = text.strip_prefix(PREFIX).unwrap_or(text);
        let (pairs, []) = hex.as_bytes().as_chunks::<2>() else {
            return Err(DigestError::Malformed);
        };
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() {
            return Err(DigestError::Malformed);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = (nibble(*high)? << 4) | nibble(*low)?;
        }
        Ok(Self(bytes))
    }
}

/// Why a text is not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Not 64 lowercase hex digits, alone or after `sha256:`.
    #[error("not a SHA-256 digest; accepted: 64 lowercase hex digits, alone or after `sha256:`")]
    Malformed,
}

impl DigestError {
    /// Returns the stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "DIGEST_MALFORMED",
        }
    }
}

/// Computes the digest of a stream.
///
/// ```
/// use ambit_canon::{Digest, Hasher};
///
/// let mut hasher = Hasher::new();
/// hasher.update(b"ab");
/// hasher.update(b"c");
/// assert_eq!(hasher.finish(), Digest::of(b"abc"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Starts an empty stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `bytes` to the stream.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of everything that was appended.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

const fn nibble(digit: u8) -> Result<u8, DigestError> {
    match digit {
        b'0'..=b'9' => Ok(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Ok(digit.wrapping_sub(b'a').wrapping_add(10)),
        _ => Err(DigestError::Malformed),
    }
}

const PREFIX: &str = "sha256:";

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-4 examples.
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn digests_are_those_of_the_standard() {
        assert_eq!(Digest::of(b"").hex(), EMPTY);
        assert_eq!(Digest::of(b"abc").to_string(), ABC);
        assert_eq!(Digest::of(b"abc").prefixed(), format!("sha256:{ABC}"));
        assert_eq!(
            format!("{:?}", Digest::of(b"abc")),
            format!("Digest({ABC})")
        );
    }

    #[test]
    fn a_stream_in_pieces_has_the_digest_of_the_whole() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for cut in [0, 1, 63, 64, 65, 999, 1000] {
            let mut hasher = Hasher::new();
            hasher.update(&bytes[..cut]);
            hasher.update(&bytes[cut..]);
            assert_eq!(hasher.finish(), Digest::of(&bytes), "cut at {cut}");
        }
    }

    #[test]
    fn both_written_forms_are_read_back() {
        assert_eq!(ABC.parse(), Ok(Digest::of(b"abc")));
        assert_eq!(format!("sha256:{ABC}").parse(), Ok(Digest::of(b"abc")));
        assert_eq!(
            Digest::from_bytes(*Digest::of(b"abc").as_bytes()),
            Digest::of(b"abc")
        );
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let cases = [
            String::new(),
            "sha256:".to_owned(),
            ABC.to_uppercase(),
            format!("SHA256:{ABC}"),
            format!("sha256:sha256:{ABC}"),
            format!(" {ABC}"),
            format!("{ABC}\n"),
            ABC.chars().take(63).collect(),
            format!("{ABC}0"),
            format!("{ABC}00"),
            ABC.replace('b', "g"),
            ABC.replace('b', "é"),
            format!("0x{}", ABC.trim_start_matches("ba")),
        ];
        for case in cases {
            assert_eq!(
                case.parse::<Digest>(),
                Err(DigestError::Malformed),
                "{case:?}"
            );
        }
        assert_eq!(DigestError::Malformed.code(), "DIGEST_MALFORMED");
    }
}
