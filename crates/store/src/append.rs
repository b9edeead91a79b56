// SPDX-License-Identifier: Apache-2.0
//! Appending: one transaction for all who ask at the same time, durable when it returns.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::MAX_ENTRY_BYTES;
use crate::approval;
use crate::entry::{Appended, NewEntry, Phase, Position, sha256};
use crate::error::{AppendError, LedgerError};
use crate::fault::{Activity, Fault};
use crate::folder::Folder;
use crate::group::{self, Job, Jobs, Pending};
use crate::ids::{LedgerId, OwnerId};
use crate::ledger::{Ledger, Writer};
use crate::owner::{self, Owner};
use crate::read;

impl Ledger {
    /// Appends `entry` with the bytes that `seal` makes of its position.
    ///
    /// Appends that are asked for at the same time share one commit. `seal` may run in the thread
    /// of another of them, inside the transaction, with the right to write held: it signs, and does
    /// nothing that waits. It must not append to the same ledger. When it fails, nothing is kept of
    /// this entry, and the others are not touched. A panic in it goes on in the thread that called.
    ///
    /// When this returns `Ok`, the entry survives a crash of process and machine. When it returns
    /// an error, the caller must act as if nothing was recorded; after a failing disk the entry may
    /// yet turn up, as may an intent of a process that was killed before it heard of its success.
    ///
    /// # Errors
    /// `ERR_APPROVAL_CONSUMED` for an entry that uses an approval which an entry before it used;
    /// `ERR_LEDGER_RUN_EXISTS` for an intent of a run that has one; `ERR_LEDGER_RUN_UNKNOWN`,
    /// `ERR_LEDGER_RUN_CLOSED` and `ERR_LEDGER_RUN_OWNED` for an outcome of a run that was never
    /// opened, is closed, or has its own process alive to record it; `ERR_LEDGER_ENTRY_SIZE`;
    /// `ERR_LEDGER_BUSY`, `ERR_LEDGER_WRITE`, `ERR_LEDGER_CORRUPT` and `ERR_LEDGER_UNAVAILABLE`
    /// when the ledger cannot record. [`AppendError::Seal`] carries what `seal` returned.
    pub fn append<E, F>(&self, entry: NewEntry, seal: F) -> Result<Appended, AppendError<E>>
    where
        E: Send + 'static,
        F: FnOnce(&Position) -> Result<Vec<u8>, E> + Send + 'static,
    {
        let (job, slot) = Job::new(entry, seal);
        self.submit(vec![Box::new(job)]);
        group::take(&slot)
    }

    /// Appends entries in their order, in one commit with whatever else is asked for at the same
    /// time; returns a result for each. One that is refused leaves no gap and harms no other.
    ///
    /// # Errors
    /// Those of [`Ledger::append`], for each entry.
    pub fn append_all<E, F>(
        &self,
        entries: impl IntoIterator<Item = (NewEntry, F)>,
    ) -> Vec<Result<Appended, AppendError<E>>>
    where
        E: Send + 'static,
        F: FnOnce(&Position) -> Result<Vec<u8>, E> + Send + 'static,
    {
        let mut jobs: Jobs = Vec::new();
        let mut slots = Vec::new();
        for (entry, seal) in entries {
            let (job, slot) = Job::new(entry, seal);
            jobs.push(Box::new(job));
            slots.push(slot);
        }
        if !jobs.is_empty() {
            self.submit(jobs);
        }
        slots.iter().map(group::take).collect()
    }

    fn submit(&self, jobs: Jobs) {
        let writing = match self.writing() {
            Ok(writing) => writing,
            Err(error) => return settle(jobs, Err(error)),
        };
        writing.groups.submit(jobs, |close| {
            let mut writer = writing.writer();
            let mut jobs = close();
            let written = self.write(&mut writer, &writing.owners, &mut jobs);
            drop(writer);
            settle(jobs, written);
        });
    }

    /// Writes a group in one transaction; `None` for each job that kept a reason of its own.
    fn write(
        &self,
        writer: &mut Writer,
        owners: &Arc<Folder>,
        jobs: &mut Jobs,
    ) -> Result<Vec<Option<Appended>>, LedgerError> {
        let failed = |fault: Fault| self.failed(Activity::Write, fault);
        let Writer { connection, owner } = writer;
        let opens_a_run = jobs.iter().any(|job| job.entry().phase == Phase::Intent);
        if owner.is_none() && opens_a_run {
            *owner = Some(Owner::claim(owners)?);
        }
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|source| failed(source.into()))?;
        // Other processes append too: where the chain ends is known only now.
        let mut position = next_position(&transaction, self.id()).map_err(failed)?;
        let own = owner.as_ref().map(Owner::id);
        let mut written = Vec::with_capacity(jobs.len());
        for job in jobs {
            let appended =
                write_one(&transaction, job.as_mut(), &position, own, owners).map_err(failed)?;
            if let Some(appended) = &appended {
                position = after(&position, appended).map_err(failed)?;
            }
            written.push(appended);
        }
        transaction
            .commit()
            .map_err(|source| failed(source.into()))?;
        Ok(written)
    }
}

/// Tells each job of a group what became of it.
fn settle(jobs: Jobs, written: Result<Vec<Option<Appended>>, LedgerError>) {
    match written {
        Ok(written) => {
            for (job, appended) in jobs.into_iter().zip(written) {
                // Without an entry it has its own reason, which comes first.
                let result = appended.ok_or_else(|| Arc::new(LedgerError::Abandoned));
                job.settle(result);
            }
        }
        Err(error) => {
            let mut error = Some(Arc::new(error));
            let mut jobs = jobs.into_iter().peekable();
            while let Some(job) = jobs.next() {
                // The last one gets the error itself: alone, a caller sees what it always saw.
                let shared = if jobs.peek().is_some() {
                    error.clone()
                } else {
                    error.take()
                };
                job.settle(Err(
                    shared.unwrap_or_else(|| Arc::new(LedgerError::Abandoned))
                ));
            }
        }
    }
}

/// Writes one entry; `None` when it alone is refused. A fault is one of the whole group.
fn write_one(
    transaction: &Transaction<'_>,
    job: &mut dyn Pending,
    position: &Position,
    own: Option<&OwnerId>,
    owners: &Folder,
) -> Result<Option<Appended>, Fault> {
    if let Some(error) = check_run(transaction, job.entry(), own, owners)? {
        job.refuse(error);
        return Ok(None);
    }
    if let Some(error) = approval::check_unused(transaction, &job.entry().consumes)? {
        job.refuse(error);
        return Ok(None);
    }
    let Some(bytes) = job.seal(position) else {
        return Ok(None);
    };
    if bytes.is_empty() || bytes.len() > MAX_ENTRY_BYTES {
        job.refuse(LedgerError::EntrySize { bytes: bytes.len() });
        return Ok(None);
    }
    let appended = insert(transaction, job.entry(), position, bytes)?;
    record_run(transaction, job.entry(), own, appended.seq)?;
    approval::record_used(transaction, &job.entry().consumes, appended.seq)?;
    Ok(Some(appended))
}

/// Returns why an entry does not fit what its run has already, if it does not.
fn check_run(
    transaction: &Transaction<'_>,
    entry: &NewEntry,
    own: Option<&OwnerId>,
    owners: &Folder,
) -> Result<Option<LedgerError>, Fault> {
    if entry.phase == Phase::Refusal {
        return Ok(None);
    }
    let run_id = || entry.run_id.clone();
    let found: Option<(String, bool)> = transaction
        .prepare_cached("SELECT owner, outcome_seq IS NULL FROM runs WHERE run_id = ?1")?
        .query_row([entry.run_id.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let error = match (entry.phase, found) {
        (Phase::Refusal, _) | (Phase::Intent, None) => return Ok(None),
        (Phase::Intent, Some(_)) => LedgerError::RunExists { run_id: run_id() },
        (Phase::Outcome, None) => LedgerError::RunUnknown { run_id: run_id() },
        (Phase::Outcome, Some((_, false))) => LedgerError::RunClosed { run_id: run_id() },
        (Phase::Outcome, Some((owner, true))) => {
            let owner = OwnerId::stored(owner)?;
            if own == Some(&owner) {
                return Ok(None);
            }
            match owner::is_gone(owners, &owner) {
                Ok(true) => return Ok(None),
                Ok(false) => LedgerError::RunOwned { run_id: run_id() },
                Err(error) => error,
            }
        }
    };
    Ok(Some(error))
}

fn next_position(transaction: &Transaction<'_>, id: &LedgerId) -> Result<Position, Fault> {
    let last = read::last_entry(transaction)?;
    Ok(Position {
        ledger_id: id.clone(),
        seq: last.as_ref().map_or(Ok(1), |last| seq_after(last.seq))?,
        previous: last.map(|last| last.digest),
    })
}

/// Returns the place behind an entry.
fn after(position: &Position, appended: &Appended) -> Result<Position, Fault> {
    Ok(Position {
        ledger_id: position.ledger_id.clone(),
        seq: seq_after(appended.seq)?,
        previous: Some(appended.digest),
    })
}

fn seq_after(seq: u64) -> Result<u64, Fault> {
    seq.checked_add(1).ok_or_else(|| {
        Fault::Ledger(LedgerError::CorruptValue {
            column: "entries.seq",
        })
    })
}

fn insert(
    transaction: &Transaction<'_>,
    entry: &NewEntry,
    position: &Position,
    bytes: Vec<u8>,
) -> Result<Appended, Fault> {
    let digest = sha256(&bytes);
    transaction.prepare_cached(INSERT)?.execute(params![
        position.seq,
        entry.phase.as_str(),
        entry.run_id.as_str(),
        entry.created_at_ms,
        position.previous,
        digest,
        bytes,
    ])?;
    Ok(Appended {
        seq: position.seq,
        digest,
        bytes,
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
        Phase::Intent => transaction
            .prepare_cached("INSERT INTO runs (run_id, owner, intent_seq) VALUES (?1, ?2, ?3)")?
            .execute(params![run_id, own.map(OwnerId::as_str), seq])?,
        Phase::Outcome => transaction
            .prepare_cached("UPDATE runs SET outcome_seq = ?2 WHERE run_id = ?1")?
            .execute(params![run_id, seq])?,
        Phase::Refusal => 0,
    };
    Ok(())
}

const INSERT: &str = "INSERT INTO entries \
    (seq, phase, run_id, created_at_ms, previous, digest, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
