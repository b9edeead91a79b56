// SPDX-License-Identifier: Apache-2.0
//! One event: the payload of an envelope of type `ambit:key`.

use ambit_canon::{Digest, Number, Object, Value, parse, write};

use super::KeyLogFault;
use crate::encoding::from_hex;
use crate::key::VerifyingKey;
use crate::schema::{Check, Others, Shape, TEXT, check_object, may, must};
use crate::time::is_date_time;
use crate::verify::LIMITS;

/// An event as its line says, its signature not yet checked.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) log_id: String,
    pub(super) seq: u64,
    pub(super) previous: Option<String>,
    pub(super) issued_at: String,
    /// `kid` and `issuer_id`: the thumbprint of the key that signed.
    pub(super) issuer: String,
    pub(super) what: What,
}

/// What happened.
#[derive(Debug)]
pub(super) enum What {
    /// The log begins with this key, or begins again after its last key was revoked.
    Created {
        key: VerifyingKey,
        valid_from: Option<String>,
    },
    /// A key is no longer good from a time on.
    Revoked {
        key_id: String,
        revoked_at: String,
        reason: Option<String>,
    },
    /// This key takes the place of the current one.
    Rotated {
        key: VerifyingKey,
        proof: [u8; 64],
        /// What `proof` must be over.
        proven: Vec<u8>,
    },
}

impl Event {
    /// Reads a line, without its line feed.
    pub(super) fn read(line: &[u8]) -> Result<Self, KeyLogFault> {
        let envelope = parse(line, &LIMITS).ok().ok_or(KeyLogFault::Malformed)?;
        if write(&envelope).as_bytes() != line {
            return Err(KeyLogFault::Malformed);
        }
        let payload = envelope.get("payload").and_then(Value::as_object);
        let payload = payload.ok_or(KeyLogFault::Malformed)?;
        let shape = match text(payload, "event").as_deref() {
            Some("created") => &CREATED,
            Some("revoked") => &REVOKED,
            Some("rotated") => &ROTATED,
            _ => return Err(KeyLogFault::Malformed),
        };
        check_object(payload, shape, "", Others::Refused).map_err(KeyLogFault::Schema)?;
        Self::of(payload).ok_or(KeyLogFault::Malformed)
    }

    /// Takes a payload that keeps its shape.
    fn of(payload: &Object) -> Option<Self> {
        let key = || read_key(payload.get("key")?);
        let what = match text(payload, "event")?.as_str() {
            "created" => What::Created {
                key: key()?,
                valid_from: text(payload, "valid_from"),
            },
            "revoked" => What::Revoked {
                key_id: text(payload, "key_id")?,
                revoked_at: text(payload, "revoked_at")?,
                reason: text(payload, "reason"),
            },
            _ => What::Rotated {
                key: key()?,
                proof: from_hex(&text(payload, "proof")?)?,
                proven: proven(payload),
            },
        };
        Some(Self {
            log_id: text(payload, "log_id")?,
            seq: u64::try_from(payload.get("seq")?.as_i64()?).ok()?,
            previous: text(payload, "previousReceiptHash"),
            issued_at: text(payload, "issued_at")?,
            issuer: text(payload, "issuer_id")?,
            what,
        })
    }
}

/// Returns the members that every event has.
pub(super) fn payload(
    event: &str,
    log_id: &str,
    place: (u64, Option<Digest>),
    issued_at: &str,
    issuer: &VerifyingKey,
) -> Object {
    let (seq, previous) = place;
    let mut payload: Object = [
        ("event", event),
        ("issued_at", issued_at),
        ("issuer_id", &issuer.thumbprint()),
        ("log_id", log_id),
        ("type", "ambit:key"),
    ]
    .into_iter()
    .collect();
    let seq = i64::try_from(seq)
        .ok()
        .and_then(|seq| Number::try_from(seq).ok());
    payload.insert("seq", seq.map_or(Value::Null, Value::from));
    if let Some(previous) = previous {
        payload.insert("previousReceiptHash", previous.prefixed());
    }
    payload
}

/// Returns a key as its event holds it.
pub(super) fn key_member(key: &VerifyingKey) -> Object {
    let text = crate::encoding::base64url(key.as_bytes());
    [("crv", "Ed25519"), ("kty", "OKP"), ("x", &text)]
        .into_iter()
        .collect()
}

/// Returns what the new key of a rotation signs: words that no receipt and no signed note begins
/// with, and the payload without the proof.
pub(super) fn proven(payload: &Object) -> Vec<u8> {
    let mut bare = payload.clone();
    bare.remove("proof");
    format!("{PROOF}{}", write(&Value::Object(bare))).into_bytes()
}

/// Whether `text` is a time as events have it: UTC, milliseconds, 24 characters. Such times compare as
/// text.
pub(super) fn is_event_time(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && text.get(10..11) == Some("T") && is_date_time(text)
}

fn text(payload: &Object, name: &str) -> Option<String> {
    payload.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Reads a key that is exactly the JWK that RFC 7638 hashes.
fn read_key(value: &Value) -> Option<VerifyingKey> {
    let text = write(value);
    let key = VerifyingKey::from_jwk(text.as_bytes()).ok()?;
    (key.to_jwk() == text).then_some(key)
}

fn is_thumbprint(text: &str) -> bool {
    crate::encoding::from_base64url::<32>(text).is_some()
}

fn is_log_id(text: &str) -> bool {
    from_hex::<16>(text).is_some()
}

fn is_signature(text: &str) -> bool {
    from_hex::<64>(text).is_some()
}

fn is_reason(text: &str) -> bool {
    !text.is_empty() && text.len() <= 1024
}

const PROOF: &str = "ambit:key-possession:v1\n";
const TIME: Check = Check::String(is_event_time, "a time in UTC with milliseconds");
const THUMBPRINT: Check = Check::String(is_thumbprint, "an RFC 7638 thumbprint");
const DIGEST: Check = Check::String(is_digest, "`sha256:` and 64 lowercase hex digits");

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hex| from_hex::<32>(hex).is_some())
}

static KEY: Shape = Shape {
    members: &[must("crv", TEXT), must("kty", TEXT), must("x", TEXT)],
    others: Others::Refused,
};

static CREATED: Shape = Shape {
    members: &[
        must("event", TEXT),
        must("issued_at", TIME),
        must("issuer_id", THUMBPRINT),
        must("key", Check::Object(&KEY)),
        must(
            "log_id",
            Check::String(is_log_id, "32 lowercase hex digits"),
        ),
        may("previousReceiptHash", DIGEST),
        must("seq", Check::Integer(1)),
        must("type", Check::OneOf(&["ambit:key"])),
        may("valid_from", TIME),
    ],
    others: Others::Refused,
};

static REVOKED: Shape = Shape {
    members: &[
        must("event", TEXT),
        must("issued_at", TIME),
        must("issuer_id", THUMBPRINT),
        must("key_id", THUMBPRINT),
        must(
            "log_id",
            Check::String(is_log_id, "32 lowercase hex digits"),
        ),
        must("previousReceiptHash", DIGEST),
        may("reason", Check::String(is_reason, "1 to 1024 bytes")),
        must("revoked_at", TIME),
        must("seq", Check::Integer(2)),
        must("type", Check::OneOf(&["ambit:key"])),
    ],
    others: Others::Refused,
};

static ROTATED: Shape = Shape {
    members: &[
        must("event", TEXT),
        must("issued_at", TIME),
        must("issuer_id", THUMBPRINT),
        must("key", Check::Object(&KEY)),
        must(
            "log_id",
            Check::String(is_log_id, "32 lowercase hex digits"),
        ),
        must("previousReceiptHash", DIGEST),
        must(
            "proof",
            Check::String(is_signature, "128 lowercase hex digits"),
        ),
        must("seq", Check::Integer(2)),
        must("type", Check::OneOf(&["ambit:key"])),
    ],
    others: Others::Refused,
};
