// SPDX-License-Identifier: Apache-2.0
//! Why bytes are not a usable key.

use ambit_canon::CanonError;
use ed25519_dalek::{SignatureError, pkcs8};

use super::KeyForm;
use crate::pkcs11::TokenError;

/// Bytes that are not a usable key, or a key that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The encrypted key asks for more work than a key may.
    #[error("encrypted private key asks for too much work to derive its key")]
    Cost,
    /// The passphrase for a new key is empty.
    #[error("passphrase is empty")]
    EmptyPassphrase,
    /// The private key is encrypted.
    #[error("private key is encrypted; a passphrase is needed")]
    Encrypted,
    /// The key is of a form that this kind of key is not kept in.
    #[error("{0} is no form of this kind of key; expected {1}")]
    Form(KeyForm, &'static str),
    /// The JWK is not strict JSON.
    #[error("malformed JWK")]
    Jwk(#[source] CanonError),
    /// The JWK is not an Ed25519 signing key, public or private as the use asks. Names the member.
    #[error("JWK member `{0}` is not that of such an Ed25519 signing key")]
    JwkMember(&'static str),
    /// The hex digits are not those of a key.
    #[error("malformed hex key; expected 64 hex digits")]
    Hex,
    /// The passphrase is not that of the encrypted key, or the file is damaged.
    #[error("passphrase is wrong, or the key file is damaged")]
    Passphrase,
    /// The bytes are not the canonical encoding of a curve point (RFC 8032 section 5.1.3).
    #[error("not a canonical Ed25519 public key")]
    Point(#[source] Option<SignatureError>),
    /// The PKCS#8 document is malformed, of another algorithm, or its public half does not match.
    #[error("malformed private key; expected an Ed25519 PKCS#8 PEM")]
    Pkcs8(#[source] pkcs8::Error),
    /// The public half of a 64-byte key is not that of its seed.
    #[error("public half of the key does not match its seed")]
    PublicHalf,
    /// The kernel gave no random bytes.
    #[error("cannot read random bytes")]
    Random(#[source] getrandom::Error),
    /// The public key is of small order: signatures under it prove nothing.
    #[error("public key is of small order")]
    SmallOrder,
    /// The SPKI document is malformed or of another algorithm.
    #[error("malformed public key; expected an Ed25519 SPKI PEM")]
    Spki(#[source] pkcs8::spki::Error),
    /// A key in a token did not sign, or cannot be used.
    #[error(transparent)]
    Token(Box<TokenError>),
    /// The bytes have no known form.
    #[error("not a key; expected {0}")]
    Unknown(&'static str),
}

impl KeyError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Cost => "ERR_KEY_COST",
            Self::EmptyPassphrase | Self::Passphrase => "ERR_KEY_PASSPHRASE",
            Self::Encrypted => "ERR_KEY_ENCRYPTED",
            Self::Form(..) => "ERR_KEY_FORM",
            Self::Jwk(_)
            | Self::JwkMember(_)
            | Self::Hex
            | Self::Point(_)
            | Self::Pkcs8(_)
            | Self::Spki(_)
            | Self::Unknown(_) => "ERR_KEY_MALFORMED",
            Self::PublicHalf => "ERR_KEY_PUBLIC_HALF_MISMATCH",
            Self::Random(_) => "ERR_KEY_RANDOM_UNAVAILABLE",
            Self::SmallOrder => "ERR_KEY_SMALL_ORDER",
            Self::Token(error) => error.code(),
        }
    }
}
