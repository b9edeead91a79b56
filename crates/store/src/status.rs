// SPDX-License-Identifier: Apache-2.0
//! What a ledger holds, and what may be removed from it.

use std::path::Path;
use std::{fs, io};

use rusqlite::Connection;

use crate::entry::Head;
use crate::error::LedgerError;
use crate::fault::{Activity, Fault};
use crate::import;
use crate::ledger::Ledger;
use crate::owner;

/// What a ledger holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The last entry. Its number is that of all entries.
    pub head: Option<Head>,
    /// When the first entry was made, in milliseconds since 1970-01-01T00:00:00Z.
    pub first_ms: Option<i64>,
    /// When the last entry was made, in the same unit.
    pub last_ms: Option<i64>,
    /// Runs that have an intent and no outcome, in whatever process.
    pub open_runs: u64,
    /// The size of the database file, bytes.
    pub database_bytes: u64,
    /// The size of the write-ahead log, bytes.
    pub log_bytes: u64,
}

/// What a collection of garbage did. Entries are never removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Lock files of processes that have ended.
    pub locks: u64,
    /// Folders of imports that were never finished.
    pub imports: u64,
    /// Bytes of the write-ahead log that were given back.
    pub log_bytes: u64,
    /// Bytes of the database file that were given back.
    pub database_bytes: u64,
}

impl Ledger {
    /// Returns what the ledger holds.
    ///
    /// # Errors
    /// As [`Ledger::entry`].
    pub fn status(&self) -> Result<Status, LedgerError> {
        let head = self.head()?;
        let reader = self.reader();
        let made = |order: &str| -> Result<Option<i64>, Fault> {
            let sql = format!(
                "SELECT max(created_at_ms) FROM (SELECT created_at_ms FROM entries ORDER BY seq {order} LIMIT 1)"
            );
            Ok(reader.query_row(&sql, [], |row| row.get(0))?)
        };
        let failed = |fault: Fault| self.failed(Activity::Read, fault);
        let first_ms = made("ASC").map_err(failed)?;
        let last_ms = made("DESC").map_err(failed)?;
        let sql = "SELECT count(*) FROM runs WHERE outcome_seq IS NULL";
        let open_runs = reader
            .query_row(sql, [], |row| row.get(0))
            .map_err(|source| failed(source.into()))?;
        Ok(Status {
            head,
            first_ms,
            last_ms,
            open_runs,
            database_bytes: size_of(&self.database())?,
            log_bytes: size_of(&self.log())?,
        })
    }

    /// Removes what may be removed: empties the write-ahead log, gives free pages of the database
    /// back when an eighth of it is free, and removes lock files of processes that have ended and
    /// imports beside the ledger that were never finished.
    ///
    /// # Errors
    /// `ERR_LEDGER_BUSY` when another process reads or writes for too long; `ERR_LEDGER_WRITE`,
    /// `ERR_LEDGER_UNAVAILABLE` and `ERR_LEDGER_CORRUPT`.
    pub fn collect_garbage(&self) -> Result<Collected, LedgerError> {
        let writing = self.writing()?;
        let locks = owner::sweep(&writing.owners)?;
        let imports = import::sweep(self.folder())?;
        let (log, database) = (size_of(&self.log())?, size_of(&self.database())?);
        let writer = writing.writer();
        compact(&writer.connection).map_err(|fault| self.failed(Activity::Write, fault))?;
        drop(writer);
        Ok(Collected {
            locks,
            imports,
            log_bytes: log.saturating_sub(size_of(&self.log())?),
            database_bytes: database.saturating_sub(size_of(&self.database())?),
        })
    }
}

fn compact(connection: &Connection) -> Result<(), Fault> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    if number("freelist_count")?.saturating_mul(8) >= number("page_count")?.max(1) {
        connection.execute_batch("VACUUM")?;
    }
    let busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        return Err(rusqlite::Error::SqliteFailure(code, None).into());
    }
    Ok(())
}

/// Returns a file's size; a file that is not there has none.
fn size_of(path: &Path) -> Result<u64, LedgerError> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(found.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(source) => Err(LedgerError::io("examine", path, source)),
    }
}
