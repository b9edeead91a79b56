// SPDX-License-Identifier: Apache-2.0
//! A ledger's entries as a source of receipts.

use std::path::Path;
use std::sync::Arc;
use std::vec::IntoIter;

use ambit_receipt::set::Place;
use ambit_receipt::set::SourceFault;
use ambit_receipt::set::source::{Content, Item, Shape, Source};
use ambit_store::{Entry, Ledger, LedgerError, OpenOptions};

use crate::answer::caused;

/// Whether a folder is that of a ledger.
pub(crate) fn is_ledger(folder: &Path) -> bool {
    folder.join("ledger.db").exists()
}

/// Opens a ledger to read its entries. What cannot be read becomes an item that says so.
pub(crate) fn open(folder: &Path) -> Source {
    let name = folder.to_string_lossy();
    match Ledger::open_read_only(folder, &OpenOptions::default()) {
        Ok(ledger) => {
            let own = ledger.latest_checkpoint().ok().flatten();
            let entries = Entries {
                name: Arc::from(name.as_ref()),
                ledger,
                page: Vec::new().into_iter(),
                next: 1,
                ended: false,
            };
            let own = own.map(|it| it.note.into_bytes());
            Source::new(&name, entries, Shape::Ordered).with_checkpoint(own)
        }
        Err(error) => {
            let place = Place::whole(Arc::from(name.as_ref()));
            Source::new(
                &name,
                std::iter::once(unreadable(place, &error)),
                Shape::Ordered,
            )
        }
    }
}

/// The entries from the first to the last, a page at a time.
struct Entries {
    name: Arc<str>,
    ledger: Ledger,
    page: IntoIter<Entry>,
    next: u64,
    ended: bool,
}

impl Iterator for Entries {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if let Some(entry) = self.page.next() {
            self.next = entry.seq.saturating_add(1);
            return Some(Item {
                place: Place::at(Arc::clone(&self.name), entry.seq),
                content: Content::Document(entry.bytes),
            });
        }
        if self.ended {
            return None;
        }
        match self.ledger.entries(self.next, PAGE) {
            Ok(page) if page.is_empty() => {
                self.ended = true;
                None
            }
            Ok(page) => {
                self.page = page.into_iter();
                self.next()
            }
            Err(error) => {
                self.ended = true;
                let place = Place::at(Arc::clone(&self.name), self.next);
                Some(unreadable(place, &error))
            }
        }
    }
}

fn unreadable(place: Place, error: &LedgerError) -> Item {
    let fault = SourceFault {
        code: error.code(),
        message: caused(error.code(), error).message,
    };
    Item {
        place,
        content: Content::Unreadable(fault),
    }
}

/// How many entries are read at once.
const PAGE: u32 = 256;
