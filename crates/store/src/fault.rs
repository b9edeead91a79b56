// SPDX-License-Identifier: Apache-2.0
//! From what the engine says to what the caller is told.

use rusqlite::ErrorCode;

use crate::error::LedgerError;

/// A failure inside a piece of work, before it is known what the work was for.
#[derive(Debug)]
pub(crate) enum Fault {
    Engine(rusqlite::Error),
    Ledger(LedgerError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// What the database was asked to do when it failed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Activity {
    Open,
    Read,
    Write,
}

impl Activity {
    /// Sorts an engine's error into the ledger's.
    pub(crate) fn failed(self, timeout_ms: u32, fault: impl Into<Fault>) -> LedgerError {
        let source = match fault.into() {
            Fault::Engine(source) => source,
            Fault::Ledger(error) => return error,
        };
        let code = source.sqlite_error_code();
        if is_one_of(code, BUSY) {
            return LedgerError::Busy { timeout_ms };
        }
        if is_damage(&source) || is_one_of(code, DAMAGE) {
            return LedgerError::CorruptDatabase { source };
        }
        match self {
            Self::Open if is_one_of(code, DISK) => LedgerError::Write { source },
            Self::Open => LedgerError::Open { source },
            Self::Read => LedgerError::Read { source },
            Self::Write => LedgerError::Write { source },
        }
    }
}

/// A value of a type or range that this crate never writes.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::Utf8Error(..)
    )
}

fn is_one_of(code: Option<ErrorCode>, codes: &[ErrorCode]) -> bool {
    code.is_some_and(|code| codes.contains(&code))
}

const BUSY: &[ErrorCode] = &[ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked];
// A constraint that fails says that the stored state is not what this crate left there.
const DAMAGE: &[ErrorCode] = &[
    ErrorCode::ConstraintViolation,
    ErrorCode::DatabaseCorrupt,
    ErrorCode::NotADatabase,
    ErrorCode::TooBig,
    ErrorCode::TypeMismatch,
];
const DISK: &[ErrorCode] = &[
    ErrorCode::DiskFull,
    ErrorCode::ReadOnly,
    ErrorCode::SystemIoFailure,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::LedgerErrorKind;

    #[test]
    fn engine_errors_are_sorted_by_activity() {
        use LedgerErrorKind as Kind;
        use rusqlite::ffi;
        let cases = [
            (ffi::SQLITE_BUSY, [Kind::Busy; 3]),
            (ffi::SQLITE_BUSY_SNAPSHOT, [Kind::Busy; 3]),
            (ffi::SQLITE_CORRUPT, [Kind::Corrupt; 3]),
            (ffi::SQLITE_NOTADB, [Kind::Corrupt; 3]),
            (ffi::SQLITE_CONSTRAINT_TRIGGER, [Kind::Corrupt; 3]),
            (
                ffi::SQLITE_FULL,
                [Kind::Write, Kind::Unavailable, Kind::Write],
            ),
            (
                ffi::SQLITE_IOERR_FSYNC,
                [Kind::Write, Kind::Unavailable, Kind::Write],
            ),
            (
                ffi::SQLITE_READONLY,
                [Kind::Write, Kind::Unavailable, Kind::Write],
            ),
            (
                ffi::SQLITE_CANTOPEN,
                [Kind::Unavailable, Kind::Unavailable, Kind::Write],
            ),
        ];
        for (code, want) in cases {
            let got = [Activity::Open, Activity::Read, Activity::Write].map(|activity| {
                let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
                activity.failed(1, error).kind()
            });
            assert_eq!(got, want, "{code}");
        }
    }
}
