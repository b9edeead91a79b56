// SPDX-License-Identifier: Apache-2.0
//! Acta envelopes: draft-farley-acta-signed-receipts-04, section 6.6.
//!
//! `{"payload":{…},"signature":{"alg":"EdDSA","kid":"…","sig":"…"}}` with exactly these members.
//! The signature covers the RFC 8785 text of the payload; `kid` is repeated inside it as
//! `issuer_id`, and `sig` is lowercase hex. Receipts form a chain by `previousReceiptHash`, which
//! is `sha256:` and the digest of the RFC 8785 text of the whole envelope before.
//!
//! Envelopes of any namespaced type are verified; of `ambit:approval`, which an approver signs, all
//! rules too. [`seal`] signs our own types, `ambit:decision` and
//! `ambit:execution`, for a ledger; [`sign`] signs a payload of any namespaced type that keeps the
//! rules that the draft has for it.

mod approval;
mod draft;
mod rules;
mod seal;

use ambit_canon::{CanonError, Digest, Object, Value, canonicalize, write};

use crate::encoding::{from_hex, quoted};
use crate::key::KeySet;
use crate::schema::Others;
use crate::verdict::VerdictCode;
use crate::verify::{Fault, LIMITS, Signed, check_signature};

pub use seal::{ActaError, KeyId, SignOptions, Unsandboxed, seal, sign};

/// Returns the digest that the next receipt's `previousReceiptHash` names, from any spelling of an
/// envelope: `sha256:` goes in front of its hex.
///
/// For bytes that [`seal`] returned it is their own digest.
///
/// # Errors
///
/// Those of parsing strict JSON.
pub fn receipt_hash(envelope: &[u8]) -> Result<Digest, CanonError> {
    canonicalize(envelope, &LIMITS).map(|text| Digest::of(text.as_bytes()))
}

/// Verifies a document that has the shape of an envelope.
pub(crate) fn verify_envelope<'a>(value: &Value, keys: &'a KeySet) -> Result<Signed<'a>, Fault> {
    let (signed, payload, kid, sig) = read_envelope(value)?;
    let Some(signature) = from_hex(sig) else {
        let detail = "signature.sig: expected 64 bytes in lowercase hex".to_owned();
        return Err((VerdictCode::SignatureEncoding, detail));
    };
    if payload.contains("signature") {
        let detail = "the payload has a member `signature`".to_owned();
        return Err((VerdictCode::SignatureInPayload, detail));
    }
    if let Some(issuer) = payload.get("issuer_id")
        && issuer.as_str() != Some(kid)
    {
        let detail = format!("issuer_id is not the kid {}", quoted(kid));
        return Err((VerdictCode::IssuerMismatch, detail));
    }
    let input = write(signed);
    Ok(Signed {
        by: check_signature(keys, kid, &input, &signature)?,
        rules: rules::check(payload, Others::Allowed)
            .map_err(|error| (VerdictCode::SchemaInvalid, error.to_string())),
    })
}

/// Returns the payload, as a value and as the object that it is, the key id and the encoded signature
/// of an envelope.
pub(crate) fn read_envelope(value: &Value) -> Result<(&Value, &Object, &str, &str), Fault> {
    let unknown = |detail: &str| Err((VerdictCode::UnknownFormat, detail.to_owned()));
    let Some((signed, payload)) = value
        .get("payload")
        .and_then(|it| Some((it, it.as_object()?)))
    else {
        return unknown("payload: expected an object");
    };
    let mut names = value.as_object().into_iter().flat_map(Object::names);
    if names.any(|name| !matches!(name, "payload" | "signature")) {
        return unknown("an envelope has no members but `payload` and `signature`");
    }
    let (kid, sig) = read_signature(value.get("signature"))?;
    Ok((signed, payload, kid, sig))
}

/// Returns the key id and the encoded signature.
pub(crate) fn read_signature(signature: Option<&Value>) -> Result<(&str, &str), Fault> {
    let malformed = |detail: &str| Err((VerdictCode::MalformedSignature, detail.to_owned()));
    let signature = match signature {
        None | Some(Value::Null) => {
            let detail = "the envelope is not signed".to_owned();
            return Err((VerdictCode::MissingSignature, detail));
        }
        Some(signature) => signature,
    };
    let Some(members) = signature.as_object() else {
        return malformed("signature: expected an object");
    };
    match members.get("alg").map(Value::as_str) {
        Some(Some(ALGORITHM)) => {}
        Some(Some(other)) => {
            let detail = format!("signature.alg is {}; expected `EdDSA`", quoted(other));
            return Err((VerdictCode::UnsupportedAlgorithm, detail));
        }
        None | Some(None) => return malformed("signature.alg: expected a string"),
    }
    let text = |name| {
        members
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let (Some(kid), Some(sig)) = (text("kid"), text("sig")) else {
        return malformed("signature: expected `kid` and `sig`, not empty");
    };
    if members.len() != 3 {
        return malformed("signature: expected no further members");
    }
    Ok((kid, sig))
}

/// Whether every member's name, at any depth, is of U+0020 to U+007E.
pub(crate) fn has_ascii_names(value: &Value) -> bool {
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(elements) => rest.extend(elements),
            Value::Object(object) => {
                if !object
                    .names()
                    .all(|name| name.bytes().all(|byte| matches!(byte, 0x20..=0x7e)))
                {
                    return false;
                }
                rest.extend(object.iter().map(|(_, value)| value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    true
}

const ALGORITHM: &str = "EdDSA";
