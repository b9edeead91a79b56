// SPDX-License-Identifier: Apache-2.0
//! Ed25519 keys as JWK (RFC 8037 section 2).

use ambit_canon::{Limits, Value, parse};

use super::{KeyError, VerifyingKey};
use crate::encoding::from_base64url;

/// What an Ed25519 JWK holds. Whether the halves belong together is not checked here.
pub(super) struct Jwk {
    /// Member `x`.
    pub(super) public: VerifyingKey,
    /// Member `d`. Wiping it is the caller's.
    pub(super) private: Option<[u8; 32]>,
}

/// Reads a JWK's text as [`read_value`] reads its value.
pub(super) fn read(text: &[u8]) -> Result<Jwk, KeyError> {
    read_value(&parse_text(text)?)
}

/// Parses a JWK's text: strict JSON, at most 64 KiB and 8 levels.
pub(super) fn parse_text(text: &[u8]) -> Result<Value, KeyError> {
    let limits = Limits {
        max_bytes: 1 << 16,
        max_depth: 8,
    };
    parse(text, &limits).map_err(KeyError::Jwk)
}

/// Reads a JWK: `kty`, `crv` and `x` must be those of an Ed25519 key, `use` must be `sig` and `alg`
/// an Ed25519 algorithm where they stand. Other members are ignored.
pub(super) fn read_value(jwk: &Value) -> Result<Jwk, KeyError> {
    let member = |name| jwk.get(name).map(Value::as_str);
    let fault = |name| Err(KeyError::JwkMember(name));
    if member("kty") != Some(Some("OKP")) {
        return fault("kty");
    }
    if member("crv") != Some(Some("Ed25519")) {
        return fault("crv");
    }
    if !matches!(member("use"), None | Some(Some("sig"))) {
        return fault("use");
    }
    if !matches!(member("alg"), None | Some(Some("EdDSA" | "Ed25519"))) {
        return fault("alg");
    }
    let private = match member("d") {
        None => None,
        Some(text) => match text.and_then(from_base64url) {
            Some(seed) => Some(seed),
            None => return fault("d"),
        },
    };
    match member("x").flatten().and_then(from_base64url) {
        Some(bytes) => Ok(Jwk {
            public: VerifyingKey::from_bytes(&bytes)?,
            private,
        }),
        None => fault("x"),
    }
}
