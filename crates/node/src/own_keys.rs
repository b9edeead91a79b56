// SPDX-License-Identifier: Apache-2.0
//! The folder of a signer's own keys, and the keys of others that are trusted.

use std::path::Path;

use ambit_receipt::key_file;
use ambit_receipt::key_home::{KeyHome, OldKey};
use ambit_receipt::key_log::{KeyState, Revocation, to_jwks};
use ambit_receipt::passphrase::UnlockError;
use ambit_receipt::trust_folder::{TrustError, TrustFolder, TrustedSet, Trusting};
use napi::bindgen_prelude::{Either, Function};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::answer::{Failure, TextAnswer, caused, text};
use crate::keys::{Secret, describe_value, named, read_public};

/// Makes the first key of a folder, or the next one after the current was revoked; answers with its
/// description. `now` is asked for the time, UTC with
/// milliseconds, once the lock is held and the passphrase known.
#[napi(catch_unwind)]
pub fn generate_own_key(
    folder: String,
    now: Function<'_, (), String>,
    secret: Option<Secret>,
) -> TextAnswer {
    answer(|| {
        let home = KeyHome::open(Path::new(&folder))?;
        let passphrase = Secret::new_one(secret.as_ref())?;
        let key = home.generate(passphrase.as_ref().map(|it| it.as_slice()), || {
            time_of(&now)
        })?;
        Ok(describe_value(&key))
    })
}

/// Makes a key that takes the current one's place; answers with its description.
#[napi(catch_unwind)]
pub fn rotate_own_key(
    folder: String,
    now: Function<'_, (), String>,
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
        let key = home.rotate(secret.existing(), new, old, || time_of(&now))?;
        Ok(describe_value(&key))
    })
}

/// Revokes a key, named by its thumbprint, from a time on; answers with the keys as `listOwnKeys`.
#[napi(catch_unwind)]
pub fn revoke_own_key(
    folder: String,
    now: Function<'_, (), String>,
    key_id: String,
    revoked_at: Option<String>,
    reason: Option<String>,
    secret: Secret,
) -> TextAnswer {
    answer(|| {
        let home = KeyHome::open(Path::new(&folder))?;
        let revocation = Revocation {
            key_id: &key_id,
            revoked_at: revoked_at.as_deref(),
            reason: reason.as_deref(),
        };
        home.revoke(secret.existing(), &revocation, || time_of(&now))?;
        Ok(list(&home.states()?))
    })
}

/// Answers with `{keys: [{key, standing, valid_from, valid_until, revoked_at, reason}], jwks}`, oldest
/// first: `jwks` is text. A folder that is missing has no keys. Nothing is changed.
#[napi(catch_unwind)]
pub fn list_own_keys(folder: String) -> TextAnswer {
    answer(|| Ok(list(&KeyHome::look(Path::new(&folder))?)))
}

/// Answers with the log of a folder's own keys, as it stands; it is verified first.
#[napi(catch_unwind)]
pub fn own_key_log(folder: String) -> TextAnswer {
    match KeyHome::look_at_log(Path::new(&folder)) {
        Ok(log) => text(log),
        Err(error) => Either::B(caused(error.code(), &error)),
    }
}

/// How keys are trusted.
#[napi(object)]
#[derive(Clone, Debug)]
pub struct TrustOptions {
    /// What they are called.
    pub name: String,
    /// How receipts name a single key, if by none of its own ids.
    pub id: Option<String>,
    /// Public key files that a key log may begin with.
    pub roots: Option<Vec<String>>,
    /// Whether to take the place of what is there under the name.
    pub replace: Option<bool>,
}

/// Keeps a public key, a JWKS or a key log of somebody else in a folder; answers with
/// `{name, file, jwks}`: `jwks` is text.
#[napi(catch_unwind)]
pub fn trust_keys(folder: String, path: String, options: TrustOptions) -> TextAnswer {
    match trust(Path::new(&folder), Path::new(&path), options) {
        Ok(set) => text(set_value(&set).to_string()),
        Err(failure) => Either::B(failure),
    }
}

/// Answers with `[{name, file, jwks}]`, by name. A folder that is missing has none.
#[napi(catch_unwind)]
pub fn list_trusted_keys(folder: String) -> TextAnswer {
    match TrustFolder::new(Path::new(&folder)).sets() {
        Ok(sets) => text(Value::Array(sets.iter().map(set_value).collect()).to_string()),
        Err(error) => Either::B(caused(error.code(), &error)),
    }
}

/// A clock that fails gives no time, which no event is signed with.
fn time_of(now: &Function<'_, (), String>) -> String {
    now.call(()).unwrap_or_default()
}

fn trust(folder: &Path, path: &Path, options: TrustOptions) -> Result<TrustedSet, Failure> {
    let bytes =
        key_file::read_public_set(path).map_err(|error| named(path, &error, error.code()))?;
    let roots = options.roots.unwrap_or_default();
    let roots: Result<Vec<_>, Failure> = roots.iter().map(|root| read_public(root)).collect();
    let how = Trusting {
        id: options.id,
        roots: roots?,
        replace: options.replace.unwrap_or_default(),
    };
    let added = TrustFolder::new(folder).add(&options.name, &bytes, &how);
    added.map_err(|error| match error {
        TrustError::Key(_)
        | TrustError::Log(_)
        | TrustError::NotOne
        | TrustError::Nothing
        | TrustError::Set(_) => named(path, &error, error.code()),
        TrustError::Access(..)
        | TrustError::File(..)
        | TrustError::Folder(..)
        | TrustError::Name(_) => caused(error.code(), &error),
    })
}

fn set_value(set: &TrustedSet) -> Value {
    json!({ "name": set.name, "file": set.file.display().to_string(), "jwks": set.jwks })
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
