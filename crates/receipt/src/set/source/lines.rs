// SPDX-License-Identifier: Apache-2.0
//! JSON Lines: one receipt a line, read one by one.

use std::io::{BufRead, Read as _};
use std::sync::Arc;

use super::{Content, Item, unreadable};
use crate::set::finding::Place;
use crate::verify::LIMITS;

/// Reads the lines of a text. A line over the limit is cut; what is left of it is no receipt.
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

    fn read(&mut self) -> std::io::Result<Vec<u8>> {
        let mut line = Vec::new();
        let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
        self.reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut line)?;
        if line.len() >= MAX_LINE_BYTES && line.last() != Some(&b'\n') {
            self.skip_line()?;
        }
        Ok(line)
    }

    /// Passes over what is left of a line without keeping it.
    fn skip_line(&mut self) -> std::io::Result<()> {
        loop {
            let piece = self.reader.fill_buf()?;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(piece.len(), |at| at.saturating_add(1));
            self.reader.consume(used);
            if end.is_some() || used == 0 {
                return Ok(());
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
                Ok(line) if line.is_empty() => return None,
                Ok(line) if line.trim_ascii().is_empty() => {}
                Ok(line) => {
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
