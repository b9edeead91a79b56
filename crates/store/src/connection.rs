// SPDX-License-Identifier: Apache-2.0
//! Connections to the database, and the settings that its promises rest on.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::MAX_ENTRY_BYTES;

/// Opens the connection that appends. The file exists already.
pub(crate) fn open_writer(path: &Path, timeout_ms: u32) -> rusqlite::Result<Connection> {
    open(path, timeout_ms, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Opens a connection that only reads. Under a write-ahead log it never waits for the writer, nor
/// the writer for it.
pub(crate) fn open_reader(path: &Path, timeout_ms: u32) -> rusqlite::Result<Connection> {
    open(path, timeout_ms, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// Opens a connection that only reads, to a file that nobody changes meanwhile: on a read-only file
/// system, where the engine cannot make the files by which processes know of each other.
pub(crate) fn open_unchanging(path: &Path, timeout_ms: u32) -> rusqlite::Result<Connection> {
    let mut uri = b"file:".to_vec();
    for byte in path.as_os_str().as_bytes() {
        // RFC 3986: what could be taken for a query, a fragment or an escape is escaped
        match byte {
            b'%' | b'?' | b'#' => uri.extend(format!("%{byte:02X}").into_bytes()),
            _ => uri.push(*byte),
        }
    }
    uri.extend(b"?immutable=1");
    let access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    open(Path::new(OsStr::from_bytes(&uri)), timeout_ms, access)
}

/// Turns the write-ahead log on; returns the journal mode that is in force afterwards.
pub(crate) fn enable_log(connection: &Connection) -> rusqlite::Result<String> {
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
}

fn open(path: &Path, timeout_ms: u32, access: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // The engine counts in a signed 32-bit integer.
    let timeout_ms = i32::try_from(timeout_ms).unwrap_or(i32::MAX).unsigned_abs();
    connection.busy_timeout(Duration::from_millis(timeout_ms.into()))?;
    // The file may be hostile: nothing in its schema runs with more rights than it needs, and no
    // statement may write the schema or a page directly.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_ROW_BYTES)?;
    // FULL: a commit returns when its frames are on the disk (https://www.sqlite.org/pragma.html).
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// An entry's bytes and room for its other columns.
const MAX_ROW_BYTES: i32 = 4 * 1024 * 1024 + 64 * 1024;

const _: () = assert!(MAX_ENTRY_BYTES < MAX_ROW_BYTES.unsigned_abs() as usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_have_the_settings_that_the_promises_rest_on() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().canonicalize().unwrap().join("ledger.db");
        std::fs::write(&path, "").unwrap();
        let writer = open_writer(&path, u32::MAX).unwrap();
        assert_eq!(enable_log(&writer).unwrap(), "wal");
        let reader = open_reader(&path, 1).unwrap();
        for connection in [&writer, &reader] {
            let number = |name| -> i64 {
                connection
                    .pragma_query_value(None, name, |row| row.get(0))
                    .unwrap()
            };
            // 2 is FULL.
            assert_eq!(number("synchronous"), 2);
            assert_eq!(number("foreign_keys"), 1);
            assert_eq!(number("cell_size_check"), 1);
            assert_eq!(number("trusted_schema"), 0);
            assert!(
                connection
                    .db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE)
                    .unwrap()
            );
            assert_eq!(
                connection.limit(Limit::SQLITE_LIMIT_LENGTH).unwrap(),
                MAX_ROW_BYTES
            );
        }
        writer.execute_batch("CREATE TABLE a (x)").unwrap();
        let error = reader
            .execute_batch("INSERT INTO a VALUES (1)")
            .unwrap_err();
        assert_eq!(error.to_string(), "attempt to write a readonly database");
    }

    #[test]
    fn neither_a_link_nor_a_missing_file_is_opened() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().canonicalize().unwrap();
        let (real, link) = (folder.join("real"), folder.join("link"));
        assert!(matches!(
            open_writer(&real, 1),
            Err(rusqlite::Error::SqliteFailure(..))
        ));
        assert!(!real.exists());
        std::fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let error = open_writer(&link, 1).unwrap_err();
        assert_eq!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::CannotOpen)
        );
    }
}
