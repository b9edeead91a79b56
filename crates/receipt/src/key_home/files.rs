// SPDX-License-Identifier: Apache-2.0
//! The files of the folder: where they are, and how they follow what the log says.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{DEFAULT, KeyHome, KeyHomeError, is_there};
use crate::key::{SigningKey, VerifyingKey};
use crate::key_file::{self, Access};
use crate::key_log::KeyLog;

impl KeyHome {
    /// Does what follows from the log, and was not done yet.
    pub(super) fn finish(&self) -> Result<(), KeyHomeError> {
        let Some(log) = self.log()? else {
            return Ok(());
        };
        if let Some(current) = log.current() {
            let name = current.key.thumbprint();
            if self.private(&name).exists() {
                if is_there(&self.private(DEFAULT)) || is_there(&self.public(DEFAULT)) {
                    self.put_aside(&log)?;
                }
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

    /// Removes half-written files, which can hold private keys, of processes that ended. Nobody else
    /// writes here while the lock is held.
    pub(super) fn sweep(&self) -> Result<(), KeyHomeError> {
        let at = |error| KeyHomeError::Folder(self.folder.clone(), error);
        for entry in fs::read_dir(&self.folder).map_err(at)? {
            let entry = entry.map_err(at)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') && name.ends_with(".tmp") {
                remove(&entry.path())?;
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

    pub(super) fn write_pair(
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
    pub(super) fn remove_pair(&self, name: &str) {
        for file in [self.private(name), self.public(name)] {
            // what stays is a key that nothing names
            let _removed = fs::remove_file(file);
        }
    }

    pub(super) fn read_public(&self, name: &str) -> Result<VerifyingKey, KeyHomeError> {
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

    pub(super) fn private(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pem"))
    }

    pub(super) fn public(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pub.pem"))
    }
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
