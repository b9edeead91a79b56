// SPDX-License-Identifier: Apache-2.0
//! Checkpoints (C2SP `tlog-checkpoint`): signed notes that name a log, its size and its root.

use super::hash::{EMPTY_ROOT, Hash};
use super::key::NoteKey;
use super::lines;
use super::note::{Note, NoteError};
use crate::encoding::base64;
use crate::{KeyError, Sign, VerifyingKey};

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

/// A checkpoint whose signature by its log was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The note, with all its signatures: those of witnesses are not checked yet.
    pub note: Note,
    /// The trusted keys of the log that signed it, one or more.
    pub signers: Vec<VerifyingKey>,
}

impl Checkpoint {
    /// States that the log `origin` has `size` leaves and this root.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Origin`] for an origin that is empty, or has white space, control
    /// characters or `+` in it; [`CheckpointError::Root`] for a root of no leaves that is not
    /// [`EMPTY_ROOT`].
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        if !super::key::is_name(origin) {
            return Err(CheckpointError::Origin);
        }
        if size == 0 && root != EMPTY_ROOT {
            return Err(CheckpointError::Root);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            extensions: Vec::new(),
        })
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Malformed`] for anything but an origin, a decimal size, a root in base64
    /// and extension lines, none of them empty; [`CheckpointError::Root`] as [`Checkpoint::new`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        Self::read(text)
            .ok_or(CheckpointError::Malformed)
            .and_then(|read| {
                if read.size == 0 && read.root != EMPTY_ROOT {
                    return Err(CheckpointError::Root);
                }
                Ok(read)
            })
    }

    fn read(mut text: &str) -> Option<Self> {
        let origin = lines::next(&mut text).filter(|line| !line.is_empty())?;
        let size = lines::decimal(lines::next(&mut text)?)?;
        let root = lines::hash(lines::next(&mut text)?)?;
        let mut extensions = Vec::new();
        while !text.is_empty() {
            let line = lines::next(&mut text).filter(|line| !line.is_empty())?;
            extensions.push(line.to_owned());
        }
        Some(Self {
            origin: origin.to_owned(),
            size,
            root,
            extensions,
        })
    }

    /// Reads a checkpoint and checks that its log signed it: a trusted key whose name is the
    /// checkpoint's origin.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Note`] for a note that cannot be read or that no such key signed, and as
    /// [`Checkpoint::parse`].
    pub fn open(note: &[u8], trusted: &[NoteKey]) -> Result<OpenedCheckpoint, CheckpointError> {
        let note = Note::parse(note)?;
        let checkpoint = Self::parse(note.text())?;
        let of_log = |key: &&NoteKey| key.name() == checkpoint.origin;
        let trusted: Vec<NoteKey> = trusted.iter().filter(of_log).cloned().collect();
        let signers = note.verify(&trusted)?;
        let signers = signers.into_iter().map(|key| *key.key()).collect();
        Ok(OpenedCheckpoint {
            checkpoint,
            note,
            signers,
        })
    }

    /// Reads a checkpoint and checks that one of these keys signed it in the name of its origin,
    /// whatever that is: the caller compares [`Checkpoint::origin`] with the log that it means.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::open`].
    pub fn open_by(
        note: &[u8],
        keys: &[VerifyingKey],
    ) -> Result<OpenedCheckpoint, CheckpointError> {
        let parsed = Note::parse(note)?;
        let origin = Self::parse(parsed.text())?.origin;
        let trusted = keys.iter().map(|key| NoteKey::ed25519(&origin, *key));
        let trusted: Vec<NoteKey> = trusted
            .collect::<Result<_, _>>()
            .ok()
            .ok_or(CheckpointError::Origin)?;
        Self::open(note, &trusted)
    }

    /// Returns the checkpoint as a note that `key` signed in the name of its origin.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Note`] where the key cannot sign.
    pub fn sign(&self, key: &dyn Sign) -> Result<String, CheckpointError> {
        let mut note = Note::new(self.text())?;
        note.sign(&self.origin, key)?;
        Ok(note.to_string())
    }

    /// Returns the text that is signed.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, base64(&self.root));
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Returns the name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Returns the root of the tree over them.
    pub const fn root(&self) -> &Hash {
        &self.root
    }

    /// Returns the lines after the root. We write none, and nothing is concluded from them.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

/// Returns the origin of a ledger's checkpoints: `ambit-ledger/` and the ledger's id.
pub fn ledger_origin(ledger_id: &str) -> String {
    format!("ambit-ledger/{ledger_id}")
}

/// A checkpoint that cannot be made, read or trusted.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Not the text of a checkpoint.
    #[error("not a checkpoint; expected origin, size and root")]
    Malformed,
    /// Its note cannot be read, signed or trusted.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// An origin that we do not write.
    #[error("malformed origin; accepted: text without white space and `+`")]
    Origin,
    /// A log without leaves has one root.
    #[error("the root is not that of a log without entries")]
    Root,
}

impl CheckpointError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed | Self::Origin | Self::Root => "ERR_LEDGER_NOTE",
            Self::Note(error) => error.code(),
        }
    }
}

impl NoteError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed | Self::Name | Self::TooLarge => "ERR_LEDGER_NOTE",
            Self::Sign(error) => KeyError::code(error),
            Self::Signature { .. } | Self::Unsigned => "ERR_LEDGER_NOTE_SIGNATURE",
        }
    }
}
