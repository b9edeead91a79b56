// SPDX-License-Identifier: Apache-2.0
//! Appending an entry: one transaction, durable when it returns.

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::MAX_ENTRY_BYTES;
use crate::entry::{Appended, ENTRY_COLUMNS, NewEntry, Phase, Position, sha256};
use crate::error::{AppendError, LedgerError};
use crate::fault::{Activity, Fault};
use crate::folder::Folder;
use crate::ids::{LedgerId, OwnerId};
use crate::ledger::{Ledger, Writer};
use crate::owner::{self, Owner};
use crate::read;

impl Ledger {
    /// Appends `entry` with the bytes that `seal` makes of its position.
    ///
    /// `seal` runs inside the transaction, with the right to write held: it signs, and does
    /// nothing that waits. It must not append to the same ledger. When it fails, nothing is kept.
    ///
    /// When this returns `Ok`, the entry survives a crash of process and machine. When it returns
    /// an error, the caller must act as if nothing was recorded; after a failing disk the entry may
    /// yet turn up, as may an intent of a process that was killed before it heard of its success.
    ///
    /// # Errors
    /// `ERR_LEDGER_RUN_EXISTS` for an intent of a run that has one; `ERR_LEDGER_RUN_UNKNOWN`,
    /// `ERR_LEDGER_RUN_CLOSED` and `ERR_LEDGER_RUN_OWNED` for an outcome of a run that was never
    /// opened, is closed, or has its own process alive to record it; `ERR_LEDGER_ENTRY_SIZE`;
    /// `ERR_LEDGER_BUSY`, `ERR_LEDGER_WRITE`, `ERR_LEDGER_CORRUPT` and `ERR_LEDGER_UNAVAILABLE`
    /// when the ledger cannot record. [`AppendError::Seal`] carries what `seal` returned.
    pub fn append<E>(
        &self,
        entry: &NewEntry,
        seal: impl FnOnce(&Position) -> Result<Vec<u8>, E>,
    ) -> Result<Appended, AppendError<E>> {
        let failed = |fault: Fault| self.failed(Activity::Write, fault);
        let mut writer = self.writer();
        let Writer { connection, owner } = &mut *writer;
        if entry.phase == Phase::Intent && owner.is_none() {
            *owner = Some(Owner::claim(self.owners())?);
        }
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|source| failed(source.into()))?;
        let own = owner.as_ref().map(Owner::id);
        check_run(&transaction, entry, own, self.owners()).map_err(failed)?;
        let position = next_position(&transaction, self.id()).map_err(failed)?;
        let bytes = seal(&position).map_err(AppendError::Seal)?;
        let appended = insert(&transaction, entry, &position, &bytes).map_err(failed)?;
        record_run(&transaction, entry, own, appended.seq).map_err(failed)?;
        transaction
            .commit()
            .map_err(|source| failed(source.into()))?;
        Ok(appended)
    }
}

/// Refuses an entry that does not fit what its run has already.
fn check_run(
    transaction: &Transaction<'_>,
    entry: &NewEntry,
    own: Option<&OwnerId>,
    owners: &Folder,
) -> Result<(), Fault> {
    if entry.phase == Phase::Refusal {
        return Ok(());
    }
    let run_id = || entry.run_id.clone();
    let found: Option<(String, bool)> = transaction
        .query_row(
            "SELECT owner, outcome_seq IS NULL FROM runs WHERE run_id = ?1",
            [entry.run_id.as_str()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let error = match (entry.phase, found) {
        (Phase::Refusal, _) | (Phase::Intent, None) => return Ok(()),
        (Phase::Intent, Some(_)) => LedgerError::RunExists { run_id: run_id() },
        (Phase::Outcome, None) => LedgerError::RunUnknown { run_id: run_id() },
        (Phase::Outcome, Some((_, false))) => LedgerError::RunClosed { run_id: run_id() },
        (Phase::Outcome, Some((owner, true))) => {
            let owner = OwnerId::stored(owner)?;
            if own == Some(&owner) || owner::is_gone(owners, &owner)? {
                return Ok(());
            }
            LedgerError::RunOwned { run_id: run_id() }
        }
    };
    Err(error.into())
}

fn next_position(transaction: &Transaction<'_>, id: &LedgerId) -> Result<Position, Fault> {
    let last = read::last_entry(transaction)?;
    let seq = match &last {
        None => 1,
        Some(last) => last.seq.checked_add(1).ok_or(LedgerError::CorruptValue {
            column: "entries.seq",
        })?,
    };
    Ok(Position {
        ledger_id: id.clone(),
        seq,
        previous: last.map(|last| last.digest),
    })
}

fn insert(
    transaction: &Transaction<'_>,
    entry: &NewEntry,
    position: &Position,
    bytes: &[u8],
) -> Result<Appended, Fault> {
    if bytes.is_empty() || bytes.len() > MAX_ENTRY_BYTES {
        let bytes = bytes.len();
        return Err(LedgerError::EntrySize { bytes }.into());
    }
    let digest = sha256(bytes);
    let sql = format!("INSERT INTO entries ({ENTRY_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    transaction.execute(
        &sql,
        params![
            position.seq,
            entry.phase.as_str(),
            entry.run_id.as_str(),
            entry.created_at_ms,
            position.previous,
            digest,
            bytes,
        ],
    )?;
    Ok(Appended {
        seq: position.seq,
        digest,
    })
}

/// Opens or closes the run in the same transaction as its entry.
fn record_run(
    transaction: &Transaction<'_>,
    entry: &NewEntry,
    own: Option<&OwnerId>,
    seq: u64,
) -> Result<(), Fault> {
    let run_id = entry.run_id.as_str();
    match entry.phase {
        Phase::Intent => transaction.execute(
            "INSERT INTO runs (run_id, owner, intent_seq) VALUES (?1, ?2, ?3)",
            params![run_id, own.map(OwnerId::as_str), seq],
        )?,
        Phase::Outcome => transaction.execute(
            "UPDATE runs SET outcome_seq = ?2 WHERE run_id = ?1",
            params![run_id, seq],
        )?,
        Phase::Refusal => 0,
    };
    Ok(())
}
