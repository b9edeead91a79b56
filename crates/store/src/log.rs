// SPDX-License-Identifier: Apache-2.0
//! What a ledger shows of itself to others: one entry, its growth, all of its log.

use std::io;
use std::path::Path;

use ambit_receipt::tlog::{
    Checkpoint, Comparison, Completeness, Note, TileFolder, TlogProof, WitnessRequest, leaf_hash,
    ledger_origin, verify_inclusion,
};

use crate::checkpoint::{LogError, StoredCheckpoint};
use crate::entry::Entry;
use crate::ledger::Ledger;

impl Ledger {
    /// Proves an entry in a checkpoint of this ledger: in `note`, which may carry cosignatures, or
    /// in the latest one. What is returned was checked, signatures aside.
    ///
    /// # Errors
    /// [`LogError::NoCheckpoint`]; [`LogError::Uncovered`] for an entry that came after it;
    /// [`LogError::Foreign`] for a note of another log, and [`LogError::Proof`] for one of another
    /// history of this; [`LogError::Note`] for what is no checkpoint; as [`Ledger::inclusion_proof`].
    pub fn prove(&self, entry: &Entry, note: Option<&str>) -> Result<TlogProof, LogError> {
        let note = match note {
            Some(note) => note.to_owned(),
            None => self.newest()?.note,
        };
        let checkpoint = self.own(&note)?;
        let (seq, size) = (entry.seq, checkpoint.size());
        if seq > size {
            return Err(LogError::Uncovered { seq, size });
        }
        let hashes = self.inclusion_proof(seq, size)?;
        let (index, leaf) = (seq.saturating_sub(1), leaf_hash(&entry.digest));
        verify_inclusion(index, size, &leaf, &hashes, checkpoint.root())?;
        Ok(TlogProof {
            extra: None,
            index,
            hashes,
            checkpoint: note,
        })
    }

    /// Returns what a witness that last saw `old` entries needs to sign the latest checkpoint.
    ///
    /// # Errors
    /// [`LogError::NoCheckpoint`], and as [`Ledger::consistency_proof`].
    pub fn witness_request(&self, old: u64) -> Result<WitnessRequest, LogError> {
        let newest = self.newest()?;
        let proof = if old == 0 {
            Vec::new()
        } else {
            self.consistency_proof(old, newest.size)?
        };
        Ok(WitnessRequest {
            old,
            proof,
            checkpoint: newest.note,
        })
    }

    /// Writes the log of the latest checkpoint as tiles into a new folder, which appears whole or
    /// not at all. Returns the checkpoint.
    ///
    /// # Errors
    /// [`LogError::NoCheckpoint`]; [`LogError::Tiles`] when the files cannot be written, or the
    /// entries are not those of the checkpoint; as [`Ledger::digests_after`].
    pub fn export_tiles(&self, folder: &Path) -> Result<StoredCheckpoint, LogError> {
        let newest = self.newest()?;
        let mut writer = TileFolder::create(folder).map_err(LogError::Tiles)?;
        let (mut left, mut failed) = (newest.size, None);
        self.digests_after(0, |digest| {
            failed = writer.push(digest).err();
            left = left.saturating_sub(1);
            Ok(left > 0 && failed.is_none())
        })?;
        if let Some(error) = failed {
            return Err(LogError::Tiles(error));
        }
        writer
            .finish(&newest.note, &newest.root)
            .map_err(LogError::Tiles)?;
        Ok(newest)
    }

    /// Compares the entries with a checkpoint that was kept elsewhere and whose signature was
    /// checked.
    ///
    /// # Errors
    /// [`LogError::Foreign`] for a checkpoint of another log; as [`Ledger::digests_after`].
    pub fn compare(&self, held: &Checkpoint) -> Result<Completeness, LogError> {
        self.check_origin(held)?;
        let own = self.latest_checkpoint()?;
        let mut comparison = Comparison::new(held);
        self.digests_after(0, |digest| comparison.push(digest).map(|()| true))?;
        Ok(comparison.finish(Some(own.map_or(0, |own| own.size))))
    }

    fn newest(&self) -> Result<StoredCheckpoint, LogError> {
        self.latest_checkpoint()?.ok_or(LogError::NoCheckpoint)
    }

    fn own(&self, note: &str) -> Result<Checkpoint, LogError> {
        let note = Note::parse(note.as_bytes()).map_err(|error| LogError::Note(error.into()))?;
        let checkpoint = Checkpoint::parse(note.text())?;
        self.check_origin(&checkpoint)?;
        Ok(checkpoint)
    }

    fn check_origin(&self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        if checkpoint.origin() == ledger_origin(self.id().as_str()) {
            return Ok(());
        }
        Err(LogError::Foreign {
            origin: checkpoint.origin().escape_debug().take(80).collect(),
        })
    }
}

/// Returns the code of files that could not be written.
pub(crate) fn tiles_code(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::AlreadyExists {
        "ERR_LEDGER_EXISTS"
    } else if error.kind() == io::ErrorKind::InvalidData {
        "ERR_LEDGER_CORRUPT"
    } else {
        "ERR_LEDGER_WRITE"
    }
}
