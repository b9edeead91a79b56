// SPDX-License-Identifier: Apache-2.0
//! The folder that holds a signer's own keys and their log.
//!
//! `default.pem` and `default.pub.pem` are the current pair, `<thumbprint>.pem` and
//! `<thumbprint>.pub.pem` those before it, `key-log.jsonl` their log. What changes the folder holds a
//! lock, writes new files whole and durable, and has one moment at which it counts: when the log is
//! replaced. Files that were not renamed then, because the process ended, are renamed by whoever opens
//! the folder next.

mod error;
mod files;
#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::encoding::hex;
use crate::key::{KeyError, SigningKey, VerifyingKey};
use crate::key_file::{self, Access, KeyFileError};
use crate::key_log::{Beginning, KeyLog, KeyLogError, KeyState, MAX_LOG_BYTES, Revocation};

pub use error::KeyHomeError;

/// A passphrase, wiped when it is dropped.
pub type Passphrase = Zeroizing<Vec<u8>>;

/// The folder of a signer's own keys, locked for this value's life.
#[derive(Debug)]
pub struct KeyHome {
    folder: PathBuf,
    /// None for a look without changes.
    _lock: Option<File>,
}

/// What becomes of a private key that was rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKey {
    /// Its file is removed.
    Deleted,
    /// It is kept under its thumbprint.
    Kept,
}

impl KeyHome {
    /// Opens the folder, making it (mode 0700) where it is missing, and waits for its lock.
    ///
    /// # Errors
    ///
    /// [`KeyHomeError::Folder`], [`KeyHomeError::Access`] where others have rights to the folder, and
    /// those of finishing what another process began.
    pub fn open(folder: &Path) -> Result<Self, KeyHomeError> {
        let at = |error| KeyHomeError::Folder(folder.to_owned(), error);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(at)?;
        check_access(folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(folder.join(".lock"))
            .map_err(at)?;
        lock.lock().map_err(at)?;
        let home = Self {
            folder: folder.to_owned(),
            _lock: Some(lock),
        };
        home.sweep()?;
        home.finish()?;
        Ok(home)
    }

    /// Returns the keys in a folder that may be missing, without changing or locking anything.
    ///
    /// # Errors
    ///
    /// [`KeyHomeError`].
    pub fn look(folder: &Path) -> Result<Vec<KeyState>, KeyHomeError> {
        Self::to_look_at(folder)?.map_or_else(|| Ok(Vec::new()), |home| home.states())
    }

    /// Returns the text of the verified log in a folder, for others to follow.
    ///
    /// # Errors
    ///
    /// [`KeyHomeError::NoLog`]; see [`KeyHomeError`].
    pub fn look_at_log(folder: &Path) -> Result<String, KeyHomeError> {
        let home = Self::to_look_at(folder)?.ok_or(KeyHomeError::NoLog)?;
        let text = home.log_text()?.ok_or(KeyHomeError::NoLog)?;
        verified(&text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn to_look_at(folder: &Path) -> Result<Option<Self>, KeyHomeError> {
        if !is_there(folder) {
            return Ok(None);
        }
        check_access(folder)?;
        Ok(Some(Self {
            folder: folder.to_owned(),
            _lock: None,
        }))
    }

    /// Makes the first key pair, and begins its log; after the current key was revoked, the next.
    /// Without a passphrase the private key is written in the clear, mode 0600.
    ///
    /// `now`, here and below, is asked for the time (UTC, milliseconds) once all else is at hand: waiting
    /// for a lock or a passphrase does not date the event back.
    ///
    /// # Errors
    ///
    /// [`KeyHomeError::File`] where there is a current key; see [`KeyHomeError`].
    pub fn generate(
        &self,
        passphrase: Option<&[u8]>,
        now: impl FnOnce() -> String,
    ) -> Result<VerifyingKey, KeyHomeError> {
        for file in [self.private(DEFAULT), self.public(DEFAULT)] {
            if is_there(&file) {
                return Err(KeyHomeError::File(file, KeyFileError::Exists));
            }
        }
        let before = self.log()?;
        let key = SigningKey::generate().map_err(KeyHomeError::Key)?;
        let at = now();
        let line = match &before {
            None => KeyLog::begin(&key, &new_log_id()?, &at, Beginning::Known),
            Some(log) => log.begin_again(&key, &at),
        };
        let line = line.map_err(KeyHomeError::Log)?;
        self.introduce(&key, passphrase, &line)?;
        Ok(key.verifying_key())
    }

    /// Loads the current private key. `passphrase` is called where it is encrypted.
    ///
    /// # Errors
    ///
    /// [`KeyHomeError::Revoked`], [`KeyHomeError::Foreign`] where the key is not the one that the log
    /// says or not that of its public half beside it; see [`KeyHomeError`].
    pub fn load<E: From<KeyHomeError>>(
        &self,
        passphrase: impl FnOnce() -> Result<Passphrase, E>,
    ) -> Result<SigningKey, E> {
        let log = self.log()?;
        self.load_current(log.as_ref(), passphrase)
    }

    /// Makes a new key that takes the place of the current one, and returns it. A log is begun where
    /// there is none yet.
    ///
    /// The new private key is written under `new_passphrase`; without one, under the passphrase of the
    /// old one, if that has one.
    ///
    /// # Errors
    ///
    /// [`KeyHomeError`]; the old key is the current one then.
    pub fn rotate<E: From<KeyHomeError>>(
        &self,
        passphrase: impl FnOnce() -> Result<Passphrase, E>,
        new_passphrase: Option<&[u8]>,
        old: OldKey,
        now: impl FnOnce() -> String,
    ) -> Result<VerifyingKey, E> {
        let before = self.log()?;
        let mut given = None;
        let current = self.load_current(before.as_ref(), || {
            let passphrase = passphrase()?;
            given = Some(passphrase.clone());
            Ok::<_, E>(passphrase)
        })?;
        let secret = new_passphrase.or_else(|| given.as_ref().map(|given| given.as_slice()));
        Ok(self.replace(before, &current, secret, old, &now())?)
    }

    fn replace(
        &self,
        before: Option<KeyLog>,
        current: &SigningKey,
        passphrase: Option<&[u8]>,
        old: OldKey,
        at: &str,
    ) -> Result<VerifyingKey, KeyHomeError> {
        let log = match before {
            Some(log) => log,
            None => self.adopt(current, at)?,
        };
        let new = SigningKey::generate().map_err(KeyHomeError::Key)?;
        let line = log.rotate(current, &new, at).map_err(KeyHomeError::Log)?;
        self.introduce(&new, passphrase, &line)?;
        if old == OldKey::Deleted {
            let file = self.private(&current.verifying_key().thumbprint());
            fs::remove_file(&file).map_err(|error| KeyHomeError::Folder(file, error))?;
        }
        Ok(new.verifying_key())
    }

    /// Makes `key` the current one: it is so from the moment when `line` is in the log.
    fn introduce(
        &self,
        key: &SigningKey,
        passphrase: Option<&[u8]>,
        line: &[u8],
    ) -> Result<(), KeyHomeError> {
        let name = key.verifying_key().thumbprint();
        self.write_pair(&name, key, passphrase)?;
        self.append(line).inspect_err(|_| self.remove_pair(&name))?;
        self.finish()
    }

    /// Revokes a key from a time on. A revoked current key is put aside: nothing is signed with it any
    /// more, and [`KeyHome::generate`] makes the next.
    ///
    /// # Errors
    ///
    /// [`KeyHomeError`].
    pub fn revoke<E: From<KeyHomeError>>(
        &self,
        passphrase: impl FnOnce() -> Result<Passphrase, E>,
        revocation: &Revocation<'_>,
        now: impl FnOnce() -> String,
    ) -> Result<(), E> {
        let before = self.log()?;
        let current = self.load_current(before.as_ref(), passphrase)?;
        let at = &now();
        let log = match before {
            Some(log) => log,
            None => self.adopt(&current, at)?,
        };
        let line = log.revoke(&current, revocation, at);
        self.append(&line.map_err(KeyHomeError::Log)?)?;
        Ok(self.finish()?)
    }

    /// Returns every own key with its times, oldest first. A key without a log has none.
    ///
    /// # Errors
    ///
    /// [`KeyHomeError`].
    pub fn states(&self) -> Result<Vec<KeyState>, KeyHomeError> {
        if let Some(log) = self.log()? {
            return Ok(log.states().to_vec());
        }
        match self.read_public(DEFAULT) {
            Ok(key) => Ok(vec![KeyState::of(key)]),
            Err(error) if error.is_missing() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Returns the verified log, if there is one. This folder is its own trust root: the keys that its
    /// log begins with are believed, since whoever can change it holds the keys too.
    ///
    /// # Errors
    ///
    /// [`KeyHomeError::Log`] and [`KeyHomeError::File`].
    pub fn log(&self) -> Result<Option<KeyLog>, KeyHomeError> {
        let text = self.log_text()?;
        text.map(|text| verified(&text)).transpose()
    }

    fn log_text(&self) -> Result<Option<Vec<u8>>, KeyHomeError> {
        let path = self.folder.join(LOG);
        match key_file::read_log(&path) {
            Ok(text) => Ok(Some(text)),
            Err(KeyFileError::Open(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeyHomeError::File(path, error)),
        }
    }

    fn load_current<E: From<KeyHomeError>>(
        &self,
        log: Option<&KeyLog>,
        passphrase: impl FnOnce() -> Result<Passphrase, E>,
    ) -> Result<SigningKey, E> {
        if log.is_some_and(|log| log.current().is_none()) {
            return Err(KeyHomeError::Revoked.into());
        }
        let path = self.private(DEFAULT);
        let bytes = key_file::read_private(&path)
            .map_err(|error| KeyHomeError::File(path.clone(), error))?;
        let given = || passphrase().map_err(Failed::Other);
        let key = SigningKey::decode_with(&bytes, given).map_err(|failed| match failed {
            Failed::Key(error) => KeyHomeError::Unusable(path, error).into(),
            Failed::Other(error) => error,
        })?;
        // Encrypted PKCS#8 has no checksum of its own: a damaged one can hold another key.
        let public = key.verifying_key();
        let expected = match log.and_then(KeyLog::current) {
            Some(state) => state.key,
            None => match self.read_public(DEFAULT) {
                Err(error) if error.is_missing() => public,
                read => read?,
            },
        };
        if public != expected {
            return Err(KeyHomeError::Foreign.into());
        }
        Ok(key)
    }

    /// Begins a log for a key that was there before it.
    fn adopt(&self, key: &SigningKey, at: &str) -> Result<KeyLog, KeyHomeError> {
        // Before, so that what follows at the same time has something to follow.
        let line = KeyLog::begin(key, &new_log_id()?, at, Beginning::Unknown);
        self.append(&line.map_err(KeyHomeError::Log)?)?;
        self.log()?.ok_or(KeyHomeError::Foreign)
    }

    /// Writes the log anew with a line behind it: all of it or nothing, durable on return.
    fn append(&self, line: &[u8]) -> Result<(), KeyHomeError> {
        let mut text = self.log_text()?.unwrap_or_default();
        text.extend_from_slice(line);
        if text.len() > MAX_LOG_BYTES {
            return Err(KeyHomeError::Log(KeyLogError::TooLarge));
        }
        let path = self.folder.join(LOG);
        key_file::replace(&path, &text, Access::Owner)
            .map_err(|error| KeyHomeError::File(path, error))
    }
}

/// A key that could not be decoded, or whose passphrase could not be had.
enum Failed<E> {
    Key(KeyError),
    Other(E),
}

impl<E> From<KeyError> for Failed<E> {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

fn new_log_id() -> Result<String, KeyHomeError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| KeyHomeError::Key(KeyError::Random(error)))?;
    Ok(hex(&id))
}

/// Reads the log of one's own keys, which is its own root.
fn verified(text: &[u8]) -> Result<KeyLog, KeyHomeError> {
    KeyLog::verify(text, &KeyLog::roots_named(text)).map_err(KeyHomeError::Log)
}

fn check_access(folder: &Path) -> Result<(), KeyHomeError> {
    let checked = key_file::check_folder(folder);
    checked.map_err(|error| KeyHomeError::Access(folder.to_owned(), error))
}

/// Whether there is anything, be it a link to nothing.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

const DEFAULT: &str = "default";
const LOG: &str = "key-log.jsonl";
