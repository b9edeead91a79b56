// SPDX-License-Identifier: Apache-2.0
//! Public keys.

use std::fmt;

use ambit_canon::{Digest, Value};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePublicKey as _, EncodePublicKey as _, PublicKeyBytes};

use super::{KeyError, KeyForm, jwk};
use crate::encoding::{base58, base64url, from_hex};

/// An Ed25519 public key (RFC 8032): a canonically encoded point that is not of small order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Takes the key's 32 raw bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::Point`] and [`KeyError::SmallOrder`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map_err(|error| KeyError::Point(Some(error)))?;
        if key.is_weak() {
            return Err(KeyError::SmallOrder);
        }
        // A y coordinate of p or more decodes too, but has a second encoding.
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyError::Point(None));
        }
        Ok(Self(key))
    }

    /// Reads 64 hex digits in either case.
    ///
    /// # Errors
    ///
    /// [`KeyError::Hex`] and those of [`VerifyingKey::from_bytes`].
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(&from_hex(&text.to_ascii_lowercase()).ok_or(KeyError::Hex)?)
    }

    /// Reads a JWK (RFC 8037 section 2): `kty`, `crv` and `x` must be those of an Ed25519 key,
    /// `use` must be `sig` and `alg` an Ed25519 algorithm where they stand. Others are ignored, but
    /// a private member `d` is refused: such a key does not belong here.
    ///
    /// # Errors
    ///
    /// [`KeyError::Jwk`], [`KeyError::JwkMember`] and those of [`VerifyingKey::from_bytes`].
    pub fn from_jwk(text: &[u8]) -> Result<Self, KeyError> {
        Self::from_jwk_value(&jwk::parse_text(text)?)
    }

    /// Reads a JWK that was parsed already, as [`VerifyingKey::from_jwk`] does.
    pub(super) fn from_jwk_value(jwk: &Value) -> Result<Self, KeyError> {
        if jwk.get("d").is_some() {
            return Err(KeyError::JwkMember("d"));
        }
        Ok(jwk::read_value(jwk)?.public)
    }

    /// Reads an SPKI PEM (RFC 8410 section 4).
    ///
    /// # Errors
    ///
    /// [`KeyError::Spki`] and those of [`VerifyingKey::from_bytes`].
    pub fn from_spki_pem(pem: &str) -> Result<Self, KeyError> {
        let bytes =
            PublicKeyBytes::from_public_key_pem(pem.trim_ascii()).map_err(KeyError::Spki)?;
        Self::from_bytes(&bytes.to_bytes())
    }

    /// Reads a key file's bytes: SPKI PEM, JWK, 64 hex digits, or raw 32 bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::Form`] for the forms of private keys, [`KeyError::Unknown`] for other bytes, and
    /// the errors of the form's own reader.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let Some(form) = KeyForm::detect(bytes) else {
            return Err(KeyError::Unknown(FORMS));
        };
        let text = || {
            std::str::from_utf8(bytes)
                .ok()
                .ok_or(KeyError::Unknown(FORMS))
        };
        match form {
            KeyForm::Hex => Self::from_hex(text()?.trim_ascii()),
            KeyForm::Jwk => Self::from_jwk(bytes),
            KeyForm::PublicPem => Self::from_spki_pem(text()?),
            KeyForm::Raw32 => match bytes.first_chunk() {
                Some(key) => Self::from_bytes(key),
                None => Err(KeyError::Unknown(FORMS)),
            },
            KeyForm::EncryptedPem | KeyForm::PrivatePem | KeyForm::Raw64 => {
                Err(KeyError::Form(form, FORMS))
            }
        }
    }

    /// Returns the 32 raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Returns the key as an SPKI PEM.
    ///
    /// # Errors
    ///
    /// [`KeyError::Spki`], which a valid key never meets.
    pub fn to_spki_pem(&self) -> Result<String, KeyError> {
        PublicKeyBytes(*self.as_bytes())
            .to_public_key_pem(LineEnding::LF)
            .map_err(KeyError::Spki)
    }

    /// Returns the key as a JWK of its required members, in the order RFC 7638 hashes them.
    pub fn to_jwk(&self) -> String {
        format!(
            r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
            base64url(self.as_bytes())
        )
    }

    /// Returns the RFC 7638 thumbprint: base64url without padding, 43 characters.
    pub fn thumbprint(&self) -> String {
        base64url(Digest::of(self.to_jwk().as_bytes()).as_bytes())
    }

    /// Returns the key's id in the form that the Acta draft recommends: `sb:issuer:` and the first
    /// twelve characters of the raw key in Base58. About 70 bits: it tells keys apart, and is no
    /// proof against someone who makes keys to fit.
    pub fn issuer_id(&self) -> String {
        let text = base58(self.as_bytes());
        format!("sb:issuer:{}", text.get(..12).unwrap_or(&text))
    }

    /// Returns the thumbprint and the issuer id.
    pub(super) fn own_ids(&self) -> [String; 2] {
        [self.thumbprint(), self.issuer_id()]
    }

    /// Returns whether `id` is this key's own: its thumbprint or its [`VerifyingKey::issuer_id`].
    pub fn has_id(&self, id: &str) -> bool {
        self.own_ids().iter().any(|own| own == id)
    }

    /// Returns whether `signature` over `message` is this key's.
    ///
    /// Strict (RFC 8032 section 5.1.7 without cofactor): S below the group order, a canonical R
    /// that is not of small order.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).is_ok()
    }

    /// The public half of a private key, which is never of small order.
    pub(super) fn of(key: &ed25519_dalek::SigningKey) -> Self {
        Self(key.verifying_key())
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.thumbprint())
    }
}

const FORMS: &str = "an SPKI PEM, a JWK, 64 hex digits, or raw 32 bytes";
