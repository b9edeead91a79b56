// SPDX-License-Identifier: Apache-2.0
//! Private keys.

use std::fmt;

use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::spki::der::SecretDocument;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use zeroize::{Zeroize as _, Zeroizing};

use super::{KeyError, KeyForm, VerifyingKey, jwk};
use crate::encoding::from_hex;

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
        let key = Self::from_pair(&pair);
        pair.secret_key.zeroize();
        key
    }

    /// Takes a decoded PKCS#8 key. Wiping the pair is the caller's.
    pub(super) fn from_pair(pair: &KeypairBytes) -> Result<Self, KeyError> {
        let key = ed25519_dalek::SigningKey::try_from(pair);
        key.map(Self).map_err(KeyError::Pkcs8)
    }

    /// Reads 64 hex digits of a seed, in either case.
    ///
    /// # Errors
    ///
    /// [`KeyError::Hex`].
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let lower = Zeroizing::new(text.to_ascii_lowercase());
        let seed = Zeroizing::new(from_hex::<32>(&lower).ok_or(KeyError::Hex)?);
        Ok(Self::from_seed(&seed))
    }

    /// Reads a private JWK (RFC 8037 section 2): the members of a public one, and the seed as `d`,
    /// which must be that of the public key `x`.
    ///
    /// # Errors
    ///
    /// Those of [`VerifyingKey::from_jwk`], and [`KeyError::PublicHalf`] where `x` is not the public
    /// key of `d`.
    pub fn from_jwk(text: &[u8]) -> Result<Self, KeyError> {
        let jwk = jwk::read(text)?;
        let seed = Zeroizing::new(jwk.private.ok_or(KeyError::JwkMember("d"))?);
        let key = Self::from_seed(&seed);
        if key.verifying_key() != jwk.public {
            return Err(KeyError::PublicHalf);
        }
        Ok(key)
    }

    /// Reads a key file's bytes: PKCS#8 PEM, private JWK, a seed as 64 hex digits or 32 raw bytes, or
    /// raw 64-byte seed and public key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Encrypted`] for a key that needs a passphrase, [`KeyError::Form`] for the forms of
    /// public keys, [`KeyError::Unknown`] for other bytes, and the errors of the form's own reader.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::decode_with(bytes, || Err(KeyError::Encrypted))
    }

    /// Reads a key file's bytes, and those of an encrypted PKCS#8 PEM too: `passphrase` is called for
    /// such a one only.
    ///
    /// # Errors
    ///
    /// Those of [`SigningKey::decode`], of [`SigningKey::from_encrypted_pem`] and of `passphrase`.
    pub fn decode_with<E: From<KeyError>>(
        bytes: &[u8],
        passphrase: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<Self, E> {
        if KeyForm::detect(bytes) != Some(KeyForm::EncryptedPem) {
            return Ok(Self::decode_plain(bytes)?);
        }
        let pem = std::str::from_utf8(bytes).ok();
        let pem = pem.ok_or(KeyError::Unknown(FORMS))?;
        Ok(Self::from_encrypted_pem(pem, &passphrase()?)?)
    }

    fn decode_plain(bytes: &[u8]) -> Result<Self, KeyError> {
        let Some(form) = KeyForm::detect(bytes) else {
            return Err(KeyError::Unknown(FORMS));
        };
        let text = || {
            let text = std::str::from_utf8(bytes).ok();
            text.ok_or(KeyError::Unknown(FORMS))
        };
        match form {
            KeyForm::EncryptedPem => Err(KeyError::Encrypted),
            KeyForm::Hex => Self::from_hex(text()?.trim_ascii()),
            KeyForm::Jwk => Self::from_jwk(bytes),
            KeyForm::PrivatePem => Self::from_pkcs8_pem(text()?),
            KeyForm::Raw32 => match bytes.first_chunk() {
                Some(seed) => Ok(Self::from_seed(seed)),
                None => Err(KeyError::Unknown(FORMS)),
            },
            KeyForm::Raw64 => match bytes.first_chunk() {
                Some(both) => Self::from_seed_and_public(both),
                None => Err(KeyError::Unknown(FORMS)),
            },
            KeyForm::PublicPem => Err(KeyError::Form(form, FORMS)),
        }
    }

    /// Returns the key as an unencrypted PKCS#8 PEM, version 1 (without the public half), as
    /// OpenSSL writes it. The text is wiped when it is dropped.
    ///
    /// # Errors
    ///
    /// [`KeyError::Pkcs8`], which a valid key never meets.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let mut pair = self.to_pair();
        let pem = pair.to_pkcs8_pem(LineEnding::LF);
        pair.secret_key.zeroize();
        pem.map_err(KeyError::Pkcs8)
    }

    /// Returns the key as an unencrypted PKCS#8 document.
    pub(super) fn to_der(&self) -> Result<SecretDocument, KeyError> {
        let mut pair = self.to_pair();
        let document = pair.to_pkcs8_der();
        pair.secret_key.zeroize();
        document.map_err(KeyError::Pkcs8)
    }

    fn to_pair(&self) -> KeypairBytes {
        KeypairBytes {
            secret_key: self.0.to_bytes(),
            public_key: None,
        }
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

const FORMS: &str = "a PKCS#8 PEM, a private JWK, a seed as 64 hex digits or 32 raw bytes, or 64 raw \
                     bytes of seed and public key";
