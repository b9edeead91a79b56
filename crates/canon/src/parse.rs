// SPDX-License-Identifier: Apache-2.0
//! Strict JSON text to values, without recursion.

use crate::error::{CanonError, CanonErrorKind as Kind};
use crate::object::{Object, compare_names};
use crate::pass::canonical_text;
use crate::scan::{Fault, Scanner, Spelling};
use crate::value::Value;
use crate::write::write;

/// Bounds of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes a document may have.
    pub max_bytes: usize,
    /// The most arrays and objects that may be open at once; more than [`MAX_DEPTH`] counts as
    /// [`MAX_DEPTH`]. 0 allows scalars only.
    pub max_depth: usize,
}

impl Default for Limits {
    /// 1 MiB and 64 levels.
    fn default() -> Self {
        Self {
            max_bytes: 1 << 20,
            max_depth: 64,
        }
    }
}

/// The deepest nesting that any [`Limits`] can allow.
pub const MAX_DEPTH: usize = 128;

/// Parses strict JSON.
///
/// Takes time in proportion to the document's size, and to n log n of an object's n members where
/// they do not stand in canonical order.
///
/// # Errors
///
/// The first fault found: size, byte order mark and UTF-8 are checked first, then the text from its
/// start; a duplicate name is found where its object ends.
pub fn parse(document: &[u8], limits: &Limits) -> Result<Value, CanonError> {
    read(document, limits, Spelling::Any)
}

/// Parses strict JSON whose numbers are all plain integers: no fraction, no exponent, no `-0`.
///
/// For formats whose canonical form keeps the spelling of a number, so that `1.0` is not `1`: of
/// plain integers there is one spelling only.
///
/// # Errors
///
/// Those of [`parse`], and [`CanonErrorKind::NotPlainInteger`](Kind::NotPlainInteger).
pub fn parse_plain_integers(document: &[u8], limits: &Limits) -> Result<Value, CanonError> {
    read(document, limits, Spelling::PlainInteger)
}

/// Parses strict JSON and returns its RFC 8785 text.
///
/// Most texts are read and written in one pass, without a [`Value`]. The answer is always that of
/// [`parse`] and [`write`](fn@crate::write), and the time of their order.
///
/// # Errors
///
/// Those of [`parse`].
pub fn canonicalize(document: &[u8], limits: &Limits) -> Result<String, CanonError> {
    check_bytes(document, limits)
        .and_then(|text| {
            canonical_text(text, limits.max_depth.min(MAX_DEPTH)).map_or_else(
                || Ok(write(&Parser::new(text, limits, Spelling::Any).document()?)),
                Ok,
            )
        })
        .map_err(|(kind, offset)| CanonError::at(kind, document, offset))
}

fn read(document: &[u8], limits: &Limits, spelling: Spelling) -> Result<Value, CanonError> {
    check_bytes(document, limits)
        .and_then(|text| Parser::new(text, limits, spelling).document())
        .map_err(|(kind, offset)| CanonError::at(kind, document, offset))
}

fn check_bytes<'a>(document: &'a [u8], limits: &Limits) -> Result<&'a str, Fault> {
    if document.len() > limits.max_bytes {
        return Err((Kind::TooLarge, limits.max_bytes));
    }
    if document.starts_with(b"\xef\xbb\xbf") {
        return Err((Kind::ByteOrderMark, 0));
    }
    std::str::from_utf8(document).map_err(|error| (Kind::InvalidUtf8, error.valid_up_to()))
}

/// A member that was read, with the offset of its name.
struct Member {
    name: String,
    offset: usize,
    value: Value,
}

/// An array or object that is not closed yet.
enum Open {
    Array(Vec<Value>),
    Object {
        members: Vec<Member>,
        name: String,
        offset: usize,
    },
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    open: Vec<Open>,
    max_depth: usize,
    spelling: Spelling,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, limits: &Limits, spelling: Spelling) -> Self {
        let max_depth = limits.max_depth.min(MAX_DEPTH);
        Self {
            scanner: Scanner::new(text),
            open: Vec::new(),
            max_depth,
            spelling,
        }
    }

    fn document(mut self) -> Result<Value, Fault> {
        loop {
            let Some(value) = self.value()? else { continue };
            if let Some(root) = self.complete(value)? {
                self.scanner.skip_white_space();
                return match self.scanner.peek() {
                    Some(_) => Err((Kind::TrailingBytes, self.scanner.offset())),
                    None => Ok(root),
                };
            }
        }
    }

    /// Reads a scalar or an empty array or object; opens any other and returns `None`.
    fn value(&mut self) -> Result<Option<Value>, Fault> {
        self.scanner.skip_white_space();
        match self.scanner.peek() {
            Some(b'{') => self.open_object(),
            Some(b'[') => self.open_array(),
            Some(b'"') => self.scanner.string().map(|text| Some(Value::String(text))),
            Some(b'-' | b'0'..=b'9') => self
                .scanner
                .number(self.spelling)
                .map(|it| Some(Value::Number(it))),
            Some(b't') => self.scanner.word("true").map(|()| Some(Value::Bool(true))),
            Some(b'f') => self
                .scanner
                .word("false")
                .map(|()| Some(Value::Bool(false))),
            Some(b'n') => self.scanner.word("null").map(|()| Some(Value::Null)),
            _ => Err(self.scanner.unexpected()),
        }
    }

    fn open_array(&mut self) -> Result<Option<Value>, Fault> {
        self.descend()?;
        if self.scanner.peek() == Some(b']') {
            self.scanner.bump();
            return Ok(Some(Value::Array(Vec::new())));
        }
        self.open.push(Open::Array(Vec::new()));
        Ok(None)
    }

    fn open_object(&mut self) -> Result<Option<Value>, Fault> {
        self.descend()?;
        if self.scanner.peek() == Some(b'}') {
            self.scanner.bump();
            return Ok(Some(Value::Object(Object::new())));
        }
        let (name, offset) = self.name()?;
        self.open.push(Open::Object {
            members: Vec::new(),
            name,
            offset,
        });
        Ok(None)
    }

    /// Moves past an opening bracket.
    fn descend(&mut self) -> Result<(), Fault> {
        if self.open.len() >= self.max_depth {
            return Err((Kind::TooDeep, self.scanner.offset()));
        }
        self.scanner.bump();
        self.scanner.skip_white_space();
        Ok(())
    }

    /// Reads a member's name and its colon.
    fn name(&mut self) -> Result<(String, usize), Fault> {
        self.scanner.skip_white_space();
        let offset = self.scanner.offset();
        if self.scanner.peek() != Some(b'"') {
            return Err(self.scanner.unexpected());
        }
        let name = self.scanner.string()?;
        self.scanner.skip_white_space();
        self.scanner.word(":")?;
        Ok((name, offset))
    }

    /// Gives a complete value to what is open around it, closing all that ends with it. Returns the
    /// root once that is complete.
    fn complete(&mut self, value: Value) -> Result<Option<Value>, Fault> {
        let mut value = value;
        loop {
            let Some(open) = self.open.pop() else {
                return Ok(Some(value));
            };
            self.scanner.skip_white_space();
            let next = self.scanner.peek();
            match (open, next) {
                (Open::Array(mut elements), Some(byte @ (b',' | b']'))) => {
                    self.scanner.bump();
                    elements.push(value);
                    if byte == b',' {
                        self.open.push(Open::Array(elements));
                        return Ok(None);
                    }
                    value = Value::Array(elements);
                }
                (
                    Open::Object {
                        mut members,
                        name,
                        offset,
                    },
                    Some(byte @ (b',' | b'}')),
                ) => {
                    self.scanner.bump();
                    members.push(Member {
                        name,
                        offset,
                        value,
                    });
                    if byte == b',' {
                        let (name, offset) = self.name()?;
                        self.open.push(Open::Object {
                            members,
                            name,
                            offset,
                        });
                        return Ok(None);
                    }
                    value = Value::Object(close_object(members)?);
                }
                (Open::Array(_) | Open::Object { .. }, _) => return Err(self.scanner.unexpected()),
            }
        }
    }
}

/// Sorts members and refuses a repeated name, at the first repetition in the text.
fn close_object(mut members: Vec<Member>) -> Result<Object, Fault> {
    // Stable, and linear where the members stand in order already.
    members.sort_by(|a, b| compare_names(&a.name, &b.name));
    let repeated = members.windows(2).filter_map(|pair| match pair {
        [first, second] if first.name == second.name => Some(second.offset),
        _ => None,
    });
    if let Some(offset) = repeated.min() {
        return Err((Kind::DuplicateMember, offset));
    }
    Ok(Object::from_sorted(
        members.into_iter().map(|it| (it.name, it.value)).collect(),
    ))
}
