// SPDX-License-Identifier: Apache-2.0
//! What can go wrong with the ledger, and whose fault it is.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use nix::errno::Errno;

use crate::chain::ChainFault;
use crate::ids::RunId;
use crate::transfer::TransferProblem;

/// A ledger call that could not do its work: one variant per failing step.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The thread that wrote for this one has panicked. Whether the entry is there is not known.
    #[error("the entry was abandoned by a defect")]
    Abandoned,
    /// A file or folder that is not this user's alone.
    #[error("`{}` {problem}", path.display())]
    Access {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: AccessProblem,
    },
    /// An approval that is good for one run was used before, or twice by the same entry.
    #[error(
        "the approval was used before{}",
        by.map_or_else(String::new, |seq| format!(", by entry {seq}"))
    )]
    ApprovalConsumed {
        /// The number of the entry that used it.
        by: Option<u64>,
    },
    /// Another process held the ledger for longer than the caller would wait.
    #[error("the ledger is busy: no turn within {timeout_ms} ms")]
    Busy {
        /// The bound that was exceeded, in milliseconds.
        timeout_ms: u32,
    },
    /// The database engine found damage, or a stored value that this crate never writes.
    #[error("the ledger's database is damaged")]
    CorruptDatabase {
        /// What the engine said.
        #[source]
        source: rusqlite::Error,
    },
    /// An entry does not fit its place in the chain.
    #[error("the ledger is damaged: {fault}")]
    CorruptEntry {
        /// The first fault.
        fault: ChainFault,
    },
    /// A table, index or trigger is missing, changed or foreign.
    #[error("the ledger's schema is damaged at `{name}`")]
    CorruptSchema {
        /// The object's name.
        name: String,
    },
    /// A stored value that this crate never writes.
    #[error("the ledger is damaged: unexpected value in `{column}`")]
    CorruptValue {
        /// Table and column.
        column: &'static str,
    },
    /// Sealed bytes of a size that no entry may have.
    #[error(
        "entry of {bytes} bytes; accepted: 1 to {} bytes",
        crate::MAX_ENTRY_BYTES
    )]
    EntrySize {
        /// The size that was offered.
        bytes: usize,
    },
    /// Something stands where a new ledger or an export was to be written; nothing is replaced.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The file or folder.
        path: PathBuf,
    },
    /// The file is a database of something else.
    #[error("`{}` is not a ledger (application id {application_id:#x})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The application id that it carries.
        application_id: i32,
    },
    /// What was to be imported is not a whole, unbroken ledger; nothing was made of it.
    #[error("cannot import `{place}`: {problem}")]
    Import {
        /// The file, and the line where there is one.
        place: String,
        /// What is wrong with it.
        #[source]
        problem: TransferProblem,
    },
    /// A system call on a file of the ledger failed.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The file system cannot hold a write-ahead log.
    #[error("the ledger's file system has no write-ahead log; journal mode is `{mode}`")]
    Journal {
        /// The journal mode that the engine offered instead.
        mode: String,
    },
    /// The database could not be opened.
    #[error("cannot open the ledger's database")]
    Open {
        /// What the engine said.
        #[source]
        source: rusqlite::Error,
    },
    /// The kernel gave no random bytes.
    #[error("no random bytes for an id")]
    Random {
        /// Why it failed.
        #[source]
        source: getrandom::Error,
    },
    /// The database could not be read.
    #[error("cannot read the ledger")]
    Read {
        /// What the engine said.
        #[source]
        source: rusqlite::Error,
    },
    /// The ledger was opened for reading only.
    #[error("the ledger was opened for reading only")]
    ReadOnly,
    /// An outcome for a run that already has one.
    #[error("run `{run_id}` is already closed")]
    RunClosed {
        /// The run.
        run_id: RunId,
    },
    /// A second intent for the same run.
    #[error("run `{run_id}` already exists")]
    RunExists {
        /// The run.
        run_id: RunId,
    },
    /// An outcome for a run whose own process is still there to record it.
    #[error("run `{run_id}` belongs to a process that is still alive")]
    RunOwned {
        /// The run.
        run_id: RunId,
    },
    /// An outcome for a run that has no intent.
    #[error("run `{run_id}` was never opened")]
    RunUnknown {
        /// The run.
        run_id: RunId,
    },
    /// The commit that this entry shared with others failed.
    #[error(transparent)]
    Shared(Arc<Self>),
    /// The ledger was written by another version of this crate.
    #[error("ledger of version {found}; accepted: {supported}")]
    Version {
        /// The version in the file.
        found: i32,
        /// The version that this crate reads and writes.
        supported: i32,
    },
    /// The entry could not be made durable.
    #[error("cannot write to the ledger")]
    Write {
        /// What the engine said.
        #[source]
        source: rusqlite::Error,
    },
}

impl LedgerError {
    /// Returns what kind of failure it is.
    pub fn kind(&self) -> LedgerErrorKind {
        match self {
            Self::Access { .. }
            | Self::Journal { .. }
            | Self::Open { .. }
            | Self::Random { .. }
            | Self::Read { .. } => LedgerErrorKind::Unavailable,
            Self::ApprovalConsumed { .. } => LedgerErrorKind::ApprovalConsumed,
            Self::Busy { .. } => LedgerErrorKind::Busy,
            Self::CorruptDatabase { .. }
            | Self::CorruptEntry { .. }
            | Self::CorruptSchema { .. }
            | Self::CorruptValue { .. } => LedgerErrorKind::Corrupt,
            Self::EntrySize { .. } => LedgerErrorKind::EntrySize,
            Self::Exists { .. } => LedgerErrorKind::Exists,
            Self::Import { .. } => LedgerErrorKind::Import,
            Self::Foreign { .. } => LedgerErrorKind::Foreign,
            Self::Io { source, .. } => io_kind(source),
            Self::RunClosed { .. } => LedgerErrorKind::RunClosed,
            Self::RunExists { .. } => LedgerErrorKind::RunExists,
            Self::RunOwned { .. } => LedgerErrorKind::RunOwned,
            Self::RunUnknown { .. } => LedgerErrorKind::RunUnknown,
            Self::Shared(error) => error.kind(),
            Self::Version { .. } => LedgerErrorKind::Version,
            Self::Abandoned | Self::ReadOnly | Self::Write { .. } => LedgerErrorKind::Write,
        }
    }

    /// Returns the stable code; it is never renamed or reused.
    pub fn code(&self) -> &'static str {
        self.kind().code()
    }

    /// Returns an error that several appends have in common; the last of them gets it as it is.
    pub(crate) fn shared(error: Arc<Self>) -> Self {
        Arc::try_unwrap(error).unwrap_or_else(Self::Shared)
    }

    /// Names what `action` failed on.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
        source: impl Into<io::Error>,
    ) -> Self {
        Self::Io {
            action,
            path: path.into(),
            source: source.into(),
        }
    }
}

/// The kinds of failure, one per code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LedgerErrorKind {
    /// An approval that is good for one run was used before.
    ApprovalConsumed,
    /// Other processes held the ledger for the whole waiting time; trying again may help.
    Busy,
    /// What is stored is damaged or was changed; nothing is appended to it.
    Corrupt,
    /// The sealed bytes are empty or too many.
    EntrySize,
    /// Something stands where a new ledger or an export was to be written.
    Exists,
    /// The file is not a ledger; it is left as it is.
    Foreign,
    /// What was to be imported is not a whole, unbroken ledger.
    Import,
    /// The run already has its outcome; somebody else recorded it.
    RunClosed,
    /// The run already has its intent.
    RunExists,
    /// The run's own process is alive and records its outcome itself.
    RunOwned,
    /// The run has no intent, so it can have no outcome.
    RunUnknown,
    /// The ledger cannot be opened, read or locked, or others have access to it.
    Unavailable,
    /// The ledger is of a version that this crate does not know.
    Version,
    /// The disk is full, read-only or failing; the entry is not recorded.
    Write,
}

impl LedgerErrorKind {
    /// Every kind, in alphabetical order.
    pub const ALL: [Self; 14] = [
        Self::ApprovalConsumed,
        Self::Busy,
        Self::Corrupt,
        Self::EntrySize,
        Self::Exists,
        Self::Foreign,
        Self::Import,
        Self::RunClosed,
        Self::RunExists,
        Self::RunOwned,
        Self::RunUnknown,
        Self::Unavailable,
        Self::Version,
        Self::Write,
    ];

    /// Returns the stable code; it is never renamed or reused.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ApprovalConsumed => "ERR_APPROVAL_CONSUMED",
            Self::Busy => "ERR_LEDGER_BUSY",
            Self::Corrupt => "ERR_LEDGER_CORRUPT",
            Self::EntrySize => "ERR_LEDGER_ENTRY_SIZE",
            Self::Exists => "ERR_LEDGER_EXISTS",
            Self::Foreign => "ERR_LEDGER_FOREIGN",
            Self::Import => "ERR_LEDGER_IMPORT",
            Self::RunClosed => "ERR_LEDGER_RUN_CLOSED",
            Self::RunExists => "ERR_LEDGER_RUN_EXISTS",
            Self::RunOwned => "ERR_LEDGER_RUN_OWNED",
            Self::RunUnknown => "ERR_LEDGER_RUN_UNKNOWN",
            Self::Unavailable => "ERR_LEDGER_UNAVAILABLE",
            Self::Version => "ERR_LEDGER_VERSION",
            Self::Write => "ERR_LEDGER_WRITE",
        }
    }
}

/// What is wrong with a file or folder of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessProblem {
    /// Group or others have rights on it.
    #[error("is open to others (mode {mode:04o}); accepted: owner only")]
    Mode {
        /// The permission bits.
        mode: u32,
    },
    /// It was exchanged while it was being opened.
    #[error("was exchanged while it was being opened")]
    Moved,
    /// It belongs to somebody else.
    #[error("belongs to user {uid}; accepted: the user of this process")]
    Owner {
        /// The owner's user id.
        uid: u32,
    },
    /// It is a symbolic link, or not a file or folder as expected.
    #[error("is not a plain {expected}; symbolic links are refused")]
    Type {
        /// `file` or `folder`.
        expected: &'static str,
    },
}

/// An append that was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum AppendError<E> {
    /// The ledger could not record.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The caller could not seal the entry.
    #[error("cannot seal the entry")]
    Seal(#[source] E),
}

/// A full, read-only or failing disk stops the recording; anything else, the opening.
fn io_kind(error: &io::Error) -> LedgerErrorKind {
    let errno = error.raw_os_error().map(Errno::from_raw);
    if errno.is_some_and(|errno| DISK_ERRNO.contains(&errno)) {
        LedgerErrorKind::Write
    } else {
        LedgerErrorKind::Unavailable
    }
}

const DISK_ERRNO: &[Errno] = &[
    Errno::EDQUOT,
    Errno::EFBIG,
    Errno::EIO,
    Errno::ENOSPC,
    Errno::EROFS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_sorted() {
        let codes = LedgerErrorKind::ALL.map(LedgerErrorKind::code);
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }

    #[test]
    fn system_errors_are_sorted_by_errno() {
        for (errno, want) in [
            (Errno::ENOSPC, LedgerErrorKind::Write),
            (Errno::EROFS, LedgerErrorKind::Write),
            (Errno::EACCES, LedgerErrorKind::Unavailable),
            (Errno::ENOENT, LedgerErrorKind::Unavailable),
        ] {
            assert_eq!(LedgerError::io("open", "/x", errno).kind(), want, "{errno}");
        }
    }
}
