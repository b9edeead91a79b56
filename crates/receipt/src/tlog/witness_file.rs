// SPDX-License-Identifier: Apache-2.0
//! A witness at work: its state in a file, moved on before it signs.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoint, CheckpointError};
use super::cosignature::cosign;
use super::note::NoteError;
use super::witness::{MAX_STATE_BYTES, WitnessRefusal, WitnessRequest, WitnessState};
use crate::{Sign, VerifyingKey};

/// A witness: a name, a key, and a file that holds what it signed last.
#[derive(Clone, Copy)]
pub struct Witness<'a> {
    /// Its name, as verifiers know it.
    pub name: &'a str,
    /// What it signs with; no key of a log.
    pub key: &'a dyn Sign,
    /// Its state's file; it is made where there is none. A lock is held on the file of this name
    /// with `.lock` behind it.
    pub state: &'a Path,
}

impl std::fmt::Debug for Witness<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Witness({})", self.name)
    }
}

impl Witness<'_> {
    /// Checks a checkpoint's signature by one of the `logs`, and that its log only grew; makes the
    /// new state durable; only then signs. Returns the checkpoint with the cosignature.
    ///
    /// `time` is that of the cosignature, in seconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    ///
    /// [`WitnessingError`]; nothing was signed then. The state has moved on only if signing itself
    /// failed, and then the same request is signed when it is asked again.
    pub fn cosign(
        &self,
        request: &WitnessRequest,
        logs: &[VerifyingKey],
        time: u64,
    ) -> Result<String, WitnessingError> {
        let mut opened = Checkpoint::open_by(request.checkpoint.as_bytes(), logs)?;
        if opened.signers.contains(&self.key.verifying_key()) {
            return Err(WitnessingError::OwnLog);
        }
        let lock = lock(&with_suffix(self.state, ".lock")).map_err(WitnessingError::File)?;
        let mut state = match read(self.state).map_err(WitnessingError::File)? {
            None => WitnessState::default(),
            Some(bytes) => WitnessState::parse(&bytes)?,
        };
        state.advance(&opened, request.old, &request.proof)?;
        replace(self.state, state.to_json().as_bytes()).map_err(WitnessingError::File)?;
        cosign(&mut opened, self.name, self.key, time)?;
        drop(lock);
        Ok(opened.note.to_string())
    }
}

/// A checkpoint that a witness did not sign.
#[derive(Debug, thiserror::Error)]
pub enum WitnessingError {
    /// The checkpoint cannot be read or trusted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The file of the witness's state could not be read or written.
    #[error("cannot keep the state of the witness")]
    File(#[source] io::Error),
    /// The cosignature could not be made.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The log's own key would be its witness.
    #[error("a log is no witness of itself; expected another key")]
    OwnLog,
    /// The log did not only grow.
    #[error(transparent)]
    Refused(#[from] WitnessRefusal),
}

impl WitnessingError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Checkpoint(error) => error.code(),
            Self::File(_) => "ERR_LEDGER_WITNESS_STATE",
            Self::Note(error) => error.code(),
            Self::OwnLog => "ERR_LEDGER_WITNESS_KEY",
            Self::Refused(error) => error.code(),
        }
    }
}

/// Waits for the lock; it is let go when the file is closed.
fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    file.lock()?;
    Ok(file)
}

/// Reads the state; `None` when there is none.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let file = match file {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let limit = u64::try_from(MAX_STATE_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Puts bytes in the place of a file: all of them or none, durable on return. The lock keeps the
/// temporary name to one process.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = with_suffix(path, ".tmp");
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
