// SPDX-License-Identifier: Apache-2.0
//! The ledger: every decision and every outcome, in order, kept for good.
//!
//! # Terms
//!
//! - A **ledger** is a folder (mode 0700) with an `SQLite` database in it. Its name is drawn once.
//! - An **entry** is a piece of bytes that the caller sealed (signed), at a place: its number
//!   `seq`, from 1 without gaps, and the SHA-256 digest of the bytes of the entry before. The
//!   caller gets the [`Position`] inside the transaction, so that it can sign it too.
//! - A **run** is opened by an [`Phase::Intent`], which is durable before anything starts, and
//!   closed by an [`Phase::Outcome`]. Each happens once. A decision after which nothing starts is
//!   a [`Phase::Refusal`].
//! - An **orphan** is an open run whose process has ended. Each open ledger holds a lock that the
//!   kernel lets go when the process dies; see [`Ledger::orphans`].
//!
//! # What it promises
//!
//! An append that returned `Ok` is on the disk (write-ahead log, `synchronous=FULL`): a crash of
//! the process or the machine does not undo it. Entries are never changed or removed; triggers
//! refuse it, and a ledger without its triggers is refused. Any number of threads and processes
//! may append at once. Readers do not make them wait.
//!
//! It does not promise more than the disk does, it does not work on network file systems, and it
//! does not stop a user from forging their own ledger: signatures and checkpoints show that.
//!
//! No other copy of the `SQLite` library may open the file in the same process: closing it there
//! would drop the locks held here (<https://www.sqlite.org/howtocorrupt.html>, section 2.2.1).
//!
//! # Example
//!
//! ```
//! use ambit_store::{Ledger, NewEntry, OpenOptions, Phase, Position, RunId};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let root = tempfile::tempdir()?;
//! # let folder = root.path().join("ledger");
//! let ledger = Ledger::open(&folder, &OpenOptions::default())?;
//! let sign = |position: &Position| -> Result<Vec<u8>, std::convert::Infallible> {
//!     Ok(format!("signed entry {}", position.seq).into_bytes())
//! };
//!
//! let run_id = RunId::try_from("run-1")?;
//! let entry = |phase| NewEntry { phase, run_id: run_id.clone(), created_at_ms: 1_700_000_000_000, consumes: vec![] };
//! ledger.append(entry(Phase::Intent), sign)?;
//! // … the run starts here, and ends …
//! let outcome = ledger.append(entry(Phase::Outcome), sign)?;
//!
//! assert_eq!(outcome.seq, 2);
//! assert_eq!(ledger.entry(2)?.map(|entry| entry.bytes), Some(b"signed entry 2".to_vec()));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod append;
mod approval;
mod chain;
mod checkpoint;
mod connection;
mod entry;
mod error;
mod export;
mod fault;
mod folder;
mod group;
mod ids;
mod import;
mod ledger;
mod log;
mod owner;
mod query;
mod read;
mod runs;
mod schema;
mod status;
mod transfer;

pub use approval::{approval_use, approvals_consumed_by};
pub use chain::{ChainEnd, ChainFault, ChainFaultKind, ChainReport};
pub use checkpoint::{CheckpointSchedule, LogError, StoredCheckpoint};
pub use entry::{Appended, Entry, Head, NewEntry, Phase, Position};
pub use error::{AccessProblem, AppendError, LedgerError, LedgerErrorKind};
pub use ids::{LedgerId, RunId, RunIdError};
pub use ledger::{Ledger, OpenOptions};
pub use query::{Filter, Order};
pub use runs::OpenRun;
pub use status::{Collected, Status};
pub use transfer::{Form, TransferProblem};

/// The largest entry, in bytes (4 MiB).
pub const MAX_ENTRY_BYTES: usize = 4 * 1024 * 1024;
