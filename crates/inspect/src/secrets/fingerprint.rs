// SPDX-License-Identifier: Apache-2.0
//! Secrets that are known by fingerprint: found in a text without being kept.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use ambit_canon::{Digest, Hasher};

/// The shortest secret that has a fingerprint, bytes: shorter ones stand everywhere by chance.
pub(super) const MIN_SECRET_BYTES: usize = 8;
/// The longest.
pub(super) const MAX_SECRET_BYTES: usize = 65_536;
/// The most different lengths of one set: each takes one pass over a text.
const MAX_LENGTHS: usize = 64;

/// A prime below 2^61, and a base: windows are compared by a polynomial over this field first.
const PRIME: u64 = (1 << 61) - 1;
const BASE: u64 = 0x0f0f_3c5a_96e1_d2b5;

/// A secret's length, a rolling hash and SHA-256 of it. Who has it can try guesses: it is kept as
/// the secret is, and it is no use for a secret that can be guessed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    length: usize,
    rolling: u64,
    digest: Digest,
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

/// Why there is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Too short or too long a secret.
    #[error("a secret must have {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes")]
    Length,
    /// A text that is none.
    #[error("not a fingerprint; accepted: what `fingerprint` returned")]
    Malformed,
    /// Secrets of too many lengths.
    #[error("secrets may have at most {MAX_LENGTHS} different lengths")]
    Lengths,
}

impl Fingerprint {
    /// The fingerprint of a secret.
    ///
    /// # Errors
    ///
    /// A secret that is too short or too long.
    pub fn of(secret: &[u8]) -> Result<Self, FingerprintError> {
        if !(MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&secret.len()) {
            return Err(FingerprintError::Length);
        }
        Ok(Self {
            length: secret.len(),
            rolling: secret.iter().fold(0, |hash, byte| push(hash, *byte)),
            digest: digest(secret),
        })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "fp1.{}.{:016x}.{}",
            self.length, self.rolling, self.digest
        )
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let read = || {
            let mut parts = text.strip_prefix("fp1.")?.split('.');
            let length = parts.next()?.parse().ok()?;
            let rolling = u64::from_str_radix(parts.next()?, 16).ok()?;
            let digest = parts.next()?.parse().ok()?;
            let bounded = (MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&length);
            (bounded && parts.next().is_none()).then_some(Self {
                length,
                rolling,
                digest,
            })
        };
        read().ok_or(FingerprintError::Malformed)
    }
}

fn digest(secret: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(b"ambit-fingerprint-v1\0");
    hasher.update(secret);
    hasher.finish()
}

fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a).saturating_mul(u128::from(b));
    u64::try_from(product.checked_rem(u128::from(PRIME)).unwrap_or_default()).unwrap_or_default()
}

fn push(hash: u64, byte: u8) -> u64 {
    times(hash, BASE).saturating_add(u64::from(byte).saturating_add(1)) % PRIME
}

/// Fingerprints, by length.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    lengths: BTreeMap<usize, Vec<Fingerprint>>,
}

impl Known {
    pub(super) fn new(fingerprints: Vec<Fingerprint>) -> Result<Self, FingerprintError> {
        let mut lengths: BTreeMap<usize, Vec<Fingerprint>> = BTreeMap::new();
        for fingerprint in fingerprints {
            lengths
                .entry(fingerprint.length)
                .or_default()
                .push(fingerprint);
        }
        for list in lengths.values_mut() {
            list.sort_by_key(|it| it.rolling);
        }
        if lengths.len() > MAX_LENGTHS {
            return Err(FingerprintError::Lengths);
        }
        Ok(Self { lengths })
    }

    /// The first known secret in a text.
    pub(super) fn find(&self, text: &str) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        self.lengths
            .iter()
            .find_map(|(length, list)| window(bytes, *length, list))
    }
}

/// Rolls a window of `length` over the bytes.
fn window(bytes: &[u8], length: usize, list: &[Fingerprint]) -> Option<Range<usize>> {
    // BASE^length: what the byte that leaves is worth.
    let leaving = (0..length).fold(1, |power, _| times(power, BASE));
    let mut hash = 0_u64;
    for (at, byte) in bytes.iter().enumerate() {
        hash = push(hash, *byte);
        if let Some(old) = at.checked_sub(length).and_then(|old| bytes.get(old)) {
            let worth = times(leaving, u64::from(*old).saturating_add(1));
            hash = hash.saturating_add(PRIME).saturating_sub(worth) % PRIME;
        }
        let end = at.saturating_add(1);
        let Some(start) = end.checked_sub(length) else {
            continue;
        };
        let from = list.partition_point(|it| it.rolling < hash);
        let same = list.get(from..).unwrap_or_default();
        let same = same.iter().take_while(|it| it.rolling == hash);
        let part = bytes.get(start..end).unwrap_or_default();
        let mut same = same.peekable();
        if same.peek().is_some() {
            let digest = digest(part);
            if same.any(|it| it.digest == digest) {
                return Some(start..end);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fingerprints_are_read_as_they_are_written_and_show_nothing() {
        let one = Fingerprint::of(b"correct horse").unwrap();
        assert_eq!(one.to_string().parse(), Ok(one));
        assert_eq!(format!("{one:?}"), "Fingerprint(..)");
        assert_eq!(Fingerprint::of(b"short"), Err(FingerprintError::Length));
        for text in ["", "fp1.3.0.00", "fp2.13.0.0", &format!("{one}.x")] {
            assert_eq!(
                text.parse::<Fingerprint>(),
                Err(FingerprintError::Malformed)
            );
        }
    }

    proptest! {
        #[test]
        fn a_known_secret_is_found_where_it_stands_and_nowhere_else(
            before in "[a-c]{0,40}", secret in "[a-c]{8,12}", after in "[a-c]{0,40}", other in "[d-f]{0,60}",
        ) {
            let fingerprints = vec![Fingerprint::of(secret.as_bytes()).unwrap()];
            let known = Known::new(fingerprints).unwrap();
            let text = format!("{before}{secret}{after}");
            let at = text.find(&secret).unwrap();
            prop_assert_eq!(known.find(&text), Some(at..at.saturating_add(secret.len())));
            prop_assert_eq!(known.find(&other), None);
        }
    }
}
