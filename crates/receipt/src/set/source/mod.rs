// SPDX-License-Identifier: Apache-2.0
//! Where receipts come from: bytes, files, folders, JSON Lines, bundles.
//!
//! A source is an iterator of [`Item`]s and never holds more than one line or one file of them,
//! bundles excepted. Whatever cannot be read is an item too: nothing is left out in silence.

mod bundle;
mod content;
mod folder;
mod lines;
mod names;

use std::path::Path;
use std::sync::Arc;

pub use content::unwrap_line;
pub use lines::MAX_LINE_BYTES;

use super::finding::Place;
use super::options::{Scope, Sequence};
use super::report::SourceFault;

/// Something that should be a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it stands.
    pub place: Place,
    /// What stands there.
    pub content: Content,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A receipt's exact bytes.
    Document(Vec<u8>),
    /// A line of JSON Lines: a receipt, or a line of an exported ledger with a receipt in it.
    Line(Vec<u8>),
    /// Nothing that can be read.
    Unreadable(SourceFault),
}

impl Content {
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Document(bytes) | Self::Line(bytes) => bytes.len(),
            Self::Unreadable(_) => 0,
        }
    }
}

/// One path's receipts, or one caller's bytes.
pub struct Source {
    /// The receipts.
    pub items: Box<dyn Iterator<Item = Item> + Send>,
    /// How many there are, and whether their order says anything.
    pub shape: Shape,
    /// A checkpoint that lay beside them. It counts as much as its signature, and is as old as
    /// whoever made the bundle wanted.
    pub checkpoint: Option<Vec<u8>>,
    name: Arc<str>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// What a source holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One receipt.
    One,
    /// Receipts in an order that says something.
    Ordered,
    /// Receipts in no order.
    Unordered,
}

impl Source {
    /// Makes a source of items that the caller reads.
    pub fn new(
        name: &str,
        items: impl Iterator<Item = Item> + Send + 'static,
        shape: Shape,
    ) -> Self {
        Self {
            items: Box::new(items),
            shape,
            checkpoint: None,
            name: Arc::from(name),
        }
    }

    /// Adds a checkpoint that lay beside the receipts.
    #[must_use]
    pub fn with_checkpoint(self, checkpoint: Option<Vec<u8>>) -> Self {
        Self { checkpoint, ..self }
    }

    /// Reads bytes: one receipt, JSON Lines, an array of receipts, or a bundle.
    pub fn of_bytes(name: &str, bytes: Vec<u8>) -> Self {
        content::of_bytes(&Arc::from(name), bytes)
    }

    /// Reads a file or a folder. What cannot be read becomes an item that says so.
    pub fn of_path(path: &Path) -> Self {
        let name: Arc<str> = Arc::from(path.to_string_lossy());
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => folder::of_folder(path, &name),
            Ok(_) => content::of_file(path, &name),
            Err(error) => Self::unreadable(&name, &error),
        }
    }

    /// Reads one of several files or folders: a file is opened when its turn comes, and what it holds
    /// is guessed by its name.
    pub fn of_one_of_several(path: &Path) -> Self {
        let name: Arc<str> = Arc::from(path.to_string_lossy());
        if path.is_dir() {
            return folder::of_folder(path, &name);
        }
        let shape = if folder::is_lines(&name) {
            Shape::Ordered
        } else {
            Shape::One
        };
        let path = path.to_path_buf();
        let items = std::iter::once_with(move || Self::of_path(&path).items).flatten();
        Self::new(&name, items, shape)
    }

    /// Joins several sources into one.
    pub fn join(sources: Vec<Self>) -> (Box<dyn Iterator<Item = Item> + Send>, Sequence, Scope) {
        let (sequence, scope) = match sources.as_slice() {
            [only] => match only.shape {
                Shape::One => (Sequence::Ordered, Scope::One),
                Shape::Ordered => (Sequence::Ordered, Scope::Set),
                Shape::Unordered => (Sequence::Unordered, Scope::Set),
            },
            several => {
                let single = several.iter().all(|it| it.shape == Shape::One);
                let names: Vec<&str> = several.iter().map(|it| it.name.as_ref()).collect();
                let counted = single && names::are_counted(&names);
                let sequence = if counted {
                    Sequence::Ordered
                } else {
                    Sequence::Unordered
                };
                (sequence, Scope::Set)
            }
        };
        let items = sources.into_iter().flat_map(|it| it.items);
        (Box::new(items), sequence, scope)
    }

    fn unreadable(name: &Arc<str>, error: &std::io::Error) -> Self {
        let item = unreadable(Place::whole(Arc::clone(name)), error);
        Self::new(name, std::iter::once(item), Shape::One)
    }
}

fn unreadable(place: Place, error: &std::io::Error) -> Item {
    let fault = SourceFault {
        code: "ERR_RECEIPT_UNREADABLE",
        message: format!("cannot be read: {error}"),
    };
    Item {
        place,
        content: Content::Unreadable(fault),
    }
}
