// SPDX-License-Identifier: Apache-2.0
//! Private keys.

use std::fmt;

use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use zeroize::{Zeroize as _, Zeroizing};

use super::{KeyError, KeyForm, VerifyingKey};

/// An Ed25519 private key (RFC 8032). Its bytes are wiped when it is dropped; it cannot be cloned
/// or serialised, and `Debug` shows its thumbprint only.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Makes a key from the kernel's random source.
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(KeyError::Random)?;
        Ok(Self::from_seed(&seed))
    }

    /// Takes a 32-byte seed (the private key of RFC 8032 section 5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Takes a 32-byte seed followed by its 32-byte public key.
    ///
    /// # Errors
    ///
    /// [`KeyError::PublicHalf`] where the halves do not belong together.
    pub fn from_seed_and_public(bytes: &[u8; 64]) -> Result<Self, KeyError> {
        let Some((seed, public)) = bytes.split_first_chunk::<32>() else {
            return Err(KeyError::PublicHalf);
        };
        let key = Self::from_seed(seed);
        if key.0.verifying_key().as_bytes().as_slice() != public {
            return Err(KeyError::PublicHalf);
        }
        Ok(key)
    }

    /// Reads an unencrypted PKCS#8 PEM, version 1 or 2 (RFC 8410 section 7).
    ///
    /// # Errors
    ///
    /// [`KeyError::Pkcs8`], also where a version 2 key's public half does not match.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let mut pair = KeypairBytes::from_pkcs8_pem(pem.trim_ascii()).map_err(KeyError::Pkcs8)?;
        let key = ed25519_dalek::SigningKey::try_from(&pair);
        pair.secret_key.zeroize();
        key.map(Self).map_err(KeyError::Pkcs8)
    }

    /// Reads a key file's bytes: PKCS#8 PEM, raw 32-byte seed, or raw 64-byte seed and public key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Form`] for the forms of public keys, [`KeyError::Unknown`] for other bytes, and
    /// the errors of the form's own reader.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let Some(form) = KeyForm::detect(bytes) else {
            return Err(KeyError::Unknown(FORMS));
        };
        match form {
            KeyForm::EncryptedPem => Err(KeyError::Encrypted),
            KeyForm::PrivatePem => {
                let pem = std::str::from_utf8(bytes)
                    .ok()
                    .ok_or(KeyError::Unknown(FORMS))?;
                Self::from_pkcs8_pem(pem)
            }
            KeyForm::Raw32 => match bytes.first_chunk() {
                Some(seed) => Ok(Self::from_seed(seed)),
                None => Err(KeyError::Unknown(FORMS)),
            },
            KeyForm::Raw64 => match bytes.first_chunk() {
                Some(both) => Self::from_seed_and_public(both),
                None => Err(KeyError::Unknown(FORMS)),
            },
            KeyForm::Hex | KeyForm::Jwk | KeyForm::PublicPem => Err(KeyError::Form(form, FORMS)),
        }
    }

    /// Returns the key as an unencrypted PKCS#8 PEM, version 1 (without the public half), as
    /// OpenSSL writes it. The text is wiped when it is dropped.
    ///
    /// # Errors
    ///
    /// [`KeyError::Pkcs8`], which a valid key never meets.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let mut pair = KeypairBytes {
            secret_key: self.0.to_bytes(),
            public_key: None,
        };
        let pem = pair.to_pkcs8_pem(LineEnding::LF);
        pair.secret_key.zeroize();
        pem.map_err(KeyError::Pkcs8)
    }

    /// Returns the public key.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::of(&self.0)
    }

    /// Signs `message` (`PureEdDSA`, RFC 8032 section 5.1.6).
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifying_key().thumbprint())
    }
}

const FORMS: &str = "a PKCS#8 PEM, or raw 32 (seed) or 64 (seed and public key) bytes";
