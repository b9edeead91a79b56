// SPDX-License-Identifier: Apache-2.0
//! What signs: a key in this process, or one that never leaves its token.

use super::{KeyError, SigningKey, VerifyingKey};

/// Whatever makes Ed25519 signatures under one public key.
///
/// Everything that signs takes `&dyn Sign`, so that a private key need not be in this process.
pub trait Sign: Send + Sync {
    /// Returns the public key. It never changes.
    fn verifying_key(&self) -> VerifyingKey;

    /// Signs `message` (`PureEdDSA`, RFC 8032 section 5.1.6).
    ///
    /// # Errors
    ///
    /// Those of the key's keeper: a key in this process has none.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError>;
}

impl Sign for SigningKey {
    fn verifying_key(&self) -> VerifyingKey {
        self.verifying_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        Ok(self.sign(message))
    }
}
