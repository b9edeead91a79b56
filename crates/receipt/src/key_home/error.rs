// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with the folder of a signer's own keys.

use std::io;
use std::path::PathBuf;

use crate::key::KeyError;
use crate::key_file::KeyFileError;
use crate::key_log::KeyLogError;

/// Why a signer's keys could not be used or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyHomeError {
    /// The folder is not its owner's alone.
    #[error("`{0}` must be a folder of this user alone, mode 0700")]
    Access(PathBuf, #[source] KeyFileError),
    /// A file could not be read or written.
    #[error("`{0}`")]
    File(PathBuf, #[source] KeyFileError),
    /// A file or folder could not be changed.
    #[error("cannot change `{0}`")]
    Folder(PathBuf, #[source] io::Error),
    /// The key file holds another key than its log or its public half says.
    #[error("`default.pem` is not the key that its log, or the public key beside it, says")]
    Foreign,
    /// A key could not be made.
    #[error("cannot make a key")]
    Key(#[source] KeyError),
    /// The log is not to be believed, or does not take the event.
    #[error("key log")]
    Log(#[source] KeyLogError),
    /// There is no log: no key was ever made, or it was never rotated since there are logs.
    #[error("there is no key log; `ambit keys generate` and `ambit keys rotate` begin one")]
    NoLog,
    /// The current key was revoked, and there is no other yet.
    #[error("the signing key was revoked; make another with `ambit keys generate`")]
    Revoked,
    /// A file holds no usable key.
    #[error("`{0}`")]
    Unusable(PathBuf, #[source] KeyError),
}

impl KeyHomeError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Access(_, error) | Self::File(_, error) => error.code(),
            Self::Folder(..) => "ERR_KEY_FILE_UNWRITABLE",
            Self::Foreign => "ERR_KEY_FOREIGN",
            Self::Key(error) | Self::Unusable(_, error) => error.code(),
            Self::Log(error) => error.code(),
            Self::NoLog => "ERR_KEY_MISSING",
            Self::Revoked => "ERR_KEY_REVOKED",
        }
    }

    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::File(_, KeyFileError::Open(error))
            if error.kind() == io::ErrorKind::NotFound)
    }
}
