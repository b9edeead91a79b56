// SPDX-License-Identifier: Apache-2.0
//! Acta envelopes: draft-farley-acta-signed-receipts-04, section 6.6.
//!
//! `{"payload":{…},"signature":{"alg":"EdDSA","kid":"…","sig":"…"}}` with exactly these members.
//! The signature covers the RFC 8785 text of the payload; `kid` is repeated inside it as
//! `issuer_id`, and `sig` is lowercase hex. Receipts form a chain by `previousReceiptHash`, which
//! is `sha256:` and the digest of the RFC 8785 text of the whole envelope before.
//!
//! Envelopes of any namespaced type are verified. Only our own types are sealed: `ambit:decision`
//! and `ambit:execution`.

mod rules;

use ambit_canon::{CanonError, Digest, Limits, Object, Value, canonicalize, parse, write};

use crate::encoding::{from_hex, hex, quoted};
use crate::key::{KeyError, KeySet, Sign};
use crate::schema::{Others, SchemaError};
use crate::verdict::VerdictCode;
use crate::verify::{Fault, LIMITS, check_signature};

/// Signs a payload of one of our types and returns the exact bytes of its envelope, in RFC 8785
/// form. They are what is to be stored and passed on.
///
/// `issuer_id` and `kid` are the key's thumbprint; the payload may leave `issuer_id` out. Members
/// that the type does not have are refused.
///
/// # Errors
///
/// A payload that breaks its type's rules is an error, never a signature. [`ActaError::Key`] where
/// the key's keeper did not sign.
pub fn seal(payload: Value, key: &dyn Sign) -> Result<Vec<u8>, ActaError> {
    let Value::Object(mut payload) = payload else {
        return Err(ActaError::Schema(SchemaError::new("payload", "an object")));
    };
    if payload.contains("signature") {
        return Err(ActaError::SignatureMember);
    }
    let kid = key.verifying_key().thumbprint();
    match payload.get("issuer_id") {
        None => {
            payload.insert("issuer_id", kid.as_str());
        }
        Some(issuer) if issuer.as_str() == Some(kid.as_str()) => {}
        Some(_) => return Err(ActaError::IssuerMismatch),
    }
    if !rules::is_ours(&payload) {
        return Err(ActaError::Type);
    }
    rules::check(&payload, Others::Refused).map_err(ActaError::Schema)?;
    // What a verifier could not read must not be signed: room is left for the envelope's members.
    let limits = Limits {
        max_bytes: LIMITS.max_bytes.saturating_sub(ENVELOPE_BYTES),
        max_depth: LIMITS.max_depth.saturating_sub(1),
    };
    let text = write(&Value::Object(payload));
    let payload = parse(text.as_bytes(), &limits).map_err(ActaError::Limits)?;
    if !has_ascii_names(&payload) {
        return Err(ActaError::MemberName);
    }
    envelope(payload, key, &kid).map_err(ActaError::Key)
}

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

/// Why a payload was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum ActaError {
    /// The payload names another issuer than the signing key.
    #[error("`issuer_id` is not the signing key's thumbprint")]
    IssuerMismatch,
    /// The key did not sign.
    #[error("the key did not sign")]
    Key(#[source] KeyError),
    /// The payload is larger or deeper than a verifier reads.
    #[error("payload is over the limits of a receipt")]
    Limits(#[source] CanonError),
    /// A member's name has characters other than U+0020 to U+007E.
    #[error("a member's name is not printable ASCII")]
    MemberName,
    /// The payload breaks its type's rules.
    #[error("payload breaks the rules of its type")]
    Schema(#[source] SchemaError),
    /// The payload has a member `signature`.
    #[error("payload has a member `signature`")]
    SignatureMember,
    /// The payload's type is not one that we seal.
    #[error("unknown payload type; expected `ambit:decision` or `ambit:execution`")]
    Type,
}

impl ActaError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::IssuerMismatch => "ERR_RECEIPT_ISSUER_MISMATCH",
            Self::Key(error) => error.code(),
            Self::Limits(_) => "ERR_RECEIPT_TOO_LARGE",
            Self::MemberName | Self::Schema(_) | Self::SignatureMember => "ERR_RECEIPT_SCHEMA",
            Self::Type => "ERR_RECEIPT_TYPE",
        }
    }
}

/// Signs any payload.
fn envelope(payload: Value, key: &dyn Sign, kid: &str) -> Result<Vec<u8>, KeyError> {
    let sig = hex(&key.sign(write(&payload).as_bytes())?);
    let signature: Object = [("alg", ALGORITHM), ("kid", kid), ("sig", &sig)]
        .into_iter()
        .collect();
    let envelope: Object = [
        ("payload", payload),
        ("signature", Value::Object(signature)),
    ]
    .into_iter()
    .collect();
    Ok(write(&Value::Object(envelope)).into_bytes())
}

/// Verifies a document that has the shape of an envelope.
pub(crate) fn verify_envelope(value: &Value, keys: &KeySet) -> Result<(), Fault> {
    let (payload, kid, sig) = read_envelope(value)?;
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
    let input = write(&Value::Object(payload.clone()));
    check_signature(keys, kid, &input, &signature)?;
    rules::check(payload, Others::Allowed)
        .map_err(|error| (VerdictCode::SchemaInvalid, error.to_string()))
}

/// Returns the payload, the key id and the encoded signature of an envelope.
pub(crate) fn read_envelope(value: &Value) -> Result<(&Object, &str, &str), Fault> {
    let unknown = |detail: &str| Err((VerdictCode::UnknownFormat, detail.to_owned()));
    let Some(payload) = value.get("payload").and_then(Value::as_object) else {
        return unknown("payload: expected an object");
    };
    let mut names = value.as_object().into_iter().flat_map(Object::names);
    if names.any(|name| !matches!(name, "payload" | "signature")) {
        return unknown("an envelope has no members but `payload` and `signature`");
    }
    let (kid, sig) = read_signature(value.get("signature"))?;
    Ok((payload, kid, sig))
}

/// Returns the key id and the encoded signature.
fn read_signature(signature: Option<&Value>) -> Result<(&str, &str), Fault> {
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
/// More than the envelope's own members take: names, algorithm, kid and signature.
const ENVELOPE_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;

    /// The draft's worked example, signed again with its key under its own kid.
    #[test]
    fn the_worked_example_is_reproduced_byte_for_byte() {
        let file =
            include_bytes!("../../../../__test__/vectors/receipts/acta/worked-example-04.json");
        let file = parse(file, &LIMITS).unwrap();
        let seed = "0e3ab240e91c66488528f1a8143f591abfeb90b95b4ceb2be0f21828324cdeb7";
        let key = SigningKey::from_seed(&from_hex(seed).unwrap());
        let rows = file.get("receipts").and_then(Value::as_array).unwrap();
        for row in rows {
            let receipt = row.get("receipt").unwrap();
            let payload = receipt.get("payload").unwrap().clone();
            let got = envelope(payload, &key, "sb:issuer:Cw9kjHiSmKyK").unwrap();
            assert_eq!(got, write(receipt).into_bytes());
        }
        assert_eq!(rows.len(), 18);
    }
}
