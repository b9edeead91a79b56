// SPDX-License-Identifier: Apache-2.0
//! Checking the stored chain from its first entry to its last.

use std::fmt;
use std::ops::ControlFlow;

use rusqlite::params;

use crate::entry::{ENTRY_COLUMNS, Entry, Head};
use crate::error::{LedgerError, LedgerErrorKind};
use crate::fault::Activity;
use crate::ledger::Ledger;
use crate::read::{Span, stored_seq};

/// What a check of the chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// The last entry that is in order; `None` when there is none. Its number is also how many
    /// entries were found in order.
    pub last: Option<Head>,
    /// Why the check ended there.
    pub end: ChainEnd,
}

/// Why a check of the chain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainEnd {
    /// Every entry that was there at the start of the check is in order.
    Complete,
    /// The next entry is not in order.
    Fault(ChainFault),
    /// The visitor asked to stop.
    Stopped,
}

/// An entry that is not in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainFault {
    /// The number of the entry, or of the gap where it should be.
    pub seq: u64,
    /// What is wrong with it.
    pub kind: ChainFaultKind,
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} {}", self.seq, self.kind)
    }
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainFaultKind {
    /// Its bytes do not have the digest that is stored with them.
    Digest,
    /// It is missing, while later ones are there.
    Missing,
    /// It does not name the entry before it.
    Previous,
    /// It cannot be read, or holds a value that this crate never writes.
    Unreadable,
}

impl fmt::Display for ChainFaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digest => "does not have its stored digest",
            Self::Missing => "is missing",
            Self::Previous => "does not follow the entry before it",
            Self::Unreadable => "cannot be read",
        })
    }
}

impl Ledger {
    /// Checks that the entries are numbered without gaps, have their stored digests, and each name
    /// the one before; hands each entry that is in order to `visit`, which may stop the check.
    ///
    /// It covers the entries that are there when it starts, and holds no lock while `visit` runs.
    /// It proves integrity only: whoever can write the file can make a new chain or cut off its
    /// end. What is inside the bytes (signature, number, digest of the entry before) is for
    /// `visit` to check.
    ///
    /// # Errors
    /// `ERR_LEDGER_UNAVAILABLE` and `ERR_LEDGER_BUSY` when the database cannot be read;
    /// `ERR_LEDGER_CORRUPT` only when not even the number of entries can be read. A damaged entry
    /// is a [`ChainEnd::Fault`].
    pub fn check_chain(
        &self,
        mut visit: impl FnMut(&Entry) -> ControlFlow<()>,
    ) -> Result<ChainReport, LedgerError> {
        let last_seq = self.last_seq()?;
        let mut last: Option<Head> = None;
        let mut next_seq: u64 = 1;
        while next_seq <= last_seq {
            let fault = |kind| {
                let seq = next_seq;
                ChainEnd::Fault(ChainFault { seq, kind })
            };
            let end = match self.chain_page(next_seq) {
                Err(error) if error.kind() == LedgerErrorKind::Corrupt => {
                    Some(fault(ChainFaultKind::Unreadable))
                }
                Err(error) => return Err(error),
                Ok(page) if page.is_empty() => Some(fault(ChainFaultKind::Missing)),
                Ok(page) => check_page(&page, last_seq, &mut last, &mut visit),
            };
            if let Some(end) = end {
                return Ok(ChainReport { last, end });
            }
            next_seq = seq_after(last);
        }
        Ok(ChainReport {
            last,
            end: ChainEnd::Complete,
        })
    }

    fn last_seq(&self) -> Result<u64, LedgerError> {
        self.reader()
            .query_row("SELECT coalesce(max(seq), 0) FROM entries", [], |row| {
                row.get(0)
            })
            .map_err(|source| self.failed(Activity::Read, source))
    }

    fn chain_page(&self, from_seq: u64) -> Result<Vec<Entry>, LedgerError> {
        let sql =
            format!("SELECT {ENTRY_COLUMNS} FROM entries WHERE seq >= ?1 ORDER BY seq LIMIT ?2");
        let params = params![stored_seq(from_seq), PAGE];
        self.page(&sql, params, Span::rising_from(from_seq))
    }
}

/// Moves `last` over the entries that are in order; returns why not all of them are.
fn check_page(
    page: &[Entry],
    last_seq: u64,
    last: &mut Option<Head>,
    visit: &mut impl FnMut(&Entry) -> ControlFlow<()>,
) -> Option<ChainEnd> {
    for entry in page {
        // INVARIANT: each entry moves `last` on by one or ends the check. A damaged database can
        // return any number here, in any order.
        let seq = seq_after(*last);
        if seq > last_seq {
            return None;
        }
        let kind = if entry.seq != seq {
            ChainFaultKind::Missing
        } else if !entry.is_intact() {
            ChainFaultKind::Digest
        } else if entry.previous != last.map(|last| last.digest) {
            ChainFaultKind::Previous
        } else {
            *last = Some(entry.head());
            if visit(entry).is_break() {
                return Some(ChainEnd::Stopped);
            }
            continue;
        };
        return Some(ChainEnd::Fault(ChainFault { seq, kind }));
    }
    None
}

fn seq_after(last: Option<Head>) -> u64 {
    last.map_or(0, |last| last.seq).saturating_add(1)
}

/// Entries per read, so that no read lasts long enough to keep the log from being emptied.
const PAGE: u32 = 256;
