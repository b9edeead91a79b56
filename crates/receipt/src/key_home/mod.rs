// SPDX-License-Identifier: Apache-2.0
//! The folder that holds a signer's own keys and their log.
//!
//! `default.pem` and `default.pub.pem` are the current pair, `<thumbprint>.pem` and
//! `<thumbprint>.pub.pem` those before it, `key-log.jsonl` their log. What changes the folder holds a
//! lock, writes new files whole and durable, and has one moment at which it counts: when the log is
//! replaced. Files that were not renamed then, because the process ended, are renamed by whoever opens
//! the folder next.

mod error;
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
use crate::key_log::{Beginning, KeyLog, KeyState, Revocation};

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
        key_file::check_folder(folder)
            .map_err(|error| KeyHomeError::Access(folder.to_owned(), error))?;
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
        home.finish()?;
        Ok(home)
    }

    /// Returns the keys in a folder that may be missing, without changing or locking anything.
    ///
    /// # Errors
    ///
    /// [`KeyHomeError`].
    pub fn look(folder: &Path) -> Result<Vec<KeyState>, KeyHomeError> {
        let home = Self {
            folder: folder.to_owned(),
            _lock: None,
        };
        home.states()
    }

    /// Makes the first key pair, and begins its log; after the current key was revoked, the next.
    /// Without a passphrase the private key is written in the clear, mode 0600.
    ///
    /// # Errors
    ///
    /// [`KeyHomeError::File`] where there is a current key; see [`KeyHomeError`].
    pub fn generate(
        &self,
        passphrase: Option<&[u8]>,
        at: &str,
    ) -> Result<VerifyingKey, KeyHomeError> {
        let default = self.private(DEFAULT);
        if default.exists() {
            return Err(KeyHomeError::File(default, KeyFileError::Exists));
        }
        let before = self.log()?;
        let key = SigningKey::generate().map_err(KeyHomeError::Key)?;
        let line = match &before {
            None => KeyLog::begin(&key, &new_log_id()?, at, Beginning::Known),
            Some(log) => log.begin_again(&key, at),
        };
        let line = line.map_err(KeyHomeError::Log)?;
        self.write_pair(DEFAULT, &key, passphrase)?;
        self.append(&line)
            .inspect_err(|_| self.remove_pair(DEFAULT))?;
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
        at: &str,
    ) -> Result<VerifyingKey, E> {
        let before = self.log()?;
        let mut given = None;
        let current = self.load_current(before.as_ref(), || {
            let passphrase = passphrase()?;
            given = Some(passphrase.clone());
            Ok::<_, E>(passphrase)
        })?;
        let secret = new_passphrase.or_else(|| given.as_ref().map(|given| given.as_slice()));
        Ok(self.replace(before, &current, secret, old, at)?)
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
        let name = new.verifying_key().thumbprint();
        self.write_pair(&name, &new, passphrase)?;
        self.append(&line)
            .inspect_err(|_| self.remove_pair(&name))?;
        // from here on the new key is the current one
        self.finish()?;
        if old == OldKey::Deleted {
            let file = self.private(&current.verifying_key().thumbprint());
            fs::remove_file(&file).map_err(|error| KeyHomeError::Folder(file, error))?;
        }
        Ok(new.verifying_key())
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
        at: &str,
    ) -> Result<(), E> {
        let before = self.log()?;
        let current = self.load_current(before.as_ref(), passphrase)?;
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
        let Some(text) = self.log_text()? else {
            return Ok(None);
        };
        let log = KeyLog::verify(&text, &KeyLog::roots_named(&text));
        log.map(Some).map_err(KeyHomeError::Log)
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
        let path = self.folder.join(LOG);
        key_file::replace(&path, &text, Access::Owner)
            .map_err(|error| KeyHomeError::File(path, error))
    }

    /// Does what follows from the log, and was not done yet.
    fn finish(&self) -> Result<(), KeyHomeError> {
        let Some(log) = self.log()? else {
            return Ok(());
        };
        if let Some(current) = log.current() {
            let name = current.key.thumbprint();
            if self.private(&name).exists() {
                self.put_aside(&log)?;
                self.rename(&self.private(&name), &self.private(DEFAULT))?;
            }
            if self.public(&name).exists() && self.private(DEFAULT).exists() {
                self.rename(&self.public(&name), &self.public(DEFAULT))?;
            }
        } else if self.public(DEFAULT).exists() {
            self.put_aside(&log)?;
            for file in [self.private(DEFAULT), self.public(DEFAULT)] {
                remove(&file)?;
            }
        }
        Ok(())
    }

    /// Links the pair that is no longer the current one to its own name.
    fn put_aside(&self, log: &KeyLog) -> Result<(), KeyHomeError> {
        let old = self.read_public(DEFAULT)?;
        let is_known = log.states().iter().any(|state| state.key == old);
        if !is_known || log.current().is_some_and(|current| current.key == old) {
            return Err(KeyHomeError::Foreign);
        }
        let name = old.thumbprint();
        for (from, to) in [
            (self.private(DEFAULT), self.private(&name)),
            (self.public(DEFAULT), self.public(&name)),
        ] {
            match fs::hard_link(&from, &to) {
                Err(error) if !is_done(&error) => return Err(KeyHomeError::Folder(to, error)),
                _ => {}
            }
        }
        self.sync()
    }

    fn write_pair(
        &self,
        name: &str,
        key: &SigningKey,
        passphrase: Option<&[u8]>,
    ) -> Result<(), KeyHomeError> {
        let private = match passphrase {
            Some(passphrase) => key.to_encrypted_pem(passphrase),
            None => key.to_pkcs8_pem(),
        };
        let private = private.map_err(KeyHomeError::Key)?;
        let public = key
            .verifying_key()
            .to_spki_pem()
            .map_err(KeyHomeError::Key)?;
        let write = |path: PathBuf, bytes: &[u8], access| {
            key_file::write_new(&path, bytes, access)
                .map_err(|error| KeyHomeError::File(path, error))
        };
        write(self.private(name), private.as_bytes(), Access::Owner)?;
        write(self.public(name), public.as_bytes(), Access::Public).inspect_err(|_| {
            // half a pair is of no use; the file is ours, made a moment ago
            let _removed = fs::remove_file(self.private(name));
        })
    }

    /// Takes back a pair that was written a moment ago and counts for nothing.
    fn remove_pair(&self, name: &str) {
        for file in [self.private(name), self.public(name)] {
            // what stays is a key that nothing names
            let _removed = fs::remove_file(file);
        }
    }

    fn read_public(&self, name: &str) -> Result<VerifyingKey, KeyHomeError> {
        let path = self.public(name);
        let bytes = key_file::read_public(&path)
            .map_err(|error| KeyHomeError::File(path.clone(), error))?;
        VerifyingKey::decode(&bytes).map_err(|error| KeyHomeError::Unusable(path, error))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), KeyHomeError> {
        fs::rename(from, to).map_err(|error| KeyHomeError::Folder(to.to_owned(), error))?;
        self.sync()
    }

    fn sync(&self) -> Result<(), KeyHomeError> {
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| KeyHomeError::Folder(self.folder.clone(), error))
    }

    fn private(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pem"))
    }

    fn public(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pub.pem"))
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

fn remove(file: &Path) -> Result<(), KeyHomeError> {
    match fs::remove_file(file) {
        Err(error) if !is_done(&error) => Err(KeyHomeError::Folder(file.to_owned(), error)),
        _ => Ok(()),
    }
}

/// Whether a link or a removal was done before: by the process that did not come to its end.
fn is_done(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound
    )
}

const DEFAULT: &str = "default";
const LOG: &str = "key-log.jsonl";
