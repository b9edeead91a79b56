// SPDX-License-Identifier: Apache-2.0
//! The parser: bash's grammar, read in one pass with a stack of its own.
//!
//! It is lenient: what bash would refuse is read as far as it can be, because a shell may run the
//! commands before a fault. Only brackets and quotes that nothing closes are remembered.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "places are bounded by the length of a text in memory, and only move forward"
)]

use std::collections::VecDeque;

use super::ast::{Ast, Body, Item, Kind, Part, Slice, Sub, WordNode};
use super::build::{BlockParts, Closer, Expect, List, Purpose, WordBuilder, append, push};
use crate::budget::OverBudget;

/// Brackets and quotes in each other.
const MAX_OPEN: usize = 500;

/// What the parser is in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    /// A list: the last of [`Parser::lists`].
    List,
    /// A word, outside of quotes.
    Word,
    /// `"…"`, with the place of its quote.
    Quote(usize),
    /// `${…}`
    Param { start: usize, quoted: bool },
    /// `$((…))` or `((…))`, with parentheses that are open.
    Arith { parens: usize, start: usize },
    /// A here-document: where the text goes on, and the limit that held outside.
    Body { resume: usize, limit: usize },
}

/// A here-document whose body was not reached.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) delimiter: String,
    pub(super) quoted: bool,
    pub(super) strip: bool,
    pub(super) body: usize,
}

/// The parser's state.
#[derive(Debug)]
pub(super) struct Parser<'t> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    pub(super) limit: usize,
    pub(super) ast: Ast,
    pub(super) frames: Vec<Frame>,
    pub(super) lists: Vec<List>,
    pub(super) words: Vec<WordBuilder>,
    pub(super) waiting: VecDeque<Waiting>,
    /// Those that wait while the body of one before them is read, for each body.
    pub(super) later: Vec<VecDeque<Waiting>>,
    spare: Vec<Vec<Part>>,
}

/// Parses `text`.
///
/// # Errors
///
/// Brackets in each other are too deep.
pub(crate) fn parse(text: &str) -> Result<Ast, OverBudget> {
    let mut parser = Parser {
        text: text.as_bytes(),
        at: 0,
        limit: text.len(),
        ast: Ast::default(),
        frames: vec![Frame::List],
        lists: vec![List::new(Closer::End, Kind::Group, Expect::Command)],
        words: Vec::new(),
        waiting: VecDeque::new(),
        later: Vec::new(),
        spare: Vec::new(),
    };
    while let Some(frame) = parser.frames.last().copied() {
        if parser.frames.len() > MAX_OPEN {
            return Err(OverBudget::Depth);
        }
        match frame {
            Frame::List => parser.list(),
            Frame::Word => parser.word(),
            Frame::Quote(start) => parser.quote(start),
            Frame::Param { start, quoted } => parser.param(start, quoted),
            Frame::Arith { parens, start } => parser.arith(parens, start),
            Frame::Body { .. } => parser.body(),
        }
    }
    Ok(parser.ast)
}

/// A byte that ends a word.
pub(super) const fn is_meta(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')'
    )
}

impl Parser<'_> {
    /// The byte at a place; 0 at the end.
    pub(super) fn byte(&self, at: usize) -> u8 {
        if at < self.limit {
            self.text.get(at).copied().unwrap_or(0)
        } else {
            0
        }
    }

    pub(super) const fn ended(&self) -> bool {
        self.at >= self.limit
    }

    /// Something was opened at `start` that nothing closes.
    pub(super) fn unclosed(&mut self, start: usize) {
        self.ast.open.get_or_insert(start);
    }

    fn current(&mut self) -> Option<&mut List> {
        self.lists.last_mut()
    }

    /// Reads tokens of a list until a word begins or the list ends.
    fn list(&mut self) {
        loop {
            let (byte, next) = (self.byte(self.at), self.byte(self.at + 1));
            let test = self.lists.last().is_some_and(|list| list.command.test);
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if next == b'\n' => self.at += 2,
                b'\n' => {
                    self.at += 1;
                    self.end_command();
                    if self.end_line() {
                        return;
                    }
                }
                b'#' => self.skip_line(),
                b'<' | b'>' if next == b'(' => return self.start_word(),
                b'&' if next == b'>' && !test => {
                    if self.redirect() {
                        return;
                    }
                }
                b'<' | b'>' if !test => {
                    if self.redirect() {
                        return;
                    }
                }
                b'0'..=b'9' if !test && self.is_descriptor() => {
                    while self.byte(self.at).is_ascii_digit() {
                        self.at += 1;
                    }
                    if self.redirect() {
                        return;
                    }
                }
                b'&' | b'|' | b'<' | b'>' | b'(' | b')' if test => self.at += 1,
                b';' | b'&' | b'|' => self.separator(byte, next),
                b'(' => {
                    if self.open_paren(next) {
                        return;
                    }
                }
                b')' => {
                    self.at += 1;
                    if self.close_paren() {
                        return;
                    }
                }
                _ if self.ended() => return self.end_of_text(),
                _ => return self.start_word(),
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = self.text.get(self.at..self.limit).unwrap_or_default();
        self.at += rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest.len());
    }

    /// Digits right before `<` or `>`.
    fn is_descriptor(&self) -> bool {
        let mut at = self.at;
        while self.byte(at).is_ascii_digit() && at - self.at < 4 {
            at += 1;
        }
        matches!(self.byte(at), b'<' | b'>') && self.byte(at + 1) != b'('
    }

    fn separator(&mut self, byte: u8, next: u8) {
        self.end_command();
        self.at += if next == byte { 2 } else { 1 };
        if byte == b'|' && next == b'&' {
            self.at += 1;
        }
        if byte == b';' && matches!(next, b';' | b'&') {
            // `;;`, `;&` and `;;&` end a branch of a case.
            self.at +=
                usize::from(next == b'&') + usize::from(next == b';' && self.byte(self.at) == b'&');
            if let Some(list) = self.current()
                && list.kind == Kind::Case
            {
                list.expect = Expect::Pattern;
            }
        }
        if byte == b'|'
            && next != b'|'
            && let Some(list) = self.current()
            && !list.items.is_empty()
            && list.expect == Expect::Command
        {
            list.piped = true;
        }
    }

    /// Ends the command in hand, if there is one.
    fn end_command(&mut self) {
        let at = self.at;
        let Some(list) = self.lists.last_mut() else {
            return;
        };
        match list.expect {
            Expect::Command => {
                list.command.end = at;
                if let Some(node) = list.command.finish(&mut self.ast) {
                    list.items.push(Item {
                        node,
                        piped: list.piped,
                    });
                    list.piped = false;
                }
            }
            Expect::In | Expect::Words => list.expect = Expect::Command,
            Expect::Variable | Expect::Subject | Expect::CaseIn | Expect::Pattern => {}
        }
        if list.expect == Expect::Command && !list.command.subs.is_empty() && list.command.is_bare()
        {
            let subs = std::mem::take(&mut list.command.subs);
            list.header_subs.extend(subs);
        }
    }

    /// `(`: an array or function, arithmetic, or a subshell. Whether the frame changed.
    fn open_paren(&mut self, next: u8) -> bool {
        let start = self.at;
        let Some(list) = self.lists.last_mut() else {
            return false;
        };
        if list.expect == Expect::Pattern {
            self.at += 1;
            return false;
        }
        let one_word = list.command.words.len() == 1 && list.command.block.is_none();
        if one_word && self.closes_at_once() {
            let Some(list) = self.lists.last_mut() else {
                return false;
            };
            let name = list
                .command
                .words
                .pop()
                .map_or_else(Slice::default, |word| word.bytes);
            list.command.function = Some(name);
            return false;
        }
        self.end_command();
        if next == b'(' && self.is_arithmetic(start) {
            self.at += 2;
            let builder = self.builder(Purpose::Argument, start);
            self.words.push(builder);
            self.frames.push(Frame::Word);
            self.frames.push(Frame::Arith { parens: 2, start });
            return true;
        }
        self.at += 1;
        self.open_list(Closer::Paren, Kind::Subshell, Expect::Command);
        true
    }

    /// `()`: moves past it.
    fn closes_at_once(&mut self) -> bool {
        let mut at = self.at + 1;
        while matches!(self.byte(at), b' ' | b'\t') {
            at += 1;
        }
        let closes = self.byte(at) == b')';
        if closes {
            self.at = at + 1;
        }
        closes
    }

    /// `)`. Whether the frame changed.
    fn close_paren(&mut self) -> bool {
        self.end_command();
        let Some(list) = self.lists.last_mut() else {
            return true;
        };
        if list.expect == Expect::Pattern {
            list.expect = Expect::Command;
            return false;
        }
        // Blocks that are open inside of the parentheses end with them.
        let wanted = |list: &List| matches!(list.closer, Closer::Paren | Closer::Sub { .. });
        if !self.lists.iter().any(wanted) {
            return false;
        }
        while self.lists.last().is_some_and(|list| !wanted(list)) {
            self.close_list();
        }
        self.close_list();
        true
    }

    pub(super) fn open_list(&mut self, closer: Closer, kind: Kind, expect: Expect) {
        self.lists.push(List::new(closer, kind, expect));
        self.frames.push(Frame::List);
    }

    /// Ends the innermost list and gives what it is to what is around it.
    fn close_list(&mut self) {
        self.end_command();
        let Some(mut list) = self.lists.pop() else {
            return;
        };
        self.frames.pop();
        let items = append(&mut self.ast.items, &mut list.items);
        match list.closer {
            Closer::End => self.ast.top = items,
            Closer::Sub { process, quoted } => {
                let sub = if process {
                    Sub::Process(items)
                } else {
                    Sub::Output(items)
                };
                self.add_sub(sub, quoted);
            }
            Closer::Paren | Closer::Brace | Closer::Fi | Closer::Done | Closer::Esac => {
                let words = append(&mut self.ast.words, &mut list.header);
                let block = BlockParts {
                    kind: list.kind,
                    name: list.name,
                    words,
                    items,
                };
                if let Some(outer) = self.lists.last_mut() {
                    outer.command.subs.append(&mut list.header_subs);
                    outer.command.block = Some(block);
                }
            }
        }
    }

    /// A substitution is complete: it is a part of the word in hand.
    pub(super) fn add_sub(&mut self, sub: Sub, quoted: bool) {
        let sub = push(&mut self.ast.subs, sub);
        let Some(word) = self.words.last_mut() else {
            return;
        };
        word.parts.push(Part::Sub { sub, quoted });
        if matches!(word.purpose, Purpose::Body(_)) {
            // The command whose here-document it is has ended.
            word.subs.push(sub);
        } else if let Some(list) = self.lists.last_mut() {
            list.command.subs.push(sub);
        }
    }

    fn end_of_text(&mut self) {
        let inner = self
            .lists
            .last()
            .is_some_and(|list| list.closer != Closer::End);
        if inner {
            self.unclosed(self.limit);
        }
        self.close_list();
    }

    pub(super) fn builder(&mut self, purpose: Purpose, start: usize) -> WordBuilder {
        let parts = self.spare.pop().unwrap_or_default();
        WordBuilder {
            parts,
            start,
            purpose,
            value: None,
            parens: 0,
            array: false,
            subs: Vec::new(),
        }
    }

    fn start_word(&mut self) {
        let builder = self.builder(Purpose::Argument, self.at);
        self.words.push(builder);
        self.frames.push(Frame::Word);
    }

    /// The word in hand is complete.
    pub(super) fn end_word(&mut self) {
        self.frames.pop();
        let Some(mut builder) = self.words.pop() else {
            return;
        };
        let start = builder.start;
        let purpose = builder.purpose;
        let value = builder.value;
        let skip = match value {
            Some((from, _)) if purpose == Purpose::Argument => {
                self.cut_name(&mut builder.parts, from)
            }
            _ => 0,
        };
        let from = self.ast.parts.len();
        self.ast.parts.extend(builder.parts.drain(..).skip(skip));
        self.spare.push(builder.parts);
        let word = WordNode {
            parts: Slice {
                from,
                to: self.ast.parts.len(),
            },
            bytes: Slice {
                from: start,
                to: self.at,
            },
        };
        match purpose {
            Purpose::Argument => self.take_word(word, value),
            Purpose::Target(operator) => self.take_redirect(operator, word, None),
            Purpose::Body(body) => {
                let subs = append(&mut self.ast.sub_lists, &mut builder.subs);
                if let Some(place) = self.ast.bodies.get_mut(body) {
                    *place = Body { word, subs };
                }
            }
        }
    }

    /// Takes `NAME=` off the parts of a word. Returns how many parts to leave out.
    fn cut_name(&self, parts: &mut [Part], from: usize) -> usize {
        let command = self.lists.last().map(|list| &list.command);
        if !command.is_some_and(|command| command.words.is_empty()) {
            return 0;
        }
        match parts.first_mut() {
            Some(Part::Text { start, end, .. }) if *end > from => {
                *start = from;
                0
            }
            Some(_) => 1,
            None => 0,
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn take_word(&mut self, word: WordNode, value: Option<(usize, bool)>) {
        let text = self.text;
        let bytes = text.get(word.bytes.from..word.bytes.to).unwrap_or_default();
        let Some(list) = self.lists.last_mut() else {
            return;
        };
        match list.expect {
            Expect::Command => {}
            Expect::Variable => {
                list.name = word.bytes;
                list.expect = Expect::In;
                return;
            }
            Expect::In if bytes == b"in" => {
                list.expect = Expect::Words;
                return;
            }
            Expect::In => list.expect = Expect::Command,
            Expect::Words => {
                list.header.push(word);
                return list.header_subs.append(&mut list.command.subs);
            }
            Expect::Subject => {
                list.header.push(word);
                list.header_subs.append(&mut list.command.subs);
                list.expect = Expect::CaseIn;
                return;
            }
            Expect::CaseIn => {
                list.expect = Expect::Pattern;
                return;
            }
            Expect::Pattern => {
                if bytes == b"esac" {
                    list.expect = Expect::Command;
                    self.keyword(b"esac");
                }
                return;
            }
        }
        if list.command.block.is_some() {
            self.end_command();
        }
        let Some(list) = self.lists.last_mut() else {
            return;
        };
        let command = &mut list.command;
        if command.names_function {
            command.names_function = false;
            command.function = Some(word.bytes);
            self.closes_at_once_after_blanks();
            return;
        }
        if command.is_bare() && bytes.len() <= 8 && self.keyword(bytes) {
            return;
        }
        let Some(list) = self.lists.last_mut() else {
            return;
        };
        let command = &mut list.command;
        if command.is_bare() {
            command.start = word.bytes.from;
        }
        if let Some((from, append)) = value
            && command.words.is_empty()
        {
            let end = from.saturating_sub(1 + usize::from(append));
            let name = Slice {
                from: word.bytes.from,
                to: end,
            };
            command.assigns.push(super::ast::Assign {
                name,
                append,
                value: word,
            });
            return;
        }
        if command.words.is_empty() && bytes == b"[[" {
            command.test = true;
        } else if command.test && bytes == b"]]" {
            command.test = false;
        }
        command.words.push(word);
    }

    fn closes_at_once_after_blanks(&mut self) {
        let mut at = self.at;
        while matches!(self.byte(at), b' ' | b'\t') {
            at += 1;
        }
        if self.byte(at) == b'(' && self.byte(at + 1) == b')' {
            self.at = at + 2;
        }
    }

    /// A reserved word at the place of a command. Whether it was one.
    fn keyword(&mut self, bytes: &[u8]) -> bool {
        match bytes {
            b"then" | b"elif" | b"else" | b"do" | b"!" | b"time" | b"coproc" => {}
            b"if" => self.open_list(Closer::Fi, Kind::Branch, Expect::Command),
            b"while" | b"until" => self.open_list(Closer::Done, Kind::Branch, Expect::Command),
            b"for" | b"select" => self.open_list(Closer::Done, Kind::For, Expect::Variable),
            b"case" => self.open_list(Closer::Esac, Kind::Case, Expect::Subject),
            b"{" => self.open_list(Closer::Brace, Kind::Group, Expect::Command),
            b"function" => {
                if let Some(list) = self.lists.last_mut() {
                    list.command.names_function = true;
                }
            }
            b"fi" => return self.close_block(Closer::Fi),
            b"done" => return self.close_block(Closer::Done),
            b"esac" => return self.close_block(Closer::Esac),
            b"}" => return self.close_block(Closer::Brace),
            _ => return false,
        }
        true
    }

    fn close_block(&mut self, closer: Closer) -> bool {
        let matches = self.lists.last().is_some_and(|list| list.closer == closer);
        if matches {
            self.close_list();
        }
        matches
    }

    pub(super) fn take_redirect(
        &mut self,
        operator: &'static str,
        target: WordNode,
        body: Option<usize>,
    ) {
        if let Some(list) = self.lists.last_mut() {
            if list.command.is_bare() {
                list.command.start = target.bytes.from;
            }
            list.command.redirects.push(super::ast::Redirect {
                operator,
                target,
                body,
            });
        }
    }
}
