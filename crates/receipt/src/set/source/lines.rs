// SPDX-License-Identifier: Apache-2.0
//! JSON Lines: one receipt a line, read one by one.

use std::io::{BufRead, Read as _};
use std::sync::Arc;

use super::{Content, Item, unreadable};
use crate::set::finding::Place;
use crate::verify::LIMITS;

/// Reads the lines of a text. A line over the limit is cut, and is no receipt, whatever it began with.
pub(super) struct Lines<R> {
    reader: R,
    name: Arc<str>,
    number: u64,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(name: Arc<str>, reader: R) -> Self {
        Self {
            reader,
            name,
            number: 0,
            ended: false,
        }
    }

    /// Reads a line, and tells whether it was cut.
    fn read(&mut self) -> std::io::Result<(Vec<u8>, bool)> {
        let mut line = Vec::new();
        let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
        self.reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut line)?;
        let cut =
            line.len() >= MAX_LINE_BYTES && line.last() != Some(&b'\n') && self.skip_line()?;
        Ok((line, cut))
    }

    /// Passes over what is left of a line without keeping it, and tells whether anything was left.
    fn skip_line(&mut self) -> std::io::Result<bool> {
        let mut more = false;
        loop {
            let piece = self.reader.fill_buf()?;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(piece.len(), |at| at.saturating_add(1));
            more |= used > 0 && end != Some(0);
            self.reader.consume(used);
            if end.is_some() || used == 0 {
                return Ok(more);
            }
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if self.ended {
                return None;
            }
            self.number = self.number.saturating_add(1);
            let place = Place::at(Arc::clone(&self.name), self.number);
            match self.read() {
                // As a document it is over the limit of one, and is told to be.
                Ok((line, true)) => {
                    let content = Content::Document(line);
                    return Some(Item { place, content });
                }
                Ok((line, false)) if line.is_empty() => return None,
                Ok((line, false)) if line.trim_ascii().is_empty() => {}
                Ok((line, false)) => {
                    let content = Content::Line(line);
                    return Some(Item { place, content });
                }
                Err(error) => {
                    self.ended = true;
                    return Some(unreadable(place, &error));
                }
            }
        }
    }
}

/// Longest line, bytes: a receipt of the largest size, with every character of it escaped.
pub const MAX_LINE_BYTES: usize = LIMITS.max_bytes * 2 + 4096;
