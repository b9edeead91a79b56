// SPDX-License-Identifier: Apache-2.0
//! The folder of a signer's own keys, and the keys of others that are trusted.

use std::path::Path;

use ambit_receipt::key_file::{self, Access};
use ambit_receipt::key_home::{KeyHome, OldKey};
use ambit_receipt::key_log::{KeyState, Revocation, to_jwks};
use ambit_receipt::passphrase::UnlockError;
use ambit_receipt::{KeyForm, KeySet, VerifyingKey};
use napi::bindgen_prelude::Either;
use napi_derive::napi;
use serde_json::{Value, json};

use crate::answer::{Failure, TextAnswer, caused, failure, text};
use crate::keys::{Secret, describe_value, named};

/// Makes the first key of a folder, or the next one after the current was revoked; answers with its
/// description. `at` is the time in UTC with milliseconds.
#[napi(catch_unwind)]
pub fn generate_own_key(folder: String, at: String, secret: Option<Secret>) -> TextAnswer {
    answer(|| {
        let home = KeyHome::open(Path::new(&folder))?;
        let passphrase = Secret::new_one(secret.as_ref())?;
        let key = home.generate(passphrase.as_ref().map(|it| it.as_slice()), &at)?;
        Ok(describe_value(&key))
    })
}

/// Makes a key that takes the current one's place; answers with its description.
#[napi(catch_unwind)]
pub fn rotate_own_key(
    folder: String,
    at: String,
    secret: Secret,
    new_secret: Option<Secret>,
    delete_old: bool,
) -> TextAnswer {
    answer(|| {
        let home = KeyHome::open(Path::new(&folder))?;
        let new = Secret::new_one(new_secret.as_ref())?;
        let old = if delete_old {
            OldKey::Deleted
        } else {
            OldKey::Kept
        };
        let new = new.as_ref().map(|it| it.as_slice());
        let key = home.rotate(secret.existing(), new, old, &at)?;
        Ok(describe_value(&key))
    })
}

/// Revokes a key, named by its thumbprint, from a time on; answers with the keys as `listOwnKeys`.
#[napi(catch_unwind)]
pub fn revoke_own_key(
    folder: String,
    at: String,
    key_id: String,
    revoked_at: String,
    reason: Option<String>,
    secret: Secret,
) -> TextAnswer {
    answer(|| {
        let home = KeyHome::open(Path::new(&folder))?;
        let revocation = Revocation {
            key_id: &key_id,
            revoked_at: &revoked_at,
            reason: reason.as_deref(),
        };
        home.revoke(secret.existing(), &revocation, &at)?;
        Ok(list(&home.states()?))
    })
}

/// Answers with `{keys: [{key, standing, valid_from, valid_until, revoked_at, reason}], jwks}`, oldest
/// first: `jwks` is text. A folder that is missing has no keys. Nothing is changed.
#[napi(catch_unwind)]
pub fn list_own_keys(folder: String) -> TextAnswer {
    answer(|| Ok(list(&KeyHome::look(Path::new(&folder))?)))
}

/// Puts a public key or a JWKS of somebody else, as a JWKS, into a new file; answers with the text
/// that was written. `id` is the name by which receipts name a single key, if it is none of its own.
#[napi(catch_unwind)]
pub fn trust_keys(path: String, id: Option<String>, target: String) -> TextAnswer {
    match trust(Path::new(&path), id, Path::new(&target)) {
        Ok(jwks) => text(jwks),
        Err(failure) => Either::B(failure),
    }
}

fn trust(path: &Path, id: Option<String>, target: &Path) -> Result<String, Failure> {
    let bytes = key_file::read_public(path).map_err(|error| named(path, &error, error.code()))?;
    let jwks = match VerifyingKey::decode(&bytes) {
        Ok(key) => of_one(&key, id)?,
        // an object that is no key may be a set of keys
        Err(_) if KeyForm::detect(&bytes) == Some(KeyForm::Jwk) && id.is_none() => {
            let set = KeySet::from_jwks(&bytes);
            let set = set.map_err(|error| named(path, &error, error.code()))?;
            if set.taken == 0 {
                let message = format!("`{}`: no Ed25519 key in it", path.display());
                return Err(failure("ERR_KEY_MALFORMED", message));
            }
            String::from_utf8_lossy(&bytes).into_owned()
        }
        Err(error) => return Err(named(path, &error, error.code())),
    };
    key_file::write_new(target, jwks.as_bytes(), Access::Public)
        .map_err(|error| named(target, &error, error.code()))?;
    Ok(jwks)
}

fn of_one(key: &VerifyingKey, id: Option<String>) -> Result<String, Failure> {
    let mut jwk: Value = serde_json::from_str(&key.to_jwk())
        .map_err(|error| failure("ERR_INTERNAL", error.to_string()))?;
    if let Some(members) = jwk.as_object_mut() {
        let kid = id.unwrap_or_else(|| key.thumbprint());
        members.insert("kid".to_owned(), Value::String(kid));
        members.insert("use".to_owned(), Value::String("sig".to_owned()));
    }
    Ok(format!("{}\n", json!({ "keys": [jwk] })))
}

fn list(states: &[KeyState]) -> Result<Value, Failure> {
    let keys: Result<Vec<Value>, Failure> = states.iter().map(state_value).collect();
    Ok(json!({ "keys": keys?, "jwks": to_jwks(states) }))
}

fn state_value(state: &KeyState) -> Result<Value, Failure> {
    Ok(json!({
        "key": describe_value(&state.key)?,
        "standing": state.standing().as_str(),
        "valid_from": state.valid_from,
        "valid_until": state.valid_until,
        "revoked_at": state.revoked_at,
        "reason": state.reason,
    }))
}

fn answer(work: impl FnOnce() -> Result<Result<Value, Failure>, UnlockError>) -> TextAnswer {
    match work() {
        Ok(Ok(value)) => text(value.to_string()),
        Ok(Err(failure)) => Either::B(failure),
        Err(error) => Either::B(caused(error.code(), &error)),
    }
}
