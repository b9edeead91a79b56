// SPDX-License-Identifier: Apache-2.0
//! Receipts of the agent governance toolkit's bilateral extension: an authorization, and later its
//! result, in one document.
//!
//! `{payload, signature, authorization: {hash, sig}, bilateral: true, result}`; `payload` and
//! `signature` as in the skill's envelope, `result` `null` or `{hash, sig, sealed_at, data}`. `hash` is
//! `sha256:` and the digest of the payload's, or of `data`'s, Python text; `result.sig` is over both
//! hashes with a colon between them, by the key of the authorization.
//!
//! The toolkit's own check computes no hash again, so that a result of another receipt passes. Here
//! each hash is computed, and `authorization.sig` must be the envelope's. Two things nobody signs: that
//! there is no result yet, and `sealed_at`, of which only the order can be checked.

use ambit_canon::{Digest, Object, Value};

use super::{check_rules, python};
use crate::acta::read_signature;
use crate::encoding::from_base64url;
use crate::key::KeySet;
use crate::schema::{Check, Others, Shape, TEXT, TIME, must};
use crate::time::Instant;
use crate::verdict::VerdictCode;
use crate::verify::{Fault, Signed, check_named_signature};

/// Verifies a document of this shape.
pub(crate) fn verify<'a>(
    document: &[u8],
    value: &Value,
    keys: &'a KeySet,
) -> Result<Signed<'a>, Fault> {
    let known = |name: &str| MEMBERS.contains(&name);
    let (Some(envelope), Some(payload)) = (
        value.as_object().filter(|it| it.names().all(known)),
        value.get("payload").and_then(Value::as_object),
    ) else {
        let detail = "expected `payload`, an object, `signature`, `authorization`, `bilateral` and \
                      `result`, nothing more";
        return Err((VerdictCode::UnknownFormat, detail.to_owned()));
    };
    let (kid, sig) = read_signature(envelope.get("signature"))?;
    let signature = signature_bytes("signature.sig", sig)?;
    let text = |names: &[&str]| {
        python::member_text(document, value, names).ok_or_else(|| {
            let detail = "Python's text cannot be made again with certainty".to_owned();
            (VerdictCode::NotReproducible, detail)
        })
    };
    let input = text(&["payload"])?;
    let data = match envelope.get("result").and_then(Value::as_object) {
        Some(_) => Some(text(&["result", "data"])?),
        None => None,
    };
    let by = check_named_signature(keys, kid, &input, &signature)?;
    let by_the_same = |message: &str, signature: &[u8; 64]| {
        let mut keys = by.iter();
        keys.any(|it| it.key.verify(message.as_bytes(), signature))
    };
    let rules = check_rules(payload, &PAYLOAD)
        .and_then(|()| check_rules(envelope, &ENVELOPE))
        .and_then(|()| check_authorization(envelope, sig, &input))
        .and_then(|()| match &data {
            Some(data) => check_result(value, data, by_the_same),
            None => Ok(()),
        });
    Ok(Signed { by, rules })
}

/// The authorization names the payload and repeats its signature.
fn check_authorization(envelope: &Object, sig: &str, payload: &str) -> Result<(), Fault> {
    let member = |name| envelope.get("authorization")?.get(name)?.as_str();
    if member("hash") != Some(prefixed(payload).as_str()) {
        return mismatch("authorization.hash is not that of the payload");
    }
    if member("sig") != Some(sig) {
        let detail = "authorization.sig is not the signature of the payload".to_owned();
        return Err((VerdictCode::InvalidSignature, detail));
    }
    if envelope.get("bilateral").and_then(Value::as_bool) != Some(true) {
        let detail = "bilateral: expected true".to_owned();
        return Err((VerdictCode::SchemaInvalid, detail));
    }
    Ok(())
}

/// The result is what was sealed, for this authorization, by the same key, and not before it.
fn check_result(
    value: &Value,
    data: &str,
    verifies: impl Fn(&str, &[u8; 64]) -> bool,
) -> Result<(), Fault> {
    let text = |outer, inner| {
        let member = value.get(outer).and_then(|it: &Value| it.get(inner));
        member.and_then(Value::as_str).unwrap_or_default()
    };
    let hash = prefixed(data);
    if text("result", "hash") != hash {
        return mismatch("result.hash is not that of result.data");
    }
    let signature = signature_bytes("result.sig", text("result", "sig"))?;
    if !verifies(
        &format!("{}:{hash}", text("authorization", "hash")),
        &signature,
    ) {
        let detail = "result.sig is not the key's over this authorization and result".to_owned();
        return Err((VerdictCode::InvalidSignature, detail));
    }
    let [issued, sealed] = [text("payload", "issued_at"), text("result", "sealed_at")];
    if Instant::parse(sealed) < Instant::parse(issued) {
        let detail = "result.sealed_at: expected no time before `issued_at`".to_owned();
        return Err((VerdictCode::SchemaInvalid, detail));
    }
    Ok(())
}

fn mismatch(detail: &str) -> Result<(), Fault> {
    Err((VerdictCode::HashMismatch, detail.to_owned()))
}

fn prefixed(text: &str) -> String {
    Digest::of(text.as_bytes()).prefixed()
}

fn signature_bytes(member: &str, text: &str) -> Result<[u8; 64], Fault> {
    from_base64url(text).ok_or_else(|| {
        let detail = format!("{member}: expected 64 bytes in base64url without padding");
        (VerdictCode::SignatureEncoding, detail)
    })
}

const MEMBERS: [&str; 5] = [
    "payload",
    "signature",
    "authorization",
    "bilateral",
    "result",
];

static PAYLOAD: Shape = Shape {
    members: &[
        must("type", TEXT),
        must("decision", Check::OneOf(&["allow", "deny"])),
        must("phase", Check::OneOf(&["authorization"])),
        must("issued_at", TIME),
    ],
    others: Others::Allowed,
};

static ENVELOPE: Shape = Shape {
    members: &[
        must("authorization", Check::Object(&AUTHORIZATION)),
        must("bilateral", Check::Boolean),
        must("result", Check::Nullable(&Check::Object(&RESULT))),
    ],
    others: Others::Allowed,
};

static AUTHORIZATION: Shape = Shape {
    members: &[must("hash", TEXT), must("sig", TEXT)],
    others: Others::Allowed,
};

/// `data` may be anything, and is there: its text was made.
static RESULT: Shape = Shape {
    members: &[
        must("hash", TEXT),
        must("sig", TEXT),
        must("sealed_at", TIME),
    ],
    others: Others::Allowed,
};
