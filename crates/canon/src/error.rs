// SPDX-License-Identifier: Apache-2.0
//! What was wrong with a document, and where.

/// A document that is not strict JSON: the first fault, and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at line {line}, column {column}")]
pub struct CanonError {
    /// What is wrong.
    pub kind: CanonErrorKind,
    /// Byte offset of the fault from the start of the document; its length where it ends too soon.
    pub offset: usize,
    /// Line of the fault, from 1. Lines end with U+000A.
    pub line: usize,
    /// Column of the fault in characters (Unicode scalar values), from 1.
    pub column: usize,
}

impl CanonError {
    /// Locates `kind` at byte `offset` of `document`.
    pub(crate) fn at(kind: CanonErrorKind, document: &[u8], offset: usize) -> Self {
        let before = document.get(..offset).unwrap_or(document);
        let line = before.split(|byte| *byte == b'\n').count();
        let this_line = before
            .rsplit(|byte| *byte == b'\n')
            .next()
            .unwrap_or(before);
        let characters = this_line
            .iter()
            .filter(|byte| **byte & 0xc0 != 0x80)
            .count();
        Self {
            kind,
            offset,
            line,
            column: characters.saturating_add(1),
        }
    }
}

/// The ways a document can fail to be strict JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum CanonErrorKind {
    /// The document starts with U+FEFF (RFC 7493 section 2.1 by way of RFC 8259 section 8.1).
    #[error("byte order mark; expected UTF-8 without one")]
    ByteOrderMark,
    /// A raw U+0000 to U+001F in a string (RFC 8259 section 7). The offset is the character's.
    #[error("unescaped control character in a string")]
    ControlCharacter,
    /// A member name that the same object already has, compared after unescaping (RFC 7493
    /// section 2.3). The offset is that of the repeated name's opening quote.
    #[error("duplicate member name")]
    DuplicateMember,
    /// An integer beyond ±(2^53 − 1) (RFC 7493 section 2.2). The offset is the number's first byte.
    #[error("integer out of range; expected at most 9007199254740991 in magnitude")]
    IntegerOutOfRange,
    /// A backslash followed by something that is no escape. The offset is the backslash's.
    #[error("invalid escape in a string")]
    InvalidEscape,
    /// A number that breaks the grammar: no digit where one must be, or a leading zero. The offset
    /// is the byte where the grammar breaks.
    #[error("invalid number")]
    InvalidNumber,
    /// Bytes that are not UTF-8. The offset is the first such byte's.
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// A `\u` escape that is half of a surrogate pair (RFC 7493 section 2.1). The offset is the
    /// backslash's.
    #[error("lone surrogate in a string")]
    LoneSurrogate,
    /// A number that is not spelled as a plain integer, where only those may stand. The offset is
    /// the number's first byte.
    #[error("number is not a plain integer; expected no fraction, no exponent and no `-0`")]
    NotPlainInteger,
    /// A number too large for an IEEE 754 double. The offset is the number's first byte.
    #[error("number out of range; expected an IEEE 754 double")]
    NumberOutOfRange,
    /// A byte that cannot stand where it stands.
    #[error("unexpected character")]
    Syntax,
    /// An array or object nested deeper than the limit. The offset is its opening bracket's.
    #[error("nested too deeply")]
    TooDeep,
    /// More bytes than the limit. The offset is the first byte beyond it.
    #[error("document too large")]
    TooLarge,
    /// Something other than white space after the document's one value.
    #[error("unexpected bytes after the end of the document")]
    TrailingBytes,
    /// The document ends inside a value.
    #[error("unexpected end of the document")]
    UnexpectedEnd,
}

impl CanonErrorKind {
    /// Every kind, in the order of the codes.
    pub const ALL: [Self; 15] = [
        Self::ByteOrderMark,
        Self::ControlCharacter,
        Self::DuplicateMember,
        Self::IntegerOutOfRange,
        Self::InvalidEscape,
        Self::InvalidNumber,
        Self::InvalidUtf8,
        Self::LoneSurrogate,
        Self::NotPlainInteger,
        Self::NumberOutOfRange,
        Self::Syntax,
        Self::TooDeep,
        Self::TooLarge,
        Self::TrailingBytes,
        Self::UnexpectedEnd,
    ];

    /// Returns the stable code; it is never renamed or reused.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "BYTE_ORDER_MARK",
            Self::ControlCharacter => "CONTROL_CHARACTER",
            Self::DuplicateMember => "DUPLICATE_MEMBER",
            Self::IntegerOutOfRange => "INTEGER_OUT_OF_RANGE",
            Self::InvalidEscape => "INVALID_ESCAPE",
            Self::InvalidNumber => "INVALID_NUMBER",
            Self::InvalidUtf8 => "INVALID_UTF8",
            Self::LoneSurrogate => "LONE_SURROGATE",
            Self::NotPlainInteger => "NOT_PLAIN_INTEGER",
            Self::NumberOutOfRange => "NUMBER_OUT_OF_RANGE",
            Self::Syntax => "SYNTAX",
            Self::TooDeep => "TOO_DEEP",
            Self::TooLarge => "TOO_LARGE",
            Self::TrailingBytes => "TRAILING_BYTES",
            Self::UnexpectedEnd => "UNEXPECTED_END",
        }
    }
}
