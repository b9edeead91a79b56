// SPDX-License-Identifier: Apache-2.0
//! Appending an entry: one transaction, durable when it returns.

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::MAX_ENTRY_BYTES;
use crate::chain::{ChainFault, ChainFaultKind};
use crate::entry::{Appended, NewEntry, Phase, Position, sha256};
use crate::error::{Activity, AppendError, LedgerError};
use crate::folder::Folder;
use crate::ids::{OwnerId, RunId};
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
        let failed = |source| self.failed(Activity::Write, source);
        let mut writer = self.writer();
        let Writer { connection, owner } = &mut *writer;
        if entry.phase == Phase::Intent && owner.is_none() {
            *owner = Some(Owner::claim(self.owners())?);
        }
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let run = RunRow {
            transaction: &transaction,
            run_id: &entry.run_id,
            owner: owner.as_ref().map(Owner::id),
        };
        run.check(entry.phase, self.owners(), failed)?;
        let last = read::last_entry(&transaction).map_err(failed)??;
        let position = next_position(self, last.map(|last| last.head()))?;
        let bytes = seal(&position).map_err(AppendError::Seal)?;
        if bytes.is_empty() || bytes.len() > MAX_ENTRY_BYTES {
            let bytes = bytes.len();
            return Err(LedgerError::EntrySize { bytes }.into());
        }
        let digest = sha256(&bytes);
        insert(&transaction, entry, &position, digest, &bytes).map_err(failed)?;
        run.record(entry.phase, position.seq).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(Appended {
            seq: position.seq,
            digest,
        })
    }
}
