// SPDX-License-Identifier: Apache-2.0
//! Redirections and here-documents.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "places are bounded by the length of a text in memory, and only move forward"
)]

use super::ast::{Body, Part, Slice, WordNode};
use super::build::{Purpose, push};
use super::parse::{Frame, Parser, Waiting, is_meta};

impl Parser<'_> {
    /// A redirection's operator and what follows. Whether the frame changed.
    pub(super) fn redirect(&mut self) -> bool {
        let bytes = [
            self.byte(self.at),
            self.byte(self.at + 1),
            self.byte(self.at + 2),
        ];
        let (operator, length) = match bytes {
            [b'<', b'<', b'<'] => ("<<<", 3),
            [b'<', b'<', b'-'] => ("<<-", 3),
            [b'<', b'<', _] => ("<<", 2),
            [b'<', b'>', _] => ("<>", 2),
            [b'<', b'&', _] => ("<&", 2),
            [b'<', _, _] => ("<", 1),
            [b'&', b'>', b'>'] => ("&>>", 3),
            [b'&', b'>', _] => ("&>", 2),
            [b'>', b'>', _] => (">>", 2),
            [b'>', b'|', _] => (">|", 2),
            [b'>', b'&', _] => (">&", 2),
            _ => (">", 1),
        };
        self.at += length;
        while matches!(self.byte(self.at), b' ' | b'\t')
            || (self.byte(self.at) == b'\\' && self.byte(self.at + 1) == b'\n')
        {
            self.at += if self.byte(self.at) == b'\\' { 2 } else { 1 };
        }
        if matches!(operator, "<<" | "<<-") {
            self.delimiter(operator == "<<-");
            return false;
        }
        let process = matches!(self.byte(self.at), b'<' | b'>') && self.byte(self.at + 1) == b'(';
        if self.ended() || (is_meta(self.byte(self.at)) && !process) {
            return false;
        }
        let builder = self.builder(Purpose::Target(operator), self.at);
        self.words.push(builder);
        self.frames.push(Frame::Word);
        true
    }

    /// The word after `<<`, without its quotes.
    fn delimiter(&mut self, strip: bool) {
        let start = self.at;
        let (mut delimiter, mut quoted) = (Vec::new(), false);
        while !self.ended() && !is_meta(self.byte(self.at)) {
            let byte = self.byte(self.at);
            self.at += 1;
            match byte {
                b'\'' | b'"' => {
                    quoted = true;
                    while !self.ended() && self.byte(self.at) != byte {
                        delimiter.push(self.byte(self.at));
                        self.at += 1;
                    }
                    self.at += 1;
                }
                b'\\' => {
                    quoted = true;
                    delimiter.push(self.byte(self.at));
                    self.at += 1;
                }
                _ => delimiter.push(byte),
            }
        }
        self.at = self.at.min(self.limit);
        let body = push(&mut self.ast.bodies, Body::default());
        let bytes = Slice {
            from: start,
            to: self.at,
        };
        self.take_redirect(
            "<<",
            WordNode {
                parts: Slice::default(),
                bytes,
            },
            Some(body),
        );
        let delimiter = String::from_utf8_lossy(&delimiter).into_owned();
        self.waiting.push_back(Waiting {
            delimiter,
            quoted,
            strip,
            body,
        });
    }

    /// A line of commands ended: the here-documents that it announced follow. Whether one is to be
    /// expanded, in a frame of its own.
    pub(super) fn end_line(&mut self) -> bool {
        while let Some(document) = self.waiting.pop_front() {
            let start = self.at;
            let (end, resume) = self.find_end(&document);
            if document.quoted {
                let from = self.ast.parts.len();
                self.ast.parts.push(Part::Text {
                    start,
                    end,
                    quoted: true,
                });
                let parts = Slice { from, to: from + 1 };
                if let Some(body) = self.ast.bodies.get_mut(document.body) {
                    body.word = WordNode {
                        parts,
                        bytes: Slice {
                            from: start,
                            to: end,
                        },
                    };
                }
                self.at = resume;
                continue;
            }
            // The others wait until this one is read.
            let rest = std::mem::take(&mut self.waiting);
            let frame = Frame::Body {
                resume,
                limit: self.limit,
            };
            self.later.push(rest);
            self.limit = end;
            let builder = self.builder(Purpose::Body(document.body), start);
            self.words.push(builder);
            self.frames.push(frame);
            return true;
        }
        false
    }

    /// Where a here-document ends, and where the text goes on.
    fn find_end(&self, document: &Waiting) -> (usize, usize) {
        let mut line = self.at;
        while line < self.limit {
            let rest = self.text.get(line..self.limit).unwrap_or_default();
            let length = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(rest.len());
            let mut text = rest.get(..length).unwrap_or_default();
            if document.strip {
                while let Some(less) = text.strip_prefix(b"\t") {
                    text = less;
                }
            }
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            let next = (line + length + 1).min(self.limit);
            if text == document.delimiter.as_bytes() {
                return (line, next);
            }
            line = next;
        }
        (self.limit, self.limit)
    }

    /// The body of a here-document that is expanded.
    pub(super) fn body(&mut self) {
        loop {
            let from = self.at;
            while self.at < self.limit && !matches!(self.byte(self.at), b'\\' | b'$' | b'`') {
                self.at += 1;
            }
            if self.at > from {
                self.text_part(from, self.at, true);
            }
            if self.ended() {
                break;
            }
            let (byte, next) = (self.byte(self.at), self.byte(self.at + 1));
            if self.quoting(byte, next, true) {
                return;
            }
        }
        let Some(Frame::Body { resume, limit }) = self.frames.last().copied() else {
            return;
        };
        // Restored first: the end of the word is the end of the body.
        self.limit = limit;
        self.end_word();
        self.at = resume;
        self.waiting = self.later.pop().unwrap_or_default();
        if !self.waiting.is_empty() {
            let _expands = self.end_line();
        }
    }
}
