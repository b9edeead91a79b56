// SPDX-License-Identifier: Apache-2.0
//! Signing of csc receipts, and verification of every format.

use ambit_receipt::{KeySet, Verdict, csc, verify};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;
use serde_json::json;

use crate::answer::{Failure, TextAnswer, caused, failure, text};
use crate::keys::{Signer, read_public};

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
}

/// Verifies one receipt; answers with the verdict as JSON: `{status, code, detail, format, key_id,
/// payload_type, digest}`. A receipt that is not valid is an answer, not a failure; only a key
/// that cannot be read is one.
#[napi(catch_unwind)]
pub fn verify_receipt(document: Uint8Array, keys: Vec<TrustedKey>) -> TextAnswer {
    match key_set(&keys) {
        Ok(keys) => text(verdict_json(&verify(&document, &keys))),
        Err(failure) => Either::B(failure),
    }
}

fn key_set(keys: &[TrustedKey]) -> Result<KeySet, Failure> {
    let mut set = KeySet::new();
    for trusted in keys {
        let key = read_public(&trusted.path)?;
        match &trusted.id {
            Some(id) => drop(set.insert(id.as_str(), key)),
            None => set.insert_any(key),
        }
    }
    Ok(set)
}

fn verdict_json(verdict: &Verdict) -> String {
    json!({
        "status": verdict.status.as_str(),
        "code": verdict.code.as_str(),
        "detail": verdict.detail,
        "format": verdict.format.map(ambit_receipt::Format::as_str),
        "key_id": verdict.key_id,
        "payload_type": verdict.payload_type,
        "digest": verdict.digest.as_ref().map(ambit_canon::Digest::hex),
    })
    .to_string()
}
