// SPDX-License-Identifier: Apache-2.0
//! What a log says of a key.

use ambit_canon::{Object, Value, write};

use super::event::key_member;
use crate::key::{KeyWindow, VerifyingKey};

/// A key and when it was good, as its log says. Times are RFC 3339 in UTC with milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// The key.
    pub key: VerifyingKey,
    /// The first moment at which it was good; none for a key that was there before its log.
    pub valid_from: Option<String>,
    /// The first moment at which it no longer was: when it was rotated.
    pub valid_until: Option<String>,
    /// The moment from which nothing that it signed is to be believed.
    pub revoked_at: Option<String>,
    /// Why it was revoked.
    pub reason: Option<String>,
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyStanding {
    /// It signs.
    Current,
    /// It was rotated: what it signed before stays good.
    Retired,
    /// It was revoked.
    Revoked,
}

impl KeyStanding {
    /// Returns `current`, `retired` or `revoked`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

impl KeyState {
    /// Returns a current key that no log knows.
    pub const fn of(key: VerifyingKey) -> Self {
        Self::new(key, None)
    }

    /// Returns where the key stands.
    pub const fn standing(&self) -> KeyStanding {
        match (&self.revoked_at, &self.valid_until) {
            (Some(_), _) => KeyStanding::Revoked,
            (None, Some(_)) => KeyStanding::Retired,
            (None, None) => KeyStanding::Current,
        }
    }

    /// Returns the times as a set of trusted keys takes them.
    pub fn window(&self) -> KeyWindow {
        KeyWindow {
            valid_from: self.valid_from.clone(),
            valid_until: self.valid_until.clone(),
            revoked_at: self.revoked_at.clone(),
        }
    }

    fn to_jwk(&self) -> Object {
        let mut jwk = key_member(&self.key);
        jwk.insert("alg", "EdDSA");
        jwk.insert("kid", self.key.thumbprint());
        jwk.insert("use", "sig");
        let bounds = [
            ("revoked_at", &self.revoked_at),
            ("valid_from", &self.valid_from),
            ("valid_until", &self.valid_until),
        ];
        for (name, bound) in bounds {
            if let Some(bound) = bound {
                jwk.insert(name, bound.as_str());
            }
        }
        jwk
    }
}

/// Returns keys as a JWKS (RFC 7517 section 5) with the draft's windows, in canonical form. Each has
/// its thumbprint as its `kid`.
pub fn to_jwks(states: &[KeyState]) -> String {
    let keys = states.iter().map(|state| Value::Object(state.to_jwk()));
    let document: Object = [("keys", Value::Array(keys.collect()))]
        .into_iter()
        .collect();
    write(&Value::Object(document))
}
