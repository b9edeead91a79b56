// SPDX-License-Identifier: Apache-2.0
//! Words that look random.

use std::ops::Range;

/// The longest part of a word that is measured, bytes.
const MOST: usize = 256;

/// The base-2 logarithm of a number up to 2^16, in 1/256, rounded down; 0 of 0. By squaring: each
/// square that reaches 2 is a bit of the fraction.
fn log2(number: usize) -> u32 {
    let number = u64::try_from(number).unwrap_or(u64::MAX).clamp(1, 1 << 16);
    let whole = number.ilog2();
    // From 1 to 2, in 1/2^31.
    let mut mantissa = (number << 31) >> whole;
    let mut log = whole;
    for _bit in 0..8 {
        mantissa = mantissa.saturating_mul(mantissa) >> 31;
        log <<= 1;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            log |= 1;
        }
    }
    log
}

/// The first word of at least 20 bytes that looks random: letters of both cases and digits, more
/// than `bits` of entropy a byte, in 1/256, and no path, version or digest.
pub(super) fn find(text: &str, bits: u32) -> Option<Range<usize>> {
    let mut start = 0_usize;
    for word in text.split(|it: char| !is_word(it)) {
        let end = start.saturating_add(word.len());
        if is_random(word, bits) {
            return Some(start..end);
        }
        // Every separator is at least a byte; the text says how long it is.
        let next = text.get(end..).and_then(|rest| rest.chars().next());
        start = end.saturating_add(next.map_or(0, char::len_utf8));
    }
    None
}

const fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '_' | '-' | '=')
}

fn is_random(word: &str, bits: u32) -> bool {
    let word = word.trim_matches(['=', '-', '/']);
    if word.len() < 20 || word.len() > MOST {
        return false;
    }
    let count = |is: fn(&u8) -> bool| word.bytes().filter(is).count();
    let (upper, lower) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let digits = count(u8::is_ascii_digit);
    // Paths and names of several words have many separators, and few digits.
    let separators = word
        .len()
        .saturating_sub(upper)
        .saturating_sub(lower)
        .saturating_sub(digits);
    if upper < 2 || lower < 2 || digits < 2 || separators.saturating_mul(8) > word.len() {
        return false;
    }
    entropy(word.as_bytes()) >= bits
}

/// Entropy of a byte, in 1/256 bit: log n − Σ c log c / n.
fn entropy(word: &[u8]) -> u32 {
    let mut counts = [0_usize; MOST];
    for byte in word {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
    }
    let mut sum = 0_u64;
    for count in counts {
        let times = u64::try_from(count).unwrap_or(u64::MAX);
        sum = sum.saturating_add(u64::from(log2(count)).saturating_mul(times));
    }
    let length = u64::try_from(word.len()).unwrap_or(u64::MAX);
    let mean = sum.checked_div(length).unwrap_or(0);
    log2(word.len()).saturating_sub(u32::try_from(mean).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_those_of_the_book() {
        assert_eq!([0, 1, 2, 3, 10, 256].map(log2), [0, 0, 256, 405, 850, 2048]);
    }

    #[test]
    fn random_words_are_told_from_others() {
        for (text, want) in [
            ("key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYzq3tVb8h", true),
            ("q9Zr4TmXv2Lk8WpYc6Nd", true),
            ("aaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("da39a3ee5e6b4b0d3255bfef95601890afd80709", false),
            ("/usr/lib/x86_64-linux-gnu/libQt5Core.so.5.15.2", false),
            ("ThisIsARatherLongNameOfAClassWithoutDigits", false),
            ("550e8400-e29b-41d4-a716-446655440000", false),
            (
                "an ordinary sentence with 12 words and Some Capitals, nothing random",
                false,
            ),
            ("src/inspect/Rules-File-Version2-Final3.test.ts", false),
        ] {
            assert_eq!(find(text, 1050).is_some(), want, "{text}");
        }
        assert_eq!(find("é q9Zr4TmXv2Lk8WpYc6Nd", 1050), Some(3..23));
    }
}
