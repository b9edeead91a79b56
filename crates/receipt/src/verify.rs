// SPDX-License-Identifier: Apache-2.0
//! Verifies a receipt of whatever format.

use ambit_canon::{Digest, Limits, Value, parse, write};

use crate::detect::detect;
use crate::encoding::{hex, quoted};
use crate::key::{KeySet, VerifyingKey};
use crate::legacy::{agt, flat, sb_runtime, v2};
use crate::verdict::{Format, Status, Verdict, VerdictCode};
use crate::{acta, csc};

/// Bounds of a receipt: 1 MiB, 64 levels of nesting.
pub const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_depth: 64,
};

/// A reason that is not `Ok`, in code and words.
pub(crate) type Fault = (VerdictCode, String);

/// Verifies a receipt of any [`Format`] against the trusted keys.
///
/// The format is told by the document's shape; one with the shape of none or of two is undecidable.
/// The keys come from `keys` alone; a key inside the receipt is never used.
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
    let format = match detect(&value) {
        Ok(format) => format,
        Err(fault) => return verdict(None, &value, digest, Err(fault)),
    };
    let outcome = match format {
        Format::Acta => acta::verify_envelope(&value, keys),
        Format::AgtSkill => agt::verify(document, &value, keys),
        Format::Csc => csc::verify_receipt(document, &value, keys),
        Format::Flat => flat::verify(&value, keys),
        Format::SbRuntime => sb_runtime::verify(document, &value, keys),
        Format::V2 => v2::verify(&value, keys),
    };
    verdict(Some(format), &value, digest, outcome)
}

/// Checks `signature` over `message` by the keys that may have made it.
pub(crate) fn check_signature(
    keys: &KeySet,
    key_id: &str,
    message: &str,
    signature: &[u8; 64],
) -> Result<(), Fault> {
    check_by(keys, &keys.candidates(key_id), message, signature, || {
        format!("names the key {}", quoted(key_id))
    })
}

/// Checks `signature` by a key whose name `key_id` is not signed: only the key itself may bear it.
pub(crate) fn check_named_signature(
    keys: &KeySet,
    key_id: &str,
    message: &str,
    signature: &[u8; 64],
) -> Result<(), Fault> {
    check_by(keys, &keys.named(key_id), message, signature, || {
        format!("names the key {}", quoted(key_id))
    })
}

/// Checks `signature` by the trusted key that equals `pinned`.
pub(crate) fn check_pinned_signature(
    keys: &KeySet,
    pinned: &[u8; 32],
    message: &str,
    signature: &[u8; 64],
) -> Result<(), Fault> {
    let mut candidates = keys.all();
    candidates.retain(|key| key.as_bytes() == pinned);
    check_by(keys, &candidates, message, signature, || {
        format!("carries the key {}", hex(pinned))
    })
}

/// Checks `signature` by every key, for a receipt that names none.
pub(crate) fn check_any_signature(
    keys: &KeySet,
    message: &str,
    signature: &[u8; 64],
) -> Result<(), Fault> {
    check_by(keys, &keys.all(), message, signature, || {
        "names no key".to_owned()
    })
}

fn check_by(
    keys: &KeySet,
    candidates: &[VerifyingKey],
    message: &str,
    signature: &[u8; 64],
    claim: impl Fn() -> String,
) -> Result<(), Fault> {
    if keys.is_empty() {
        let detail = "no key was given to verify with".to_owned();
        return Err((VerdictCode::NoKey, detail));
    }
    if candidates.is_empty() {
        let detail = format!("the receipt {}, which was not given", claim());
        return Err((VerdictCode::UnknownKey, detail));
    }
    let verifies = |key: &VerifyingKey| key.verify(message.as_bytes(), signature);
    if candidates.iter().any(verifies) {
        return Ok(());
    }
    let detail = "the signature is not the given key's over this document".to_owned();
    Err((VerdictCode::InvalidSignature, detail))
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
        Some(Format::Acta | Format::AgtSkill) => (
            text(signature.and_then(|it| it.get("kid"))),
            text(value.get("payload").and_then(|it| it.get("type"))),
        ),
        Some(Format::Csc) => (
            text(signature.and_then(|it| it.get("key_id"))),
            text(value.get("receipt_version")),
        ),
        Some(Format::Flat | Format::V2) => (text(value.get("kid")), text(value.get("type"))),
        Some(Format::SbRuntime) => (
            text(value.get("pubkey")),
            text(value.get("payload").and_then(|it| it.get("type"))),
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
