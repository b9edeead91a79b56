// SPDX-License-Identifier: Apache-2.0
//! Tells the formats apart by their shape alone.

use ambit_canon::{Object, Value};

use crate::encoding::from_hex;
use crate::verdict::{Format, VerdictCode};
use crate::verify::Fault;

/// Returns the one format whose shape the document has.
///
/// Each format has a mark of its own; a document with two marks is ambiguous, whoever signed it.
pub(crate) fn detect(value: &Value) -> Result<Format, Fault> {
    let unknown = |detail: &str| Err((VerdictCode::UnknownFormat, detail.to_owned()));
    let Some(object) = value.as_object() else {
        return unknown("a receipt is an object");
    };
    let marks = [
        (is_csc(object), Format::Csc),
        (is_acta(object), Format::Acta),
        (is_agt(object), Format::AgtSkill),
        (is_bilateral(object), Format::AgtBilateral),
        (is_sb_runtime(object), Format::SbRuntime),
        (is_v2(object), Format::V2),
        (is_flat(object), Format::Flat),
    ];
    let mut fits = marks
        .into_iter()
        .filter_map(|(fits, format)| fits.then_some(format));
    match (fits.next(), fits.next()) {
        (Some(format), None) => Ok(format),
        (Some(first), Some(second)) => {
            let (first, second) = (first.as_str(), second.as_str());
            let detail = format!("the document has the shapes of `{first}` and `{second}`");
            Err((VerdictCode::AmbiguousFormat, detail))
        }
        (None, _) => unknown("the document has the shape of no receipt format"),
    }
}

/// A version of its own, or a signature that names its `algorithm`.
fn is_csc(object: &Object) -> bool {
    let signature = object.get("signature");
    object.contains("receipt_version")
        || signature.is_some_and(|signature| signature.get("algorithm").is_some())
}

/// An envelope that does not have the shape of the AGT skill's, or that keeps the draft's rule that
/// issuer and key id are one.
fn is_acta(object: &Object) -> bool {
    is_envelope(object) && !is_bilateral(object) && (!is_agt(object) || names_its_issuer(object))
}

/// An envelope whose payload has the skill's type and its `action`, where the draft has `tool_name`;
/// but not one that is the draft's in issuer and signature, which the skill never writes.
fn is_agt(object: &Object) -> bool {
    let sig = member(object, "signature", "sig").and_then(Value::as_str);
    let is_drafts =
        names_its_issuer(object) && sig.is_some_and(|sig| from_hex::<64>(sig).is_some());
    let payload_type = member(object, "payload", "type").and_then(Value::as_str);
    is_envelope(object)
        && !is_bilateral(object)
        && !is_drafts
        && payload_type == Some("sb-runtime:decision")
        && member(object, "payload", "action").is_some()
        && member(object, "payload", "tool_name").is_none()
}

/// An envelope with an authorization, or the word that there is one, beside its payload.
fn is_bilateral(object: &Object) -> bool {
    is_envelope(object) && (object.contains("authorization") || object.contains("bilateral"))
}

/// Whether issuer and key id are one.
fn names_its_issuer(object: &Object) -> bool {
    let issuer = member(object, "payload", "issuer_id").and_then(Value::as_str);
    issuer.is_some() && issuer == member(object, "signature", "kid").and_then(Value::as_str)
}

/// A payload, and the signer's public key beside it.
fn is_sb_runtime(object: &Object) -> bool {
    object.contains("payload") && object.contains("pubkey")
}

/// A payload, and a version beside it.
fn is_v2(object: &Object) -> bool {
    object.contains("payload") && object.contains("v")
}

/// A type and the signature's text among the signed members, without a payload.
fn is_flat(object: &Object) -> bool {
    let signature = object.get("signature");
    !object.contains("payload")
        && object.contains("type")
        && signature.is_some_and(|signature| signature.as_object().is_none())
}

/// A payload whose signature stands in an object of its own, if it is signed.
fn is_envelope(object: &Object) -> bool {
    let signature = object.get("signature");
    let in_object = signature.is_some_and(|signature| signature.as_object().is_some());
    object.contains("payload") && (in_object || !(is_sb_runtime(object) || is_v2(object)))
}

fn member<'a>(object: &'a Object, outer: &str, inner: &str) -> Option<&'a Value> {
    object.get(outer)?.get(inner)
}
