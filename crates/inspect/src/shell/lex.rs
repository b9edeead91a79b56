// SPDX-License-Identifier: Apache-2.0
//! Inside of words: quotes, `$`, backticks, patterns.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "places are bounded by the length of a text in memory, and only move forward"
)]

use super::ast::{Form, Kind, Part, Slice, Sub};
use super::build::{Closer, Expect, Purpose};
use super::parse::{Frame, Parser, is_meta};

/// How far the end of `((` is looked for. What is longer is read as two subshells.
const ARITHMETIC: usize = 512;

/// A byte that means nothing in a word outside of quotes.
const fn is_plain(byte: u8) -> bool {
    !is_meta(byte)
        && !matches!(
            byte,
            b'\\' | b'\'' | b'"' | b'$' | b'`' | b'*' | b'?' | b'[' | b'{' | b',' | b'}' | b'='
        )
}

impl Parser<'_> {
    fn part(&mut self, part: Part) {
        if let Some(word) = self.words.last_mut() {
            word.parts.push(part);
        }
    }

    pub(super) fn text_part(&mut self, start: usize, end: usize, quoted: bool) {
        // Text that goes on where the last part ended is one part with it.
        if let Some(Part::Text {
            end: last,
            quoted: same,
            ..
        }) = self.words.last_mut().and_then(|word| word.parts.last_mut())
            && *last == start
            && *same == quoted
        {
            *last = end;
            return;
        }
        self.part(Part::Text { start, end, quoted });
    }

    /// A word, outside of quotes.
    pub(super) fn word(&mut self) {
        loop {
            let start = self.at;
            while self.at < self.limit && self.text.get(self.at).copied().is_some_and(is_plain) {
                self.at += 1;
            }
            if self.at > start {
                self.text_part(start, self.at, false);
            }
            if self.ended() {
                return self.end_word();
            }
            let byte = self.byte(self.at);
            let next = self.byte(self.at + 1);
            match byte {
                b'\\' | b'\'' | b'"' | b'$' | b'`' => {
                    if self.quoting(byte, next, false) {
                        return;
                    }
                }
                b'*' | b'?' | b'[' => {
                    self.part(Part::Glob(byte));
                    self.at += 1;
                }
                b'{' | b',' | b'}' => {
                    self.part(Part::Brace(byte));
                    self.at += 1;
                }
                b'=' => self.equals(),
                b'<' | b'>' if next == b'(' => {
                    self.at += 2;
                    let closer = Closer::Sub {
                        process: true,
                        quoted: true,
                    };
                    return self.open_list(closer, Kind::Subshell, Expect::Command);
                }
                _ => {
                    if self.meta(byte) {
                        return self.end_word();
                    }
                }
            }
        }
    }

    /// `=`: the first one may end an assignment's name.
    fn equals(&mut self) {
        let start = self.at;
        self.at += 1;
        self.text_part(start, self.at, false);
        let text = self.text;
        let array = self.byte(self.at) == b'(';
        let Some(word) = self.words.last_mut() else {
            return;
        };
        if word.value.is_some() || word.purpose != Purpose::Argument {
            return;
        }
        let name = text.get(word.start..start).unwrap_or_default();
        let (name, append) = match name.strip_suffix(b"+") {
            Some(name) => (name, true),
            None => (name, false),
        };
        if is_name(name) {
            word.value = Some((self.at, append));
            if array {
                word.array = true;
                word.parens = 1;
                self.at += 1;
            }
        } else {
            word.value = Some((usize::MAX, false));
        }
    }

    /// A meta byte in a word. Whether the word ends.
    fn meta(&mut self, byte: u8) -> bool {
        let start = self.at;
        let before = start.checked_sub(1).map_or(0, |at| self.byte(at));
        let Some(word) = self.words.last_mut() else {
            return true;
        };
        if byte == b'('
            && (word.parens > 0
                || (matches!(before, b'?' | b'*' | b'+' | b'@' | b'!') && start > word.start))
        {
            word.parens += 1;
            self.part(Part::Glob(b'*'));
            self.at += 1;
            return false;
        }
        if word.parens == 0 {
            return true;
        }
        let array = word.array;
        match byte {
            b')' => {
                word.parens -= 1;
                self.at += 1;
                false
            }
            b' ' | b'\t' | b'\n' | b'\r' if array => {
                self.at += 1;
                self.part(Part::Made {
                    text: " ".into(),
                    quoted: false,
                });
                false
            }
            b'|' => {
                self.at += 1;
                self.text_part(start, start + 1, false);
                false
            }
            // A pattern has no such bytes: it was none.
            _ => {
                word.parens = 0;
                true
            }
        }
    }

    /// A byte that quotes or expands. Whether the frame changed.
    pub(super) fn quoting(&mut self, byte: u8, next: u8, inside: bool) -> bool {
        let start = self.at;
        match byte {
            b'\\' => {
                self.escape(next, inside);
                false
            }
            b'\'' => {
                self.single();
                false
            }
            b'"' => {
                self.at += 1;
                // An empty quote makes a word, too.
                self.part(Part::Text {
                    start: self.at,
                    end: self.at,
                    quoted: true,
                });
                self.frames.push(Frame::Quote(start));
                true
            }
            b'`' => {
                self.backtick(inside);
                false
            }
            _ => self.dollar(inside),
        }
    }

    #[expect(clippy::if_same_then_else, reason = "one branch for each reason")]
    fn escape(&mut self, next: u8, inside: bool) {
        let start = self.at;
        if next == b'\n' {
            self.at += 2;
        } else if self.at + 1 >= self.limit {
            self.at += 1;
            self.text_part(start, self.at, true);
        } else if inside && !matches!(next, b'$' | b'`' | b'"' | b'\\') {
            self.at += 1;
            self.text_part(start, self.at, true);
        } else {
            // One whole character: the text is UTF-8.
            let mut end = start + 2;
            while self.byte(end) & 0xC0 == 0x80 {
                end += 1;
            }
            self.at = end;
            self.part(Part::Text {
                start: start + 1,
                end,
                quoted: true,
            });
        }
    }

    /// `'…'`
    fn single(&mut self) {
        let start = self.at;
        let rest = self.text.get(start + 1..self.limit).unwrap_or_default();
        if let Some(length) = rest.iter().position(|byte| *byte == b'\'') {
            self.part(Part::Text {
                start: start + 1,
                end: start + 1 + length,
                quoted: true,
            });
            self.at = start + length + 2;
        } else {
            self.unclosed(start + 1);
            self.part(Part::Text {
                start: start + 1,
                end: self.limit,
                quoted: true,
            });
            self.at = self.limit;
        }
    }

    /// `` `…` ``
    fn backtick(&mut self, quoted: bool) {
        let start = self.at + 1;
        let mut at = start;
        while at < self.limit && self.byte(at) != b'`' {
            at += if self.byte(at) == b'\\' { 2 } else { 1 };
        }
        let end = at.min(self.limit);
        if at >= self.limit {
            self.unclosed(start);
        }
        self.at = (end + 1).min(self.limit);
        self.add_sub(
            Sub::Backtick(Slice {
                from: start,
                to: end,
            }),
            quoted,
        );
    }

    /// `$…`. Whether the frame changed.
    fn dollar(&mut self, quoted: bool) -> bool {
        let start = self.at;
        let next = self.byte(start + 1);
        match next {
            b'(' => {
                if self.byte(start + 2) == b'(' && self.is_arithmetic(start + 1) {
                    self.at += 3;
                    self.frames.push(Frame::Arith { parens: 2, start });
                } else {
                    self.at += 2;
                    let closer = Closer::Sub {
                        process: false,
                        quoted,
                    };
                    self.open_list(closer, Kind::Subshell, Expect::Command);
                }
                true
            }
            b'[' => {
                // `$[…]`, arithmetic of old: what is in it is read as text.
                self.at += 1;
                self.part(Part::Number);
                false
            }
            b'{' => {
                self.at += 2;
                self.open_param(start, quoted)
            }
            b'\'' if !quoted => {
                self.at += 2;
                self.ansi(start + 2);
                false
            }
            b'"' if !quoted => {
                self.at += 1;
                false
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let mut end = start + 2;
                while self.byte(end).is_ascii_alphanumeric() || self.byte(end) == b'_' {
                    end += 1;
                }
                self.variable(start + 1, end, quoted)
            }
            b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-' => {
                self.variable(start + 1, start + 2, quoted)
            }
            _ => {
                self.at += 1;
                self.text_part(start, self.at, quoted);
                false
            }
        }
    }

    fn variable(&mut self, from: usize, to: usize, quoted: bool) -> bool {
        self.at = to;
        self.part(Part::Variable {
            name: Slice { from, to },
            form: Form::Plain,
            quoted,
        });
        self.part(Part::End);
        false
    }

    /// `${`: its name and operator. Whether a word follows.
    fn open_param(&mut self, start: usize, quoted: bool) -> bool {
        let mut form = Form::Plain;
        let (first, second) = (self.byte(self.at), self.byte(self.at + 1));
        if first == b'#' && second != b'}' {
            form = Form::Length;
            self.at += 1;
        } else if first == b'!' && second != b'}' {
            form = Form::Indirect;
            self.at += 1;
        }
        let from = self.at;
        if matches!(
            self.byte(self.at),
            b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-'
        ) {
            self.at += 1;
        } else {
            while self.byte(self.at).is_ascii_alphanumeric() || self.byte(self.at) == b'_' {
                self.at += 1;
            }
        }
        let name = Slice { from, to: self.at };
        // `${x[0]}`: the subscript is not looked at.
        if self.byte(self.at) == b'[' {
            while !self.ended() && !matches!(self.byte(self.at), b']' | b'}' | b'\n') {
                self.at += 1;
            }
            self.at += usize::from(self.byte(self.at) == b']');
        }
        let (byte, next) = (self.byte(self.at), self.byte(self.at + 1));
        let (found, length) = match (byte, next) {
            (b':', b'-' | b'=') => (Form::Default, 2),
            (b':', b'+') => (Form::Alternative, 2),
            (b':', b'?') => (Form::Plain, 2),
            (b':', _) => (Form::Cut, 1),
            (b'-' | b'=', _) => (Form::Default, 1),
            (b'+', _) => (Form::Alternative, 1),
            (b'#', b'#') => (Form::TrimStart, 2),
            (b'#', _) => (Form::TrimStart, 1),
            (b'%', b'%') => (Form::TrimEnd, 2),
            (b'%', _) => (Form::TrimEnd, 1),
            (b'/', b'/') => (Form::Replace, 2),
            (b'/', _) => (Form::Replace, 1),
            (b'^', _) => (Form::Upper, 1),
            (b',', _) => (Form::Lower, 1),
            _ => (Form::Plain, 0),
        };
        self.at += length;
        if form == Form::Plain {
            form = found;
        }
        self.part(Part::Variable { name, form, quoted });
        self.frames.push(Frame::Param { start, quoted });
        true
    }

    /// The word of `${…}`.
    pub(super) fn param(&mut self, start: usize, quoted: bool) {
        loop {
            let byte = self.byte(self.at);
            let next = self.byte(self.at + 1);
            match byte {
                _ if self.ended() => {
                    self.unclosed(start + 2);
                    self.part(Part::End);
                    self.frames.pop();
                    return;
                }
                b'}' => {
                    self.at += 1;
                    self.part(Part::End);
                    self.frames.pop();
                    return;
                }
                b'\'' if quoted => self.plain_byte(quoted),
                b'\\' | b'\'' | b'"' | b'$' | b'`' => {
                    if self.quoting(byte, next, quoted) {
                        return;
                    }
                }
                _ => self.plain_byte(quoted),
            }
        }
    }

    fn plain_byte(&mut self, quoted: bool) {
        let start = self.at;
        self.at += 1;
        self.text_part(start, self.at, quoted);
    }

    /// `"…"`
    pub(super) fn quote(&mut self, start: usize) {
        loop {
            let from = self.at;
            while self.at < self.limit && !matches!(self.byte(self.at), b'"' | b'\\' | b'$' | b'`')
            {
                self.at += 1;
            }
            if self.at > from {
                self.text_part(from, self.at, true);
            }
            let (byte, next) = (self.byte(self.at), self.byte(self.at + 1));
            if self.ended() {
                self.unclosed(start + 1);
                self.frames.pop();
                return;
            }
            if byte == b'"' {
                self.at += 1;
                self.frames.pop();
                return;
            }
            if self.quoting(byte, next, true) {
                return;
            }
        }
    }

    /// `$((…))`: what it runs is read, what it computes is not.
    pub(super) fn arith(&mut self, mut parens: usize, start: usize) {
        loop {
            let (byte, next) = (self.byte(self.at), self.byte(self.at + 1));
            match byte {
                _ if self.ended() => {
                    self.unclosed(start + 2);
                    self.part(Part::Number);
                    self.frames.pop();
                    return;
                }
                b'(' => {
                    parens += 1;
                    self.at += 1;
                }
                b')' => {
                    self.at += 1;
                    parens -= 1;
                    if parens == 0 {
                        self.part(Part::Number);
                        self.frames.pop();
                        return;
                    }
                }
                b'$' | b'`' => {
                    if let Some(frame) = self.frames.last_mut() {
                        *frame = Frame::Arith { parens, start };
                    }
                    if self.quoting(byte, next, true) {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// Whether the parentheses that open at a place are arithmetic: they close as `))`.
    pub(super) fn is_arithmetic(&self, open: usize) -> bool {
        let mut depth = 0_usize;
        let mut at = open;
        while at < self.limit && at - open < ARITHMETIC {
            match self.byte(at) {
                b'(' => depth += 1,
                b')' => {
                    depth -= 1;
                    if depth == 1 {
                        return self.byte(at + 1) == b')';
                    }
                    if depth == 0 {
                        return false;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        false
    }

    /// `$'…'`, from the byte after its quote.
    fn ansi(&mut self, start: usize) {
        let mut at = start;
        while at < self.limit && self.byte(at) != b'\'' {
            at += if self.byte(at) == b'\\' { 2 } else { 1 };
        }
        let end = at.min(self.limit);
        if at >= self.limit {
            self.unclosed(start);
        }
        let body = self.text.get(start..end).unwrap_or_default();
        let text = super::escape::unescape(body, super::escape::Style::AnsiC);
        self.part(Part::Made {
            text: text.into(),
            quoted: true,
        });
        self.at = (end + 1).min(self.limit);
    }
}

/// A variable's name, with or without a subscript.
fn is_name(name: &[u8]) -> bool {
    let name = match name.iter().position(|byte| *byte == b'[') {
        Some(at) if name.ends_with(b"]") => name.get(..at).unwrap_or_default(),
        _ => name,
    };
    name.first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}
