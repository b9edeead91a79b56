// SPDX-License-Identifier: Apache-2.0
//! Tells the formats apart and verifies.

use ambit_canon::{Digest, Limits, Value, parse, write};

use crate::encoding::quoted;
use crate::key::KeySet;
use crate::verdict::{Format, Status, Verdict, VerdictCode};
use crate::{acta, csc};

/// Bounds of a receipt: 1 MiB, 64 levels of nesting.
pub const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_depth: 64,
};

/// A reason that is not `Ok`, in code and words.
pub(crate) type Fault = (VerdictCode, String);

/// Verifies a receipt of either format against the trusted keys.
///
/// A document with `payload` has the shape of an Acta envelope; one with `receipt_version`, or with
/// a signature that names its `algorithm`, has that of a csc receipt. One with both or neither is
/// undecidable. The keys come from `keys` alone; a key inside the receipt is never used.
///
/// Where more than one thing is wrong, the first of these is reported: JSON, shape, signature
/// member, algorithm, encoding, issuer, key, signature, the rules of the format.
#[must_use]
pub fn verify(document: &[u8], keys: &KeySet) -> Verdict {
    let value = match parse(document, &LIMITS) {
        Ok(value) => value,
        Err(error) => {
            let detail = format!("{}: {error}", error.kind.code());
            return verdict(
                None,
                &Value::Null,
                None,
                Err((VerdictCode::MalformedJson, detail)),
            );
        }
    };
    let digest = Some(Digest::of(write(&value).as_bytes()));
    match detect(&value) {
        Ok(Format::Acta) => {
            let outcome = acta::verify_envelope(&value, keys);
            verdict(Some(Format::Acta), &value, digest, outcome)
        }
        Ok(Format::Csc) => {
            let outcome = csc::verify_receipt(document, &value, keys);
            verdict(Some(Format::Csc), &value, digest, outcome)
        }
        Err(fault) => verdict(None, &value, digest, Err(fault)),
    }
}

/// Checks `signature` over `message` by the keys that may have made it.
pub(crate) fn check_signature(
    keys: &KeySet,
    key_id: &str,
    message: &str,
    signature: &[u8; 64],
) -> Result<(), Fault> {
    if keys.is_empty() {
        return Err((
            VerdictCode::NoKey,
            "no key was given to verify with".to_owned(),
        ));
    }
    let candidates = keys.candidates(key_id);
    if candidates.is_empty() {
        let detail = format!(
            "the receipt names the key {}, which was not given",
            quoted(key_id)
        );
        return Err((VerdictCode::UnknownKey, detail));
    }
    if candidates
        .iter()
        .any(|key| key.verify(message.as_bytes(), signature))
    {
        return Ok(());
    }
    let detail = "the signature is not the given key's over this document".to_owned();
    Err((VerdictCode::InvalidSignature, detail))
}

fn detect(value: &Value) -> Result<Format, Fault> {
    let unknown = |detail: &str| Err((VerdictCode::UnknownFormat, detail.to_owned()));
    let Some(object) = value.as_object() else {
        return unknown("a receipt is an object");
    };
    let algorithm = object
        .get("signature")
        .and_then(|signature| signature.get("algorithm"));
    let csc = object.contains("receipt_version") || algorithm.is_some();
    match (object.contains("payload"), csc) {
        (true, false) => Ok(Format::Acta),
        (false, true) => Ok(Format::Csc),
        (true, true) => unknown("the document has the members of two receipt formats"),
        (false, false) => unknown("the document has neither `payload` nor `receipt_version`"),
    }
}

fn verdict(
    format: Option<Format>,
    value: &Value,
    digest: Option<Digest>,
    outcome: Result<(), Fault>,
) -> Verdict {
    let (code, detail) = match outcome {
        Ok(()) => (VerdictCode::Ok, "signature and format hold".to_owned()),
        Err(fault) => fault,
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let signature = value.get("signature");
    let (key_id, payload_type) = match format {
        Some(Format::Acta) => (
            text(signature.and_then(|it| it.get("kid"))),
            text(value.get("payload").and_then(|it| it.get("type"))),
        ),
        Some(Format::Csc) => (
            text(signature.and_then(|it| it.get("key_id"))),
            text(value.get("receipt_version")),
        ),
        None => (None, None),
    };
    // INVARIANT: only the one `Ok` above is valid.
    let status: Status = code.status(format);
    Verdict {
        status,
        code,
        detail,
        format,
        key_id,
        payload_type,
        digest,
    }
}
