// SPDX-License-Identifier: Apache-2.0
//! Reading entries back. Readers never make the writer wait.

use rusqlite::{Connection, OptionalExtension as _, Params, params};

use crate::chain::{ChainFault, ChainFaultKind};
use crate::entry::{ENTRY_COLUMNS, Entry, Head, StoredEntry};
use crate::error::LedgerError;
use crate::fault::{Activity, Fault};
use crate::ids::RunId;
use crate::ledger::Ledger;
use crate::query::Order;

impl Ledger {
    /// Returns the last entry's number and digest; `None` when the ledger is empty.
    ///
    /// # Errors
    /// As [`Ledger::entry`].
    pub fn head(&self) -> Result<Option<Head>, LedgerError> {
        let last =
            last_entry(&self.reader()).map_err(|fault| self.failed(Activity::Read, fault))?;
        Ok(last.map(|last| last.head()))
    }

    /// Returns the entry `seq`; `None` when there is none.
    ///
    /// # Errors
    /// `ERR_LEDGER_CORRUPT` when its bytes do not have the stored digest or cannot be read;
    /// `ERR_LEDGER_UNAVAILABLE` and `ERR_LEDGER_BUSY` when the database cannot be read.
    pub fn entry(&self, seq: u64) -> Result<Option<Entry>, LedgerError> {
        let entry = self.entries(seq, 1)?.into_iter().next();
        Ok(entry.filter(|entry| entry.seq == seq))
    }

    /// Returns up to `limit` entries from `from_seq` on, in order.
    ///
    /// Fewer come back where they would be more than 16 MiB, or where the next one is damaged; none
    /// means that there are no more. Go on at the last one's `seq` + 1.
    ///
    /// # Errors
    /// As [`Ledger::entry`], when the first one is damaged.
    pub fn entries(&self, from_seq: u64, limit: u32) -> Result<Vec<Entry>, LedgerError> {
        let sql =
            format!("SELECT {ENTRY_COLUMNS} FROM entries WHERE seq >= ?1 ORDER BY seq LIMIT ?2");
        let params = params![stored_seq(from_seq), limit];
        intact(self.page(&sql, params, Span::rising_from(from_seq))?)
    }

    /// Returns up to `limit` entries of the run from `from_seq` on, in order, as
    /// [`Ledger::entries`] does.
    ///
    /// # Errors
    /// As [`Ledger::entries`].
    pub fn by_run(
        &self,
        run_id: &RunId,
        from_seq: u64,
        limit: u32,
    ) -> Result<Vec<Entry>, LedgerError> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM entries WHERE run_id = ?1 AND seq >= ?2 \
             ORDER BY seq LIMIT ?3"
        );
        let params = params![run_id.as_str(), stored_seq(from_seq), limit];
        intact(self.page(&sql, params, Span::rising_from(from_seq))?)
    }

    /// Returns entries as they are stored, up to the first that cannot be read or is out of place.
    pub(crate) fn page(
        &self,
        sql: &str,
        params: impl Params,
        span: Span,
    ) -> Result<Vec<Entry>, LedgerError> {
        let mut entries = Vec::new();
        match collect(&self.reader(), sql, params, span, &mut entries) {
            Err(fault) if entries.is_empty() => Err(self.failed(Activity::Read, fault)),
            // What could be read is returned; the next page starts at the damage and says so.
            Err(_) | Ok(()) => Ok(entries),
        }
    }
}

/// Between which numbers the entries of a page may be, and in which order they come.
///
/// A damaged database can return any number, in any order; who goes on behind the last one of a
/// page would then never come to an end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) until: u64,
    pub(crate) order: Order,
}

impl Span {
    pub(crate) const fn rising_from(from: u64) -> Self {
        Self {
            from,
            until: u64::MAX,
            order: Order::OldestFirst,
        }
    }

    /// Moves behind an entry; refuses one that is out of place.
    fn pass(&mut self, seq: u64) -> Result<(), LedgerError> {
        if seq < self.from || seq > self.until {
            return Err(LedgerError::CorruptValue {
                column: "entries.seq",
            });
        }
        match self.order {
            Order::OldestFirst => self.from = seq.saturating_add(1),
            Order::NewestFirst => self.until = seq.saturating_sub(1),
        }
        Ok(())
    }
}

/// Returns the last entry, checked against its digest.
pub(crate) fn last_entry(connection: &Connection) -> Result<Option<Entry>, Fault> {
    let sql = format!("SELECT {ENTRY_COLUMNS} FROM entries ORDER BY seq DESC LIMIT 1");
    let row = connection
        .query_row(&sql, [], StoredEntry::read)
        .optional()?;
    match row.map(Entry::try_from).transpose()? {
        Some(entry) if !entry.is_intact() => Err(Fault::Ledger(damaged(&entry))),
        entry => Ok(entry),
    }
}

/// Returns the number as the database can hold it; no entry has a higher one.
pub(crate) fn stored_seq(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn collect(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut span: Span,
    entries: &mut Vec<Entry>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params)?;
    let mut size: usize = 0;
    while size < MAX_PAGE_BYTES
        && let Some(row) = rows.next()?
    {
        let entry = Entry::try_from(StoredEntry::read(row)?)?;
        span.pass(entry.seq)?;
        size = size.saturating_add(entry.bytes.len());
        entries.push(entry);
    }
    Ok(())
}

/// Cuts the page before the first damaged entry, and fails when that is the first of all.
fn intact(mut entries: Vec<Entry>) -> Result<Vec<Entry>, LedgerError> {
    match entries.iter().position(|entry| !entry.is_intact()) {
        None => Ok(entries),
        Some(index) => {
            let rest = entries.split_off(index);
            match rest.first() {
                Some(first) if index == 0 => Err(damaged(first)),
                Some(_) | None => Ok(entries),
            }
        }
    }
}

pub(crate) fn damaged(entry: &Entry) -> LedgerError {
    LedgerError::CorruptEntry {
        fault: ChainFault {
            seq: entry.seq,
            kind: ChainFaultKind::Digest,
        },
    }
}

/// A page ends with the entry that reaches this size.
const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;
