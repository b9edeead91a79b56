// SPDX-License-Identifier: Apache-2.0
//! Where passphrases come from. Never from an argument: command lines are read by others.

use std::io;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::key::KeyError;
use crate::key_file::{self, KeyFileError};
use crate::key_home::{KeyHomeError, Passphrase};

/// Where a passphrase is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassphraseSource {
    /// An environment variable, by name.
    Environment(String),
    /// A file that only its owner may read; one line feed at its end is not part of it.
    File(PathBuf),
    /// Nowhere.
    Nowhere,
    /// The terminal, asked without echo.
    Terminal,
}

/// What is asked of whoever sits at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The passphrase of a key that is there.
    Existing,
    /// The passphrase of a key that is made: asked twice.
    New,
}

impl PassphraseSource {
    /// Reads the passphrase.
    ///
    /// # Errors
    ///
    /// [`PassphraseError`].
    pub fn read(&self, question: Question) -> Result<Passphrase, PassphraseError> {
        let bytes = match self {
            Self::Environment(name) => match std::env::var_os(name) {
                Some(value) => Zeroizing::new(value.into_encoded_bytes()),
                None => return Err(PassphraseError::Unset(name.clone())),
            },
            Self::File(path) => {
                let bytes = key_file::read_private(path)
                    .map_err(|error| PassphraseError::File(path.clone(), error))?;
                Zeroizing::new(bytes.strip_suffix(b"\n").unwrap_or(&bytes).to_vec())
            }
            Self::Nowhere => return Err(PassphraseError::Key(KeyError::Encrypted)),
            Self::Terminal => ask(question)?,
        };
        if bytes.is_empty() {
            return Err(PassphraseError::Key(KeyError::EmptyPassphrase));
        }
        if bytes.len() > MAX_BYTES {
            return Err(PassphraseError::TooLong);
        }
        Ok(bytes)
    }
}

fn ask(question: Question) -> Result<Passphrase, PassphraseError> {
    let prompt = |words: &str| {
        let line = rpassword::prompt_password(words).map_err(PassphraseError::Terminal)?;
        Ok::<_, PassphraseError>(Zeroizing::new(line.into_bytes()))
    };
    match question {
        Question::Existing => prompt("Passphrase of the signing key: "),
        Question::New => {
            let first = prompt("Passphrase for the new key: ")?;
            if *first == *prompt("The same again: ")? {
                Ok(first)
            } else {
                Err(PassphraseError::Differ)
            }
        }
    }
}

/// Why there is no passphrase. None of these holds one.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// The two that were typed are not the same.
    #[error("the two passphrases differ")]
    Differ,
    /// The file could not be read.
    #[error("`{0}`")]
    File(PathBuf, #[source] KeyFileError),
    /// There is none, or it is empty.
    #[error(transparent)]
    Key(KeyError),
    /// There is no terminal to ask on.
    #[error("cannot ask for the passphrase on a terminal")]
    Terminal(#[source] io::Error),
    /// It is longer than 1024 bytes.
    #[error("passphrase is longer than 1024 bytes")]
    TooLong,
    /// The environment variable is not set.
    #[error("environment variable `{0}` is not set")]
    Unset(String),
}

impl PassphraseError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Differ | Self::TooLong | Self::Unset(_) => "ERR_KEY_PASSPHRASE",
            Self::File(_, error) => error.code(),
            Self::Key(error) => error.code(),
            Self::Terminal(_) => "ERR_KEY_ENCRYPTED",
        }
    }
}

/// Why a key could not be unlocked: for want of the passphrase, or for its own sake.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The folder of keys, or a key in it.
    #[error(transparent)]
    Home(#[from] KeyHomeError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
}

impl UnlockError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Home(error) => error.code(),
            Self::Key(error) => error.code(),
            Self::Passphrase(error) => error.code(),
        }
    }
}

const MAX_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_passphrase_comes_from_a_file_that_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        let read = |text: &str, mode: u32| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let read = PassphraseSource::File(path.clone()).read(Question::Existing);
            read.map(|bytes| bytes.to_vec())
                .map_err(|error| error.code())
        };
        assert_eq!(read("secret\n", 0o600), Ok(b"secret".to_vec()));
        assert_eq!(read(" secret \n\n", 0o400), Ok(b" secret \n".to_vec()));
        assert_eq!(read("secret", 0o644), Err("ERR_KEY_FILE_PERMISSIONS"));
        assert_eq!(read("\n", 0o600), Err("ERR_KEY_PASSPHRASE"));
        assert_eq!(read(&"x".repeat(1025), 0o600), Err("ERR_KEY_PASSPHRASE"));
    }

    #[test]
    fn a_passphrase_comes_from_a_variable_or_is_missing() {
        let read = |source: PassphraseSource| {
            let read = source.read(Question::New);
            read.map(|bytes| bytes.to_vec())
                .map_err(|error| error.code())
        };
        // a variable that cargo sets for every test
        let name = env!("CARGO_PKG_NAME").as_bytes().to_vec();
        let variable = |name: &str| PassphraseSource::Environment(name.to_owned());
        assert_eq!(read(variable("CARGO_PKG_NAME")), Ok(name));
        assert_eq!(read(variable("AMBIT_NOT_SET")), Err("ERR_KEY_PASSPHRASE"));
        assert_eq!(read(PassphraseSource::Nowhere), Err("ERR_KEY_ENCRYPTED"));
    }
}
