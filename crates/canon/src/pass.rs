// SPDX-License-Identifier: Apache-2.0
//! Canonical text of a text in one pass, without a tree.
//!
//! What is read is written at once; an object whose members came out of order is put in order where
//! it ends. This reader knows no faults: where a text is faulty, or asks for more than is worth
//! doing here, it gives up, and the parser reads that text anew. So there is one place that says
//! what is wrong and where, and this one must only never accept or write what that one does not.

use std::cmp::Ordering;
use std::ops::Range;

use crate::object::compare_names;
use crate::scan::{Scanner, Spelling};
use crate::write::write_string;

/// Returns the RFC 8785 text of `text` with at most `max_depth` arrays and objects open at once.
///
/// `None` says nothing about the text: it may be faulty, a member name may need an escape in its
/// canonical spelling, or too much would have to be moved to put members in order.
pub(crate) fn canonical_text(text: &str, max_depth: usize) -> Option<String> {
    let mut pass = Pass::new(text, max_depth);
    while !(pass.value()? && pass.complete()?) {}
    pass.scanner.skip_white_space();
    pass.scanner.peek().is_none().then_some(pass.out)
}

struct Pass<'a> {
    scanner: Scanner<'a>,
    max_depth: usize,
    out: String,
    open: Vec<Open>,
    /// The members of every open object, outermost object first.
    members: Vec<Member>,
    /// How many bytes may still be moved.
    may_move: usize,
}

/// An array or object that is not closed yet.
#[derive(Clone, Copy)]
enum Open {
    Array,
    Object {
        /// Index of its first member.
        first: usize,
        in_order: bool,
    },
}

/// Where a member stands in the canonical text.
struct Member {
    /// Its name, without the quotes.
    name: Range<usize>,
    /// The end of its value, once that is complete.
    end: usize,
}

impl<'a> Pass<'a> {
    fn new(text: &'a str, max_depth: usize) -> Self {
        Self {
            scanner: Scanner::new(text),
            max_depth,
            out: String::with_capacity(text.len()),
            open: Vec::new(),
            members: Vec::new(),
            may_move: text.len().saturating_mul(MOVES_PER_BYTE),
        }
    }

    /// Copies a scalar or an empty array or object and returns true; opens any other.
    fn value(&mut self) -> Option<bool> {
        self.scanner.skip_white_space();
        match self.scanner.peek()? {
            b'"' => self.string()?,
            b'{' => return self.open_object(),
            b'[' => return self.open_array(),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            _ => return None,
        }
        Some(true)
    }

    fn open_array(&mut self) -> Option<bool> {
        self.descend('[')?;
        if self.scanner.peek() == Some(b']') {
            self.close(']');
            return Some(true);
        }
        self.open.push(Open::Array);
        Some(false)
    }

    fn open_object(&mut self) -> Option<bool> {
        self.descend('{')?;
        if self.scanner.peek() == Some(b'}') {
            self.close('}');
            return Some(true);
        }
        let first = self.members.len();
        let in_order = true;
        self.open.push(Open::Object { first, in_order });
        self.name(first)?;
        Some(false)
    }

    /// Moves past an opening bracket.
    fn descend(&mut self, bracket: char) -> Option<()> {
        if self.open.len() >= self.max_depth {
            return None;
        }
        self.scanner.bump();
        self.scanner.skip_white_space();
        self.out.push(bracket);
        Some(())
    }

    fn close(&mut self, bracket: char) {
        self.scanner.bump();
        self.out.push(bracket);
    }

    /// Copies a member's name and its colon. `first` is the index of the object's first member.
    fn name(&mut self, first: usize) -> Option<()> {
        self.scanner.skip_white_space();
        let start = self.out.len().checked_add(1)?;
        // An escaped name does not compare as its canonical spelling does. It is rare.
        self.out.push_str(self.scanner.plain_string()?);
        let name = start..self.out.len().checked_sub(1)?;
        self.scanner.skip_white_space();
        if self.scanner.peek()? != b':' {
            return None;
        }
        self.close(':');
        match self.compare_to_last(first, &name) {
            Ordering::Less => {}
            Ordering::Equal => return None,
            Ordering::Greater => {
                if let Some(Open::Object { in_order, .. }) = self.open.last_mut() {
                    *in_order = false;
                }
            }
        }
        self.members.push(Member { name, end: 0 });
        Some(())
    }

    /// Compares the object's last member to the name that follows it.
    fn compare_to_last(&self, first: usize, name: &Range<usize>) -> Ordering {
        match self.members.get(first..) {
            Some([.., last]) => {
                compare_names(within(&self.out, &last.name), within(&self.out, name))
            }
            Some([]) | None => Ordering::Less,
        }
    }

    /// Closes all that ends with a complete value. Returns true once that is the root.
    fn complete(&mut self) -> Option<bool> {
        loop {
            let Some(open) = self.open.last().copied() else {
                return Some(true);
            };
            self.scanner.skip_white_space();
            match (open, self.scanner.peek()?) {
                (Open::Array, b',') => {
                    self.close(',');
                    return Some(false);
                }
                (Open::Array, b']') => self.close(']'),
                (Open::Object { first, .. }, b',') => {
                    self.end_member();
                    self.close(',');
                    self.name(first)?;
                    return Some(false);
                }
                (Open::Object { first, in_order }, b'}') => {
                    self.end_member();
                    if !in_order {
                        self.put_in_order(first)?;
                    }
                    self.members.truncate(first);
                    self.close('}');
                }
                (Open::Array | Open::Object { .. }, _) => return None,
            }
            self.open.pop();
        }
    }

    fn end_member(&mut self) {
        if let Some(member) = self.members.last_mut() {
            member.end = self.out.len();
        }
    }

    /// Sorts the members from `first` on, which are the end of the text, and moves them.
    fn put_in_order(&mut self, first: usize) -> Option<()> {
        let Self { out, members, .. } = self;
        let members = members.get_mut(first..)?;
        let start = members.first()?.name.start.checked_sub(1)?;
        self.may_move = self.may_move.checked_sub(out.len().checked_sub(start)?)?;
        members.sort_unstable_by(|a, b| compare_names(within(out, &a.name), within(out, &b.name)));
        let mut moved = String::with_capacity(out.len().checked_sub(start)?);
        let mut last = None;
        for member in members {
            let name = within(out, &member.name);
            if last == Some(name) {
                return None;
            }
            if last.is_some() {
                moved.push(',');
            }
            moved.push_str(out.get(member.name.start.checked_sub(1)?..member.end)?);
            last = Some(name);
        }
        self.out.truncate(start);
        self.out.push_str(&moved);
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        if let Some(string) = self.scanner.plain_string() {
            self.out.push_str(string);
        } else {
            write_string(&self.scanner.string().ok()?, &mut self.out);
        }
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        if let Some(digits) = self.scanner.short_natural() {
            self.out.push_str(digits);
        } else {
            let number = self.scanner.number(Spelling::Any).ok()?;
            number.write_to(&mut self.out);
        }
        Some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.scanner.word(word).ok()?;
        self.out.push_str(word);
        Some(())
    }
}

/// Returns the part of the text that a member's name was recorded at.
fn within<'a>(text: &'a str, range: &Range<usize>) -> &'a str {
    text.get(range.clone()).unwrap_or_default()
}

/// How often each byte may be moved, on average. Members out of order on each of many levels would
/// move the innermost as often; the parser does not.
const MOVES_PER_BYTE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_texts_need_no_parser() {
        for (text, want) in [
            ("0", "0"),
            (" [ ] ", "[]"),
            ("[{ },\t{}]", "[{},{}]"),
            (
                "[true,false,null,-0,1.0,1234567890123456]",
                "[true,false,null,0,1,1234567890123456]",
            ),
            (r#"{"a":{"b":1},"c":[2]}"#, r#"{"a":{"b":1},"c":[2]}"#),
            (
                r#"{"c":{"z":1,"y":{"b":2,"a":"\u00e9\n"}},"b":[3,"é"],"":[]}"#,
                r#"{"":[],"b":[3,"é"],"c":{"y":{"a":"é\n","b":2},"z":1}}"#,
            ),
            (
                "{\"\u{fb33}\":1,\"\u{1f600}\":2}",
                "{\"\u{1f600}\":2,\"\u{fb33}\":1}",
            ),
        ] {
            assert_eq!(canonical_text(text, 4).as_deref(), Some(want), "{text}");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_parser() {
        let nested = "{\"z\":1,\"a\":".repeat(64) + "0" + &"}".repeat(64);
        assert_eq!(canonical_text(&nested, 64), None, "too much to move");
        for text in [
            "",
            "1 2",
            "01",
            "[1,]",
            "[[[]]]",
            "\"a",
            "\"\n\"",
            "9007199254740992",
            r#"{"a":1,"a":2}"#,
            r#"{"b":1,"a":2,"b":3}"#,
            r#"{"a\n":1}"#,
            r#"{"\u0061":1}"#,
        ] {
            assert_eq!(canonical_text(text, 2), None, "{text}");
        }
    }
}
