// SPDX-License-Identifier: Apache-2.0
//! Reads strings and numbers out of hostile text.

use crate::error::CanonErrorKind as Kind;
use crate::number::{Number, NumberError};

/// A fault and its byte offset.
pub(crate) type Fault = (Kind, usize);

/// How numbers may be spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As JSON allows.
    Any,
    /// As RFC 8785 writes an integer: no fraction, no exponent, no `-0`.
    PlainInteger,
}

/// A place in a document. It only moves forward.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.at
    }

    /// Returns the byte at the place, if the document does not end there.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Moves past one byte.
    pub(crate) const fn bump(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    pub(crate) fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.bump();
        }
    }

    /// The fault of a place where something else was expected.
    pub(crate) fn unexpected(&self) -> Fault {
        (
            if self.peek().is_none() {
                Kind::UnexpectedEnd
            } else {
                Kind::Syntax
            },
            self.at,
        )
    }

    /// Moves past `word`, which is expected at the place.
    pub(crate) fn word(&mut self, word: &str) -> Result<(), Fault> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.unexpected());
            }
            self.bump();
        }
        Ok(())
    }

    /// Reads a string whose opening quote is at the place.
    pub(crate) fn string(&mut self) -> Result<String, Fault> {
        self.bump();
        let mut out = String::new();
        loop {
            let start = self.at;
            while self
                .peek()
                .is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
            {
                self.bump();
            }
            out.push_str(self.since(start));
            match self.peek() {
                Some(b'"') => {
                    self.bump();
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err((Kind::ControlCharacter, self.at)),
                None => return Err(self.unexpected()),
            }
        }
    }

    /// Moves past a string without escapes and returns it with its quotes. Where there is anything
    /// else at the place, returns `None` and stays.
    pub(crate) fn plain_string(&mut self) -> Option<&'a str> {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..)?;
        let (b'"', rest) = rest.split_first()? else {
            return None;
        };
        let length = plain_run(rest);
        if rest.get(length) != Some(&b'"') {
            return None;
        }
        self.at = start.saturating_add(length).saturating_add(2);
        Some(self.since(start))
    }

    /// Moves past a number of one to fifteen digits that stands as RFC 8785 writes it, and returns
    /// it. Where there is anything else at the place, returns `None` and stays.
    pub(crate) fn short_natural(&mut self) -> Option<&'a str> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let length = rest
            .iter()
            .take(16)
            .take_while(|byte| byte.is_ascii_digit());
        let length = length.count();
        let more = matches!(rest.get(length), Some(b'.' | b'e' | b'E'));
        let zero = rest.first() == Some(&b'0') && length > 1;
        if length == 0 || length > 15 || more || zero {
            return None;
        }
        let start = self.at;
        self.at = start.saturating_add(length);
        Some(self.since(start))
    }

    /// Reads an escape whose backslash is at the place.
    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.bump();
        let character = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            Some(_) => return Err((Kind::InvalidEscape, start)),
            None => return Err(self.unexpected()),
        };
        self.bump();
        Ok(character)
    }

    /// Reads `uXXXX`, and the low half that a high surrogate needs.
    fn unicode_escape(&mut self, start: usize) -> Result<char, Fault> {
        self.bump();
        let unit = self.hex4(start)?;
        if !matches!(unit, 0xd800..=0xdbff) {
            return char::from_u32(unit).ok_or((Kind::LoneSurrogate, start));
        }
        if !self.rest().starts_with("\\u") {
            return Err((Kind::LoneSurrogate, start));
        }
        let second = self.at;
        self.bump();
        self.bump();
        let low = self.hex4(second)?;
        if !matches!(low, 0xdc00..=0xdfff) {
            return Err((Kind::LoneSurrogate, start));
        }
        let scalar = 0x1_0000_u32.wrapping_add(((unit & 0x3ff) << 10) | (low & 0x3ff));
        char::from_u32(scalar).ok_or((Kind::LoneSurrogate, start))
    }

    fn hex4(&mut self, start: usize) -> Result<u32, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(byte) = self.peek() else {
                return Err(self.unexpected());
            };
            let digit = char::from(byte)
                .to_digit(16)
                .ok_or((Kind::InvalidEscape, start))?;
            unit = (unit << 4) | digit;
            self.bump();
        }
        Ok(unit)
    }

    /// Reads a number whose first byte (`-` or a digit) is at the place.
    pub(crate) fn number(&mut self, spelling: Spelling) -> Result<Number, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.bump();
        }
        if self.peek() == Some(b'0') {
            self.bump();
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err((Kind::InvalidNumber, self.at));
            }
        } else {
            self.digits()?;
        }
        let mut integer = true;
        if self.peek() == Some(b'.') {
            integer = false;
            self.bump();
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            integer = false;
            self.bump();
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.bump();
            }
            self.digits()?;
        }
        let text = self.since(start);
        if spelling == Spelling::PlainInteger && (!integer || text == "-0") {
            return Err((Kind::NotPlainInteger, start));
        }
        convert(text, integer).map_err(|kind| (kind, start))
    }

    /// Moves past digits, at least one.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.bump();
        }
        if self.at == start {
            Err((Kind::InvalidNumber, start))
        } else {
            Ok(())
        }
    }

    /// Returns the text from `start` to the place. Both are always on character boundaries.
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
}

/// Returns how many bytes at the start stand in a string as they are: up to the first quote,
/// backslash or control.
fn plain_run(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    // The high bit of each byte that is less than `limit` (at most 0x80); a byte above such a one
    // may have it too. So the lowest is right.
    let below = |word: u64, limit: u64| word.wrapping_sub(EACH.wrapping_mul(limit)) & !word & HIGH;
    let equal = |word: u64, byte: u8| below(word ^ EACH.wrapping_mul(u64::from(byte)), 1);
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut length = 0_usize;
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        let stops = below(word, 0x20) | equal(word, b'"') | equal(word, b'\\');
        if stops != 0 {
            let bytes = stops.trailing_zeros() >> 3;
            return length.saturating_add(usize::try_from(bytes).unwrap_or_default());
        }
        length = length.saturating_add(chunk.len());
    }
    let plain = |byte: &&u8| **byte >= 0x20 && !matches!(byte, b'"' | b'\\');
    length.saturating_add(rest.iter().take_while(plain).count())
}

/// Converts the text of a number that fits the grammar.
fn convert(text: &str, integer: bool) -> Result<Number, Kind> {
    let number = if integer {
        text.parse::<i64>()
            .map_or(Err(NumberError::IntegerOutOfRange), Number::try_from)
    } else {
        text.parse::<f64>()
            .map_or(Err(NumberError::NotFinite), Number::try_from)
    };
    number.map_err(|error| match error {
        NumberError::IntegerOutOfRange => Kind::IntegerOutOfRange,
        NumberError::NotFinite => Kind::NumberOutOfRange,
    })
}
