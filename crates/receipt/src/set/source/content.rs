// SPDX-License-Identifier: Apache-2.0
//! What a file's bytes are: one receipt, lines of them, an array, a bundle.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Cursor, Read as _, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use ambit_canon::{Limits, Value, parse};

use super::bundle::{self, Receipts};
use super::lines::{Lines, MAX_LINE_BYTES};
use super::{Content, Item, Shape, Source};
use crate::set::finding::Place;
use crate::verify::LIMITS;

/// Reads a file.
pub(super) fn of_file(path: &Path, name: &Arc<str>) -> Source {
    match open(path).and_then(|file| read_file(path, file, name)) {
        Ok(source) => source,
        Err(error) => Source::unreadable(name, &error),
    }
}

/// Opens a regular file; a pipe or a device would not end.
fn open(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    Ok(file)
}

fn read_file(path: &Path, mut file: File, name: &Arc<str>) -> std::io::Result<Source> {
    let extension = path.extension().and_then(|it| it.to_str());
    let mut head = Vec::new();
    if !matches!(extension, Some("jsonl" | "ndjson")) {
        let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
        file.by_ref().take(limit).read_to_end(&mut head)?;
        let whole = head.len() < MAX_LINE_BYTES;
        if !is_lines(&head, whole) {
            if !whole {
                let limit = u64::try_from(MAX_BUNDLE_BYTES).unwrap_or(u64::MAX);
                file.take(limit).read_to_end(&mut head)?;
            }
            return Ok(of_text(name, head));
        }
        file.rewind()?;
    }
    let lines = Lines::new(Arc::clone(name), BufReader::with_capacity(1 << 16, file));
    Ok(Source::new(name, lines, Shape::Ordered))
}

/// Reads bytes in memory.
pub(super) fn of_bytes(name: &Arc<str>, bytes: Vec<u8>) -> Source {
    if is_lines(&bytes, true) {
        let lines = Lines::new(Arc::clone(name), Cursor::new(bytes));
        return Source::new(name, lines, Shape::Ordered);
    }
    of_text(name, bytes)
}

/// Whether the text is JSON Lines: its first line is a whole object, and there are more.
fn is_lines(head: &[u8], whole: bool) -> bool {
    let text = head.trim_ascii_start();
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else {
        return false;
    };
    let (line, rest) = text.split_at(end);
    let more = !whole || !rest.trim_ascii().is_empty();
    more && parse(line, &LINE_LIMITS).is_ok_and(|value| value.as_object().is_some())
}

/// A receipt, an array or a bundle.
fn of_text(name: &Arc<str>, text: Vec<u8>) -> Source {
    match Receipts::read(text) {
        Ok(receipts) => {
            let from = Arc::clone(name);
            let items = receipts.zip(1..).map(move |(receipt, number)| Item {
                place: Place::at(Arc::clone(&from), number),
                content: Content::Document(receipt),
            });
            Source::new(name, items, Shape::Ordered)
        }
        Err(mut text) => {
            // What is over the limit is refused for its size; no more of it waits for its turn.
            text.truncate(LIMITS.max_bytes.saturating_add(1));
            text.shrink_to_fit();
            let item = Item {
                place: Place::whole(Arc::clone(name)),
                content: Content::Document(text),
            };
            Source::new(name, std::iter::once(item), Shape::One)
        }
    }
}

/// Returns the receipt of a line: the line itself, or the text that a line of an exported ledger
/// holds; nothing for the head of such an export.
pub fn unwrap_line(line: &[u8]) -> Option<Vec<u8>> {
    let text = line.trim_ascii();
    if !has_member(text, b"receipt") && !has_member(text, b"format") {
        return Some(text.to_vec());
    }
    let parsed = parse(text, &LINE_LIMITS).ok();
    let Some(object) = parsed.as_ref().and_then(Value::as_object) else {
        return Some(text.to_vec());
    };
    if bundle::RECEIPT.iter().any(|name| object.contains(name)) {
        return Some(text.to_vec());
    }
    if let Some(receipt) = object.get("receipt").and_then(Value::as_str) {
        return Some(receipt.as_bytes().to_vec());
    }
    match object.get("format").and_then(Value::as_str) {
        Some(format) if format.starts_with("ambit.ledger.") => None,
        Some(_) | None => Some(text.to_vec()),
    }
}

/// Whether the text has, at any depth, a member of this name whose value is a string: a guess that
/// spares most lines from being parsed twice.
fn has_member(text: &[u8], name: &[u8]) -> bool {
    text.windows(name.len().saturating_add(2)).any(|it| {
        it.first() == Some(&b'"')
            && it.last() == Some(&b'"')
            && it.get(1..=name.len()) == Some(name)
    })
}

const LINE_LIMITS: Limits = Limits {
    max_bytes: MAX_LINE_BYTES,
    ..LIMITS
};
/// Largest bundle, bytes (64 MiB): it is read whole.
const MAX_BUNDLE_BYTES: usize = 64 << 20;
