// SPDX-License-Identifier: Apache-2.0
//! The envelope: `{payload, payloadType, signatures: [{keyid?, sig}]}`.

use ambit_canon::{Limits, Object, Value, parse, write};

use super::DsseError;
use crate::encoding::{base64, from_either_base64};
use crate::key::{KeyError, KeySet, Sign, Trusted};
use crate::schema::{Check, Others, STRING, SchemaError, Shape, TEXT, check_object, may, must};

/// Returns the pre-authentication encoding, which is what a signature covers:
/// `DSSEv1 LEN(type) type LEN(body) body`, lengths in bytes and in decimal digits.
pub fn pae(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Signs a payload and returns the envelope's RFC 8785 text.
pub(super) fn seal(payload_type: &str, body: &[u8], key: &dyn Sign) -> Result<String, KeyError> {
    let sig = base64(&key.sign(&pae(payload_type, body))?);
    let keyid = key.verifying_key().thumbprint();
    let signature: Object = [("keyid", keyid), ("sig", sig)].into_iter().collect();
    let envelope: Object = [
        ("payload", Value::from(base64(body))),
        ("payloadType", Value::from(payload_type)),
        ("signatures", Value::from(vec![Value::Object(signature)])),
    ]
    .into_iter()
    .collect();
    Ok(write(&Value::Object(envelope)))
}

/// An envelope whose signatures are not verified yet.
pub(super) struct Opened {
    /// The payload's bytes.
    pub(super) body: Vec<u8>,
    message: Vec<u8>,
    signatures: Vec<(Option<String>, Vec<u8>)>,
}

/// Reads an envelope of this payload type.
pub(super) fn open(envelope: &[u8], payload_type: &str) -> Result<Opened, DsseError> {
    let value = parse(envelope, &LIMITS).map_err(DsseError::Json)?;
    let fault = |path: &str, expected: &str| DsseError::Schema(SchemaError::new(path, expected));
    let Value::Object(envelope) = value else {
        return Err(fault("envelope", "an object"));
    };
    check_object(&envelope, &ENVELOPE, "", Others::Allowed).map_err(DsseError::Schema)?;
    let text = |object: &Object, name| object.get(name).and_then(Value::as_str).map(str::to_owned);
    if text(&envelope, "payloadType").as_deref() != Some(payload_type) {
        return Err(fault("payloadType", "`application/vnd.in-toto+json`"));
    }
    let decoded = text(&envelope, "payload").and_then(|it| from_either_base64(&it));
    let body = decoded.ok_or_else(|| fault("payload", "padded base64"))?;
    let rows = envelope.get("signatures").and_then(Value::as_array);
    let rows = rows.unwrap_or_default();
    if rows.is_empty() || rows.len() > MAX_SIGNATURES {
        return Err(fault("signatures", "1 to 16 signatures"));
    }
    let mut signatures = Vec::with_capacity(rows.len());
    for row in rows.iter().filter_map(Value::as_object) {
        let sig = text(row, "sig").and_then(|it| from_either_base64(&it));
        let sig = sig.ok_or_else(|| fault("signatures", "padded base64 in every `sig`"))?;
        signatures.push((text(row, "keyid").filter(|id| !id.is_empty()), sig));
    }
    Ok(Opened {
        message: pae(payload_type, &body),
        body,
        signatures,
    })
}

impl Opened {
    /// Returns the trusted keys that signed, each as all entries under which it is trusted; there is
    /// at least one.
    pub(super) fn proven<'a>(&self, keys: &'a KeySet) -> Result<Vec<Vec<&'a Trusted>>, DsseError> {
        let mut proven = Vec::new();
        let mut tried = false;
        let all = keys.all();
        for (keyid, sig) in &self.signatures {
            // signatures of other algorithms have other lengths; they are somebody else's
            let Ok(sig) = <[u8; 64]>::try_from(sig.as_slice()) else {
                continue;
            };
            // nobody signs the id: it rules no key out, and only says whose fault a mismatch is
            tried |= match keyid {
                Some(id) => !keys.candidates(id).is_empty(),
                None => !all.is_empty(),
            };
            let verifies = |it: &&&Trusted| it.key.verify(&self.message, &sig);
            if let Some(found) = all.iter().find(verifies) {
                let same = |it: &&&Trusted| it.key == found.key;
                proven.push(all.iter().filter(same).copied().collect());
            }
        }
        match (proven.is_empty(), tried) {
            (false, _) => Ok(proven),
            (true, true) => Err(DsseError::Signature),
            (true, false) => Err(DsseError::UnknownKey),
        }
    }
}

static ENVELOPE: Shape = Shape {
    members: &[
        must("payload", STRING),
        must("payloadType", TEXT),
        must("signatures", Check::List(&Check::Object(&SIGNATURE))),
    ],
    others: Others::Allowed,
};

static SIGNATURE: Shape = Shape {
    members: &[may("keyid", Check::Nullable(&STRING)), must("sig", TEXT)],
    others: Others::Allowed,
};

const MAX_SIGNATURES: usize = 16;
/// Of an envelope, and of the statement inside.
pub(super) const LIMITS: Limits = Limits {
    max_bytes: 16 << 20,
    max_depth: 64,
};
