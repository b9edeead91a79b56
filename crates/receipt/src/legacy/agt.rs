// SPDX-License-Identifier: Apache-2.0
//! Envelopes of the agent governance toolkit's sb-runtime skill.
//!
//! `{"payload":{…},"signature":{"alg":"EdDSA","kid":"…","sig":"…"}}`, `sig` in base64url without
//! padding. The signature covers the payload as Python writes it (`json.dumps` with sorted names,
//! ASCII only, no spaces), where `1.0` is not `1`. `kid` is not signed, so it counts only where it
//! is the key's own thumbprint, or the id under which the verifier was given the key.

use ambit_canon::{Digest, Object, Value};

use super::{check_rules, python};
use crate::acta::read_envelope;
use crate::encoding::from_base64url;
use crate::key::KeySet;
use crate::schema::{Check, Others, STRING, Shape, TEXT, TIME, may, must};
use crate::verdict::VerdictCode;
use crate::verify::{Fault, Signed, check_named_signature};

/// Verifies a document of this shape.
pub(crate) fn verify<'a>(
    document: &[u8],
    value: &Value,
    keys: &'a KeySet,
) -> Result<Signed<'a>, Fault> {
    let (_, payload, kid, sig) = read_envelope(value)?;
    let Some(signature) = from_base64url(sig) else {
        let detail = "signature.sig: expected 64 bytes in base64url without padding".to_owned();
        return Err((VerdictCode::SignatureEncoding, detail));
    };
    refuse_signature_member(payload)?;
    let Some(input) = python::payload_text(document, value) else {
        let detail = "the payload's Python text cannot be made again with certainty".to_owned();
        return Err((VerdictCode::NotReproducible, detail));
    };
    Ok(Signed {
        by: check_named_signature(keys, kid, &input, &signature)?,
        rules: check_rules(payload, &PAYLOAD),
    })
}

/// Returns the digest by which the next receipt names this one: of the whole envelope as Python
/// writes it.
pub(crate) fn envelope_digest(document: &[u8], value: &Value) -> Option<[u8; 32]> {
    let text = python::text(document, value)?;
    Some(*Digest::of(text.as_bytes()).as_bytes())
}

fn refuse_signature_member(payload: &Object) -> Result<(), Fault> {
    if payload.contains("signature") {
        let detail = "the payload has a member `signature`".to_owned();
        return Err((VerdictCode::SignatureInPayload, detail));
    }
    Ok(())
}

/// `action` and `agent_id` may be anything: the skill signs what its caller gave.
static PAYLOAD: Shape = Shape {
    members: &[
        must("type", TEXT),
        must("decision", Check::OneOf(&["allow", "deny"])),
        must(
            "sandbox_backend",
            Check::OneOf(&["none", "sb_runtime_builtin", "nono", "openshell"]),
        ),
        must("policy_id", STRING),
        must("policy_digest", STRING),
        must("issuer_id", TEXT),
        must("issued_at", TIME),
        // An authorization has more around it: see `bilateral`.
        may(
            "phase",
            Check::String(|text| text != "authorization", "no authorization alone"),
        ),
        may(
            "previousReceiptHash",
            Check::String(is_link, "32 bytes in base64url without padding"),
        ),
    ],
    others: Others::Allowed,
};

fn is_link(text: &str) -> bool {
    from_base64url::<32>(text).is_some()
}
