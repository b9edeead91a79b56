// SPDX-License-Identifier: Apache-2.0
//! Sets of keys as JSON (RFC 7517 section 5), with the draft's validity windows.

use ambit_canon::{CanonError, Limits, Object, Value, parse};

use super::window::Window;
use super::{KeyError, KeySet, KeyWindow, VerifyingKey};
use crate::encoding::quoted;

/// The keys of a JWKS, and how many others it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks {
    /// The Ed25519 keys: each under its `kid`, or under its own ids where it has none.
    pub keys: KeySet,
    /// How many keys were taken.
    pub taken: usize,
    /// How many keys were passed over, being of another type or for another use.
    pub skipped: usize,
}

impl KeySet {
    /// Reads a JWKS: strict JSON, at most 1 MiB, `keys` an array of keys.
    ///
    /// Taken are the keys with `kty` `OKP` and `crv` `Ed25519` whose `use` is `sig` and whose `alg`
    /// is an Ed25519 algorithm, where they have these. Others are counted. `valid_from`,
    /// `valid_until` and `revoked_at` bound the key's use (draft-farley-acta-signed-receipts-04
    /// section 5.5); one that cannot be read makes the key's receipts undecidable.
    ///
    /// # Errors
    ///
    /// [`JwksError`]: an Ed25519 key that is not well formed, of small order or private, and a `kid`
    /// that names two keys, fail the whole set.
    pub fn from_jwks(bytes: &[u8]) -> Result<Jwks, JwksError> {
        let mut jwks = Jwks {
            keys: Self::new(),
            taken: 0,
            skipped: 0,
        };
        jwks.keys.extend_from_jwks(bytes).map(|(taken, skipped)| {
            jwks.taken = taken;
            jwks.skipped = skipped;
        })?;
        Ok(jwks)
    }

    /// Adds the keys of a JWKS to this set; returns how many were taken and how many passed over.
    ///
    /// # Errors
    ///
    /// Those of [`KeySet::from_jwks`]; a `kid` may not be that of another key of this set either. The
    /// set is then to be thrown away.
    pub fn extend_from_jwks(&mut self, bytes: &[u8]) -> Result<(usize, usize), JwksError> {
        let document = parse(bytes, &LIMITS).map_err(JwksError::Json)?;
        let Some(list) = document.get("keys").and_then(Value::as_array) else {
            return Err(JwksError::Keys);
        };
        let (mut taken, mut skipped) = (0_usize, 0_usize);
        for (index, jwk) in list.iter().enumerate() {
            let Some(members) = jwk.as_object() else {
                return Err(JwksError::NotAKey { index });
            };
            if is_for_ed25519(members) {
                self.insert_jwk(index, jwk, members)?;
                taken = taken.saturating_add(1);
            } else {
                skipped = skipped.saturating_add(1);
            }
        }
        Ok((taken, skipped))
    }

    fn insert_jwk(&mut self, index: usize, jwk: &Value, members: &Object) -> Result<(), JwksError> {
        let key =
            VerifyingKey::from_jwk_value(jwk).map_err(|source| JwksError::Key { index, source })?;
        let id = match members.get("kid") {
            None => key.thumbprint(),
            Some(kid) => match kid.as_str() {
                Some(kid) if !kid.is_empty() => kid.to_owned(),
                _ => return Err(JwksError::Kid { index }),
            },
        };
        let window = window_of(members);
        if let (Some(same), Some(before)) = (self.get(&id), self.window(&id))
            && (same != key || *before != Window::new(&window))
        {
            let kid = quoted(&id);
            return Err(JwksError::Duplicate { index, kid });
        }
        self.insert_within(id, key, &window);
        Ok(())
    }
}

/// Why a JWKS was not read.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// A `kid` names two keys, or one key with two windows.
    #[error("keys[{index}]: the kid {kid} names another key, or the key with another window, too")]
    Duplicate {
        /// Place of the second.
        index: usize,
        /// The `kid`, quoted.
        kid: String,
    },
    /// The document is not strict JSON, or over the limits.
    #[error("malformed JWKS")]
    Json(#[source] CanonError),
    /// An Ed25519 key is not well formed.
    #[error("keys[{index}] is not a public Ed25519 signing key")]
    Key {
        /// Place of the key.
        index: usize,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// The document has no array `keys`.
    #[error("not a JWKS; expected an object with an array `keys`")]
    Keys,
    /// A `kid` is not a string, or empty.
    #[error("keys[{index}]: `kid` is no text; expected a string that is not empty")]
    Kid {
        /// Place of the key.
        index: usize,
    },
    /// An element of `keys` is not an object.
    #[error("keys[{index}] is no key; expected an object")]
    NotAKey {
        /// Place of the element.
        index: usize,
    },
}

impl JwksError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "ERR_KEY_DUPLICATE",
            Self::Key { source, .. } => source.code(),
            Self::Json(_) | Self::Keys | Self::Kid { .. } | Self::NotAKey { .. } => {
                "ERR_KEY_MALFORMED"
            }
        }
    }
}

/// Whether the key is of our type and for our use.
fn is_for_ed25519(members: &Object) -> bool {
    let member = |name| members.get(name).map(Value::as_str);
    member("kty") == Some(Some("OKP"))
        && member("crv") == Some(Some("Ed25519"))
        && matches!(member("use"), None | Some(Some("sig")))
        && matches!(member("alg"), None | Some(Some("EdDSA" | "Ed25519")))
}

impl KeyWindow {
    /// Reads the window that a single JWK gives itself; none for other forms of keys.
    pub fn of_jwk(bytes: &[u8]) -> Self {
        let jwk = parse(bytes, &LIMITS).ok();
        let members = jwk.as_ref().and_then(Value::as_object);
        members.map(window_of).unwrap_or_default()
    }
}

fn window_of(members: &Object) -> KeyWindow {
    KeyWindow {
        valid_from: bound(members, "valid_from"),
        valid_until: bound(members, "valid_until"),
        revoked_at: bound(members, "revoked_at"),
    }
}

/// A bound as text. One that is no text is there, and cannot be read.
fn bound(members: &Object, name: &str) -> Option<String> {
    let bound = members.get(name)?;
    Some(bound.as_str().unwrap_or_default().to_owned())
}

const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_depth: 16,
};
