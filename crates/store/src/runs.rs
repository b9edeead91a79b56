// SPDX-License-Identifier: Apache-2.0
//! Runs that were started and never finished.

use crate::error::LedgerError;
use crate::fault::{Activity, Fault};
use crate::ids::{OwnerId, RunId};
use crate::ledger::Ledger;
use crate::owner;

/// A run with an intent and no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRun {
    /// The run.
    pub run_id: RunId,
    /// The number of its intent.
    pub intent_seq: u64,
}

impl Ledger {
    /// Returns the open runs whose process has ended, oldest first.
    ///
    /// The caller appends an outcome for each. Of two that do so at once, one gets
    /// `ERR_LEDGER_RUN_CLOSED`, and can take it for done.
    ///
    /// # Errors
    /// As [`Ledger::entry`]; `ERR_LEDGER_UNAVAILABLE` too when an owner's lock cannot be examined,
    /// and `ERR_LEDGER_WRITE` when the ledger was opened for reading only.
    pub fn orphans(&self) -> Result<Vec<OpenRun>, LedgerError> {
        let owners = &self.writing()?.owners;
        let open = self
            .open_runs()
            .map_err(|fault| self.failed(Activity::Read, fault))?;
        let mut orphans = Vec::new();
        for (run, owner) in open {
            if owner::is_gone(owners, &owner)? {
                orphans.push(run);
            }
        }
        Ok(orphans)
    }

    fn open_runs(&self) -> Result<Vec<(OpenRun, OwnerId)>, Fault> {
        let reader = self.reader();
        let mut statement = reader.prepare(
            "SELECT run_id, intent_seq, owner FROM runs WHERE outcome_seq IS NULL \
             ORDER BY intent_seq",
        )?;
        let mut rows = statement.query([])?;
        let mut open = Vec::new();
        while let Some(row) = rows.next()? {
            let run = OpenRun {
                run_id: RunId::stored(row.get(0)?)?,
                intent_seq: row.get(1)?,
            };
            open.push((run, OwnerId::stored(row.get(2)?)?));
        }
        Ok(open)
    }
}
