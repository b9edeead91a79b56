// SPDX-License-Identifier: Apache-2.0
//! Signing of csc receipts, and verification of every format.

use ambit_receipt::{KeySet, KeyStatus, KeyWindow, Verdict, csc, verify};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;
use serde_json::json;

use crate::answer::{Failure, TextAnswer, caused, failure, text};
use crate::keys::{Signer, read_public_with_window};

/// Signs a `csc.receipt.v0.1` given as JSON without its signature; answers with the text to store,
/// byte for byte as csc-runner writes it.
#[napi(catch_unwind)]
pub fn sign_csc_receipt(
    receipt: String,
    signer: &Signer,
    key_id: String,
    signed_at: String,
) -> TextAnswer {
    let Some(key) = &signer.key else {
        return Either::B(failure("ERR_KEY_MISSING", "no signing key is loaded"));
    };
    match csc::sign(receipt.as_bytes(), key.as_ref(), &key_id, &signed_at) {
        Ok(value) => text(value),
        Err(error) => Either::B(caused(error.code(), &error)),
    }
}

/// A public key to verify with.
#[napi(object)]
#[derive(Debug)]
pub struct TrustedKey {
    /// File that holds it.
    pub path: String,
    /// The id under which receipts name it; without one the key serves for any id.
    pub id: Option<String>,
    /// The first moment at which the key was good, RFC 3339.
    pub valid_from: Option<String>,
    /// The first moment at which it no longer was, RFC 3339.
    pub valid_until: Option<String>,
    /// The moment from which nothing that it signed is to be believed, RFC 3339.
    pub revoked_at: Option<String>,
}

/// Verifies one receipt with the keys of files and of key sets (JWKS documents); answers with the
/// verdict as JSON: `{status, code, detail, format, key_id, payload_type, key_status, canonical,
/// digest}`. A receipt that is not valid is an answer, not a failure; only a key that cannot be read
/// is one.
#[napi(catch_unwind)]
pub fn verify_receipt(
    document: Uint8Array,
    keys: Vec<TrustedKey>,
    jwks: Option<Vec<Uint8Array>>,
) -> TextAnswer {
    match key_set(&keys, jwks.as_deref().unwrap_or_default()) {
        Ok(keys) => text(verdict_json(&verify(&document, &keys))),
        Err(failure) => Either::B(failure),
    }
}

pub(crate) fn key_set(keys: &[TrustedKey], jwks: &[Uint8Array]) -> Result<KeySet, Failure> {
    let mut set = KeySet::new();
    for document in jwks {
        set.extend_from_jwks(document)
            .map_err(|error| caused(error.code(), &error))?;
    }
    for trusted in keys {
        let (key, own) = read_public_with_window(&trusted.path)?;
        let window = KeyWindow {
            valid_from: trusted.valid_from.clone().or(own.valid_from),
            valid_until: trusted.valid_until.clone().or(own.valid_until),
            revoked_at: trusted.revoked_at.clone().or(own.revoked_at),
        };
        match &trusted.id {
            Some(id) => {
                set.insert_within(id.as_str(), key, &window);
            }
            None => set.insert_any_within(key, &window),
        }
    }
    Ok(set)
}

pub(crate) fn verdict_json(verdict: &Verdict) -> String {
    verdict_value(verdict).to_string()
}

pub(crate) fn verdict_value(verdict: &Verdict) -> serde_json::Value {
    json!({
        "status": verdict.status.as_str(),
        "code": verdict.code.as_str(),
        "detail": verdict.detail,
        "format": verdict.format.map(ambit_receipt::Format::as_str),
        "key_id": verdict.key_id,
        "payload_type": verdict.payload_type,
        "key_status": verdict.key_status.map(KeyStatus::as_str),
        "canonical": verdict.canonical,
        "digest": verdict.digest.as_ref().map(ambit_canon::Digest::hex),
    })
}
