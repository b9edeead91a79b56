// SPDX-License-Identifier: Apache-2.0
//! Checkpoints of the ledger and proofs from its entries: what makes it a transparency log.
//!
//! The leaf at index `seq - 1` is the digest of the entry `seq`. A checkpoint is stored with the
//! edge of its tree, so that the next one reads only the entries in between.

use std::io;

use ambit_receipt::Sign;
use ambit_receipt::tlog::{
    Checkpoint, CheckpointError, Frontier, Hash, ProofError, ProveError, Prover, TreeError,
    leaf_hash, ledger_origin,
};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use crate::chain::{ChainFault, ChainFaultKind};
use crate::error::LedgerError;
use crate::fault::{Activity, Fault};
use crate::ledger::Ledger;
use crate::log;
use crate::read::stored_seq;

/// A checkpoint that is durable in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// How many entries it covers, from 1.
    pub size: u64,
    /// The root of the tree over their digests.
    pub root: Hash,
    /// The signed note, as it is handed out.
    pub note: String,
    /// When it was made by the caller's clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at_ms: i64,
}

/// When a checkpoint is made without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointSchedule {
    /// After this many entries since the last one. 0 is as 1.
    pub entries: u64,
    /// With an entry since the last one, after this many milliseconds.
    pub interval_ms: u64,
}

impl Default for CheckpointSchedule {
    /// 256 entries or 60 seconds.
    fn default() -> Self {
        Self {
            entries: 256,
            interval_ms: 60_000,
        }
    }
}

impl Ledger {
    /// Makes a checkpoint of all entries, signs it and stores it; returns the latest one where it
    /// covers all of them already.
    ///
    /// It reads the digests of the entries since the last checkpoint, and holds up no append while
    /// it reads and signs. Of two made at the same time one is kept, and both get it.
    ///
    /// # Errors
    /// [`LogError::Empty`] without entries; [`LogError::Note`] when the key cannot sign;
    /// [`LogError::Ledger`] with `ERR_LEDGER_CORRUPT` when the last checkpoint does not fit the
    /// entries, and as [`Ledger::append`].
    pub fn checkpoint(
        &self,
        key: &dyn Sign,
        created_at_ms: i64,
    ) -> Result<StoredCheckpoint, LogError> {
        let (last, mut frontier) = self.log_state()?;
        self.digests_after(frontier.size(), |digest| {
            frontier.append(leaf_hash(digest)).map(|()| true)
        })?;
        match last {
            Some(last) if last.size == frontier.size() => return Ok(last),
            None if frontier.size() == 0 => return Err(LogError::Empty),
            Some(_) | None => {}
        }
        let origin = ledger_origin(self.id().as_str());
        let checkpoint = Checkpoint::new(&origin, frontier.size(), frontier.root())?;
        let made = StoredCheckpoint {
            size: frontier.size(),
            root: frontier.root(),
            note: checkpoint.sign(key)?,
            created_at_ms,
        };
        self.keep(made, &frontier)
    }

    /// Returns whether a checkpoint is due at the time `now_ms`.
    ///
    /// # Errors
    /// As [`Ledger::entry`].
    pub fn is_checkpoint_due(
        &self,
        schedule: &CheckpointSchedule,
        now_ms: i64,
    ) -> Result<bool, LedgerError> {
        let (since, oldest_ms) = self
            .uncovered()
            .map_err(|fault| self.failed(Activity::Read, fault))?;
        // An entry from far ahead was made by another clock, or before this one was set back: how
        // long it has waited is not known, and it may be long.
        let waited_ms = oldest_ms.map_or(0, |oldest_ms| now_ms.abs_diff(oldest_ms));
        let overdue = waited_ms >= schedule.interval_ms;
        Ok(since > 0 && (since >= schedule.entries || overdue))
    }

    /// Returns the latest checkpoint; `None` when there is none.
    ///
    /// # Errors
    /// As [`Ledger::entry`].
    pub fn latest_checkpoint(&self) -> Result<Option<StoredCheckpoint>, LedgerError> {
        let latest = latest(&self.reader());
        let latest = latest.map_err(|fault| self.failed(Activity::Read, fault))?;
        Ok(latest.map(|(checkpoint, _)| checkpoint))
    }

    /// Returns up to `limit` checkpoints that cover at least `from_size` entries, by their size.
    ///
    /// # Errors
    /// As [`Ledger::entry`].
    pub fn checkpoints(
        &self,
        from_size: u64,
        limit: u32,
    ) -> Result<Vec<StoredCheckpoint>, LedgerError> {
        let sql =
            format!("SELECT {COLUMNS} FROM checkpoints WHERE size >= ?1 ORDER BY size LIMIT ?2");
        let read = || -> Result<_, Fault> {
            let reader = self.reader();
            let mut statement = reader.prepare_cached(&sql)?;
            let rows = statement.query_map(params![stored_seq(from_size), limit], stored)?;
            Ok(rows
                .map(|row| row.map(|(checkpoint, _)| checkpoint))
                .collect::<Result<_, _>>()?)
        };
        read().map_err(|fault| self.failed(Activity::Read, fault))
    }

    /// Returns the hashes that show the entry `seq` in the tree over the first `size` entries, from
    /// its sibling upwards. It reads `size` digests.
    ///
    /// # Errors
    /// [`LogError::Prove`] unless `1 <= seq <= size` and there are that many entries;
    /// [`LogError::Ledger`] as [`Ledger::entry`].
    pub fn inclusion_proof(&self, seq: u64, size: u64) -> Result<Vec<Hash>, LogError> {
        let index = seq.checked_sub(1).ok_or(ProveError::Range)?;
        self.proof(Prover::inclusion(index, size)?)
    }

    /// Returns the hashes that show the tree over the first `size1` entries to be the beginning of
    /// that over the first `size2`. It reads `size2` digests.
    ///
    /// # Errors
    /// [`LogError::Prove`] unless `1 <= size1 <= size2` and there are that many entries;
    /// [`LogError::Ledger`] as [`Ledger::entry`].
    pub fn consistency_proof(&self, size1: u64, size2: u64) -> Result<Vec<Hash>, LogError> {
        self.proof(Prover::consistency(size1, size2)?)
    }

    /// Gives the stored digests of the entries behind the first `size` to `visit`, in order, until
    /// there are no more or it answers `false`. No lock is held while `visit` runs.
    ///
    /// # Errors
    /// As [`Ledger::entry`]; `ERR_LEDGER_CORRUPT` where an entry is missing; those of `visit`.
    pub fn digests_after(
        &self,
        size: u64,
        mut visit: impl FnMut(&[u8; 32]) -> Result<bool, TreeError>,
    ) -> Result<(), LogError> {
        let mut size = size;
        loop {
            let page = digests(&self.reader(), size)
                .map_err(|fault| self.failed(Activity::Read, fault))?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            let last = *last;
            for (seq, digest) in page {
                if size.checked_add(1) != Some(seq) {
                    return Err(missing(size.saturating_add(1)).into());
                }
                size = seq;
                if !visit(&digest)? {
                    return Ok(());
                }
            }
            size = last;
        }
    }

    fn proof(&self, mut prover: Prover) -> Result<Vec<Hash>, LogError> {
        if !prover.is_complete() {
            self.digests_after(0, |digest| {
                prover.push(leaf_hash(digest))?;
                Ok(!prover.is_complete())
            })?;
        }
        Ok(prover.finish()?)
    }

    /// Returns the last checkpoint and the edge of its tree, checked against each other.
    fn log_state(&self) -> Result<(Option<StoredCheckpoint>, Frontier), LogError> {
        let read = latest(&self.reader());
        let Some((last, edge)) = read.map_err(|fault| self.failed(Activity::Read, fault))? else {
            return Ok((None, Frontier::new()));
        };
        let frontier = Frontier::from_bytes(&edge).ok();
        let fits = |edge: &Frontier| edge.size() == last.size && edge.root() == last.root;
        match frontier.filter(fits) {
            Some(frontier) => Ok((Some(last), frontier)),
            None => Err(LedgerError::CorruptValue {
                column: "checkpoints.frontier",
            }
            .into()),
        }
    }

    /// Stores a checkpoint, unless one that covers as much was stored meanwhile: returns that.
    fn keep(
        &self,
        made: StoredCheckpoint,
        frontier: &Frontier,
    ) -> Result<StoredCheckpoint, LogError> {
        let write = || -> Result<Option<StoredCheckpoint>, Fault> {
            let mut writer = self.writing()?.writer();
            let transaction = writer
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            if let Some((other, _)) = latest(&transaction)?
                && other.size >= made.size
            {
                return Ok(Some(other));
            }
            transaction.execute(
                "INSERT INTO checkpoints (size, root, note, created_at_ms, frontier) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    stored_seq(made.size),
                    made.root,
                    made.note,
                    made.created_at_ms,
                    frontier.to_bytes()
                ],
            )?;
            transaction.commit()?;
            Ok(None)
        };
        let other = write().map_err(|fault| self.failed(Activity::Write, fault))?;
        Ok(other.unwrap_or(made))
    }

    /// Returns how many entries no checkpoint covers, and when the oldest of them was made.
    fn uncovered(&self) -> Result<(u64, Option<i64>), Fault> {
        let reader = self.reader();
        let mut statement = reader.prepare_cached(
            "SELECT coalesce((SELECT max(seq) FROM entries), 0), \
             coalesce((SELECT max(size) FROM checkpoints), 0)",
        )?;
        let (entries, covered): (u64, u64) =
            statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let oldest_ms = reader
            .prepare_cached("SELECT created_at_ms FROM entries WHERE seq = ?1 + 1")?
            .query_row([covered], |row| row.get(0))
            .optional()?;
        Ok((entries.saturating_sub(covered), oldest_ms))
    }
}

/// Refuses a ledger whose entries end before its own last checkpoint does.
pub(crate) fn check_tail(connection: &Connection) -> Result<(), Fault> {
    let (entries, covered): (u64, u64) = connection.query_row(
        "SELECT coalesce((SELECT max(seq) FROM entries), 0), \
         coalesce((SELECT max(size) FROM checkpoints), 0)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if entries < covered {
        return Err(missing(entries.saturating_add(1)).into());
    }
    Ok(())
}

/// A checkpoint or a proof that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A ledger without entries has no checkpoint.
    #[error("the ledger has no entries")]
    Empty,
    /// The checkpoint is of another log.
    #[error("the checkpoint is of `{origin}`, not of this ledger")]
    Foreign {
        /// What it is of: escaped, and cut.
        origin: String,
    },
    /// The ledger could not be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There is no checkpoint.
    #[error("the ledger has no checkpoint; make one with `ambit ledger checkpoint`")]
    NoCheckpoint,
    /// The checkpoint could not be read or signed.
    #[error(transparent)]
    Note(#[from] CheckpointError),
    /// The entries do not lead to the checkpoint's root.
    #[error("the entries are not those of the checkpoint")]
    Proof(#[from] ProofError),
    /// No proof can be about these numbers.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The files of the log could not be written.
    #[error("cannot write the tiles")]
    Tiles(#[source] io::Error),
    /// The ledger has more entries than a tree can have.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The entry came after the checkpoint.
    #[error("the checkpoint covers {size} entries, not entry {seq}; make another")]
    Uncovered {
        /// The number of the entry.
        seq: u64,
        /// How many entries the checkpoint covers.
        size: u64,
    },
}

impl LogError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty | Self::NoCheckpoint => "ERR_LEDGER_EMPTY",
            Self::Foreign { .. } => "ERR_LEDGER_NOTE",
            Self::Ledger(error) => error.code(),
            Self::Note(error) => error.code(),
            Self::Proof(_) | Self::Prove(_) | Self::Uncovered { .. } => "ERR_LEDGER_PROOF",
            Self::Tiles(error) => log::tiles_code(error),
            Self::Tree(_) => "ERR_LEDGER_WRITE",
        }
    }
}

fn missing(seq: u64) -> LedgerError {
    LedgerError::CorruptEntry {
        fault: ChainFault {
            seq,
            kind: ChainFaultKind::Missing,
        },
    }
}

fn latest(connection: &Connection) -> Result<Option<(StoredCheckpoint, Vec<u8>)>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM checkpoints ORDER BY size DESC LIMIT 1");
    let row = connection.prepare_cached(&sql)?.query_row([], stored);
    Ok(row.optional()?)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<(StoredCheckpoint, Vec<u8>)> {
    let checkpoint = StoredCheckpoint {
        size: row.get(0)?,
        root: row.get(1)?,
        note: row.get(2)?,
        created_at_ms: row.get(3)?,
    };
    Ok((checkpoint, row.get(4)?))
}

fn digests(connection: &Connection, size: u64) -> Result<Vec<(u64, [u8; 32])>, Fault> {
    let mut statement = connection
        .prepare_cached("SELECT seq, digest FROM entries WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
    let rows = statement.query_map(params![stored_seq(size), PAGE], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

const COLUMNS: &str = "size, root, note, created_at_ms, frontier";

/// Digests read at once: 160 KiB.
const PAGE: u32 = 4096;
