// SPDX-License-Identifier: Apache-2.0
//! Keys that stay in a token: hardware, or a program such as `SoftHSM`, behind a PKCS#11 module.
//!
//! A [`KeyUri`] (RFC 7512) names module, token and key; [`Pkcs11Key`] signs with it by `CKM_EDDSA`
//! (PKCS#11 3.0). The module is native code that runs in this process: it is loaded only from a path
//! that the URI names and that no one else could have written.

mod module;
mod token;
mod uri;

use std::path::PathBuf;

use cryptoki::error::Error;

use crate::key::KeyError;
use crate::key_file::KeyFileError;

pub use token::Pkcs11Key;
pub use uri::KeyUri;

/// Why a key in a token cannot be used. No variant holds a PIN.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// More than one token or key fits the URI.
    #[error("more than one {0} fits the URI; name it more closely")]
    Ambiguous(&'static str),
    /// The token did not do what it was asked. Names the step.
    #[error("the token failed to {0}")]
    Failed(&'static str, #[source] Error),
    /// The public key is not one of Ed25519.
    #[error("the key in the token is not an Ed25519 key")]
    Key(#[source] Option<Box<KeyError>>),
    /// The module could not be loaded.
    #[error("cannot load the PKCS#11 module `{0}`")]
    Module(PathBuf, #[source] Error),
    /// The module's file could have been written by others, or is no file. Names the path at fault.
    #[error("`{0}` is not a file or folder that only root or this user can write")]
    ModuleUntrusted(PathBuf),
    /// No token or key fits the URI. Names which.
    #[error("no {0} fits the URI")]
    NotFound(&'static str),
    /// The token does not take the PIN. It is not tried again.
    #[error("the token refuses the PIN")]
    Pin(#[source] Error),
    /// The PIN's file could not be read.
    #[error("cannot read the PIN")]
    PinFile(#[source] KeyFileError),
    /// There is no PIN where one is needed, or it is empty or not UTF-8.
    #[error("no PIN; expected a `pin-source` with UTF-8 text")]
    PinMissing,
    /// The token refused the PIN before.
    #[error("the token refused the PIN before; it is not tried again")]
    PinRefused,
    /// The token gave bytes that are not the key's signature over the message.
    #[error("the token gave a wrong signature")]
    Signature,
    /// The URI does not name a key. Says why, without its values.
    #[error("malformed PKCS#11 URI: {0}")]
    Uri(&'static str),
}

impl TokenError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ambiguous(_) | Self::NotFound(_) => "ERR_KEY_TOKEN_NOT_FOUND",
            Self::Failed(..) | Self::Signature => "ERR_KEY_TOKEN_FAILED",
            Self::Key(_) => "ERR_KEY_MALFORMED",
            Self::Module(..) | Self::ModuleUntrusted(_) => "ERR_KEY_MODULE",
            Self::Pin(_) | Self::PinMissing | Self::PinRefused => "ERR_KEY_PIN",
            Self::PinFile(error) => error.code(),
            Self::Uri(_) => "ERR_KEY_URI",
        }
    }
}
