// SPDX-License-Identifier: Apache-2.0
//! What is appended and what is read back.

use rusqlite::Row;
use sha2::{Digest as _, Sha256};

use crate::error::LedgerError;
use crate::ids::{LedgerId, RunId};

/// What an entry means for its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// A decision that allows, recorded before the launch. It opens the run.
    Intent,
    /// What became of the run. It closes the run that an intent opened.
    Outcome,
    /// A decision after which nothing starts: deny, or approval required.
    Refusal,
}

impl Phase {
    /// Returns the word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Refusal => "refusal",
        }
    }

    pub(crate) fn stored(text: &str) -> Result<Self, LedgerError> {
        [Self::Intent, Self::Outcome, Self::Refusal]
            .into_iter()
            .find(|phase| phase.as_str() == text)
            .ok_or(LedgerError::CorruptValue {
                column: "entries.phase",
            })
    }
}

/// An entry to append, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// What it means for the run.
    pub phase: Phase,
    /// The run.
    pub run_id: RunId,
    /// The caller's clock, in milliseconds since 1970-01-01T00:00:00Z. Kept as given, even when it
    /// is earlier than the entry before: the order is that of `seq`.
    pub created_at_ms: i64,
    /// The approvals that it uses up, by [`approval_use`](crate::approval_use). It is refused when
    /// another entry used one of them before.
    pub consumes: Vec<[u8; 32]>,
}

/// The place that an entry takes, for the caller to put inside the bytes it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The ledger.
    pub ledger_id: LedgerId,
    /// The number of the entry, from 1, without gaps.
    pub seq: u64,
    /// SHA-256 of the exact bytes of the entry before; `None` for the first.
    pub previous: Option<[u8; 32]>,
}

/// An entry that is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The number of the entry.
    pub seq: u64,
    /// SHA-256 of its exact bytes.
    pub digest: [u8; 32],
    /// The exact bytes that were sealed.
    pub bytes: Vec<u8>,
}

/// The last entry's number and digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the entry.
    pub seq: u64,
    /// SHA-256 of its exact bytes.
    pub digest: [u8; 32],
}

/// An entry as stored.
///
/// Only `bytes` are covered by `digest`, and only the caller knows what they say: a verifier
/// compares `seq`, `previous`, `run_id` and the rest with what stands in the signed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The number of the entry, from 1.
    pub seq: u64,
    /// What it means for its run.
    pub phase: Phase,
    /// The run.
    pub run_id: RunId,
    /// When it was made by the caller's clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at_ms: i64,
    /// SHA-256 of the exact bytes of the entry before; `None` for the first.
    pub previous: Option<[u8; 32]>,
    /// SHA-256 of `bytes`.
    pub digest: [u8; 32],
    /// The exact bytes that were sealed.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// Returns whether the stored digest is that of the stored bytes.
    pub(crate) fn is_intact(&self) -> bool {
        sha256(&self.bytes) == self.digest
    }

    /// Returns the entry as the end of a chain.
    pub(crate) const fn head(&self) -> Head {
        Head {
            seq: self.seq,
            digest: self.digest,
        }
    }
}

/// One row of `entries`, before its values are judged.
pub(crate) struct StoredEntry {
    seq: u64,
    phase: String,
    run_id: String,
    created_at_ms: i64,
    previous: Option<[u8; 32]>,
    digest: [u8; 32],
    bytes: Vec<u8>,
}

impl StoredEntry {
    /// Reads a row of [`ENTRY_COLUMNS`].
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            phase: row.get(1)?,
            run_id: row.get(2)?,
            created_at_ms: row.get(3)?,
            previous: row.get(4)?,
            digest: row.get(5)?,
            bytes: row.get(6)?,
        })
    }
}

impl TryFrom<StoredEntry> for Entry {
    type Error = LedgerError;

    fn try_from(row: StoredEntry) -> Result<Self, LedgerError> {
        Ok(Self {
            seq: row.seq,
            phase: Phase::stored(&row.phase)?,
            run_id: RunId::stored(row.run_id)?,
            created_at_ms: row.created_at_ms,
            previous: row.previous,
            digest: row.digest,
            bytes: row.bytes,
        })
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The columns of an entry in the order in which [`StoredEntry::read`] takes them.
pub(crate) const ENTRY_COLUMNS: &str = "seq, phase, run_id, created_at_ms, previous, digest, bytes";
