// SPDX-License-Identifier: Apache-2.0
//! Proofs as files (C2SP `tlog-proof`): one entry's place in a log, checkable offline.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{Checkpoint, CheckpointError, OpenedCheckpoint};
use super::hash::{Hash, leaf_hash};
use super::key::NoteKey;
use super::lines;
use super::verify::{ProofError, verify_inclusion};
use crate::VerifyingKey;
use crate::encoding::base64;

/// An entry's place in a log, the hashes from its sibling upwards, and a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Data that nothing vouches for. We write none.
    pub extra: Option<Vec<u8>>,
    /// The place of the leaf, from 0: an entry's number less one.
    pub index: u64,
    /// The inclusion proof.
    pub hashes: Vec<Hash>,
    /// The checkpoint's note, as it stands in the file.
    pub checkpoint: String,
}

impl TlogProof {
    /// Reads a proof; the checkpoint in it is not looked at yet.
    ///
    /// # Errors
    ///
    /// [`TlogProofError::Malformed`], also beyond 2 MiB.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        let text = std::str::from_utf8(bytes).ok();
        text.filter(|text| text.len() <= MAX_BYTES)
            .and_then(Self::read)
            .ok_or(TlogProofError::Malformed)
    }

    fn read(mut text: &str) -> Option<Self> {
        if lines::next(&mut text)? != HEADER {
            return None;
        }
        let mut line = lines::next(&mut text)?;
        let mut extra = None;
        if let Some(data) = line.strip_prefix("extra ") {
            extra = Some(STANDARD.decode(data).ok()?);
            line = lines::next(&mut text)?;
        }
        let index = lines::decimal(line.strip_prefix("index ")?)?;
        let hashes = lines::hashes(&mut text)?;
        Some(Self {
            extra,
            index,
            hashes,
            checkpoint: text.to_owned(),
        })
    }

    /// Checks that the entry with this SHA-256 digest is in the log whose checkpoint a trusted key
    /// signed, at this proof's index. See [`Checkpoint::open`].
    ///
    /// # Errors
    ///
    /// [`TlogProofError::Checkpoint`] and [`TlogProofError::Proof`].
    pub fn verify(
        &self,
        digest: &[u8; 32],
        trusted: &[NoteKey],
    ) -> Result<OpenedCheckpoint, TlogProofError> {
        self.included(
            digest,
            Checkpoint::open(self.checkpoint.as_bytes(), trusted)?,
        )
    }

    /// As [`TlogProof::verify`], with keys that are trusted for any origin. See
    /// [`Checkpoint::open_by`].
    ///
    /// # Errors
    ///
    /// As [`TlogProof::verify`].
    pub fn verify_by(
        &self,
        digest: &[u8; 32],
        keys: &[VerifyingKey],
    ) -> Result<OpenedCheckpoint, TlogProofError> {
        self.included(
            digest,
            Checkpoint::open_by(self.checkpoint.as_bytes(), keys)?,
        )
    }

    fn included(
        &self,
        digest: &[u8; 32],
        opened: OpenedCheckpoint,
    ) -> Result<OpenedCheckpoint, TlogProofError> {
        let (size, root) = (opened.checkpoint.size(), opened.checkpoint.root());
        verify_inclusion(self.index, size, &leaf_hash(digest), &self.hashes, root)?;
        Ok(opened)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", base64(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// A proof that does not prove.
#[derive(Debug, thiserror::Error)]
pub enum TlogProofError {
    /// Its checkpoint cannot be trusted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Not of the form of a proof.
    #[error("not a proof; expected `{HEADER}` and its lines")]
    Malformed,
    /// Its hashes do not lead from the entry to the checkpoint.
    #[error("the proof does not fit the entry and the checkpoint")]
    Proof(#[from] ProofError),
}

impl TlogProofError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Checkpoint(error) => error.code(),
            Self::Malformed => "ERR_LEDGER_NOTE",
            Self::Proof(_) => "ERR_LEDGER_PROOF",
        }
    }
}

const HEADER: &str = "c2sp.org/tlog-proof@v1";
const MAX_BYTES: usize = 1 << 21;
