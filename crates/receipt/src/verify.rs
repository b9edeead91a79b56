// SPDX-License-Identifier: Apache-2.0
//! Verifies a receipt of whatever format.

use ambit_canon::{Digest, Limits, Value, parse, write};

use crate::detect::detect;
use crate::encoding::{hex, quoted};
use crate::key::{KeySet, KeyStatus, Trusted};
use crate::legacy::{agt, bilateral, flat, python, sb_runtime, v2};
use crate::time::Instant;
use crate::verdict::{Format, Status, Verdict, VerdictCode};
use crate::{acta, csc};

/// Bounds of a receipt: 1 MiB, 64 levels of nesting.
pub const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_depth: 64,
};

/// A reason that is not `Ok`, in code and words.
pub(crate) type Fault = (VerdictCode, String);

/// A document whose signature is by a trusted key.
pub(crate) struct Signed<'a> {
    /// The entries of the one key that made the signature.
    pub(crate) by: Vec<&'a Trusted>,
    /// What the rules of the format say.
    pub(crate) rules: Result<(), Fault>,
}

/// Verifies a receipt of any [`Format`] against the trusted keys.
///
/// The format is told by the document's shape; one with the shape of none or of two is undecidable.
/// The keys come from `keys` alone; a key inside the receipt is never used.
///
/// Where more than one thing is wrong, the first of these is reported: JSON, shape, signature
/// member, algorithm, encoding, issuer, key, signature, the rules of the format, the key's window
/// and revocation. A time that a window cannot be applied to is reported before the rules.
#[must_use]
pub fn verify(document: &[u8], keys: &KeySet) -> Verdict {
    examine(document, keys).0
}

/// Verifies a receipt, and returns what it parses to for whoever asks what it says.
pub(crate) fn examine(document: &[u8], keys: &KeySet) -> (Verdict, Option<Value>) {
    let value = match parse(document, &LIMITS) {
        Ok(value) => value,
        Err(error) => {
            let detail = format!("{}: {error}", error.kind.code());
            let fault = (VerdictCode::MalformedJson, detail);
            return (told(None, &Value::Null, fault), None);
        }
    };
    let text = write(&value);
    let digest = Some(Digest::of(text.as_bytes()));
    let verdict = match detect(&value) {
        Err(fault) => told(None, &value, fault),
        Ok(format) => match check(format, document, &value, keys) {
            Err(fault) => told(Some(format), &value, fault),
            Ok(signed) => {
                let verdict = judge(format, &value, &signed, keys);
                let canonical = verdict.status == Status::Valid
                    && is_canonical(format, document, &value, &text);
                named_canonical(verdict, canonical)
            }
        },
    };
    (Verdict { digest, ..verdict }, Some(value))
}

fn check<'a>(
    format: Format,
    document: &[u8],
    value: &Value,
    keys: &'a KeySet,
) -> Result<Signed<'a>, Fault> {
    match format {
        Format::Acta => acta::verify_envelope(value, keys),
        Format::AgtBilateral => bilateral::verify(document, value, keys),
        Format::AgtSkill => agt::verify(document, value, keys),
        Format::Csc => csc::verify_receipt(document, value, keys),
        Format::Flat => flat::verify(value, keys),
        Format::SbRuntime => sb_runtime::verify(document, value, keys),
        Format::V2 => v2::verify(value, keys),
    }
}

/// Judges a receipt that a trusted key signed.
fn judge(format: Format, value: &Value, signed: &Signed<'_>, keys: &KeySet) -> Verdict {
    let written = issue_time(format, value);
    let issued = written.and_then(Instant::parse);
    let key_status = keys.place(&signed.by, issued.as_ref());
    let unplaced = key_status == KeyStatus::Undecidable && written.is_some() && issued.is_none();
    let (code, detail) = match &signed.rules {
        Err((code, detail)) if !unplaced => (*code, detail.clone()),
        Ok(()) | Err(_) => {
            let revoked = keys.is_revoked(&signed.by);
            let (code, detail) = placed(key_status, revoked);
            (code, format!("{detail}{}", unsigned(format, value, code)))
        }
    };
    Verdict {
        key_status: Some(key_status),
        ..told(Some(format), value, (code, detail))
    }
}

/// What follows from the key's status for a receipt that is right otherwise.
const fn placed(status: KeyStatus, revoked: bool) -> (VerdictCode, &'static str) {
    match (status, revoked) {
        (KeyStatus::Outside, _) => (
            VerdictCode::KeyOutsideWindow,
            "the receipt is dated outside of the key's window of validity",
        ),
        (KeyStatus::Revoked, _) => (
            VerdictCode::KeyRevoked,
            "the receipt is dated at or after the key's revocation",
        ),
        (KeyStatus::Undecidable, _) => (
            VerdictCode::KeyWindowUndecidable,
            "the key's window cannot be applied: one of its bounds or the receipt's own time cannot be \
             read or placed, or it ends before it begins",
        ),
        (KeyStatus::Inside | KeyStatus::NotEstablished, true) => (
            VerdictCode::Ok,
            "signature and format hold; the key was revoked later, and that the receipt is older is \
             the signer's own word",
        ),
        (KeyStatus::Inside, false) => (
            VerdictCode::Ok,
            "signature and format hold; dated within the key's window",
        ),
        (KeyStatus::NotEstablished, false) => (VerdictCode::Ok, "signature and format hold"),
    }
}

/// Returns what a valid receipt of the format says without signing it.
fn unsigned(format: Format, value: &Value, code: VerdictCode) -> &'static str {
    match (format, code, value.get("result")) {
        (Format::AgtBilateral, VerdictCode::Ok, Some(Value::Null)) => {
            "; an authorization alone: that no result was taken away, nobody signs"
        }
        (Format::AgtBilateral, VerdictCode::Ok, _) => "; when the result was sealed, nobody signs",
        _ => "",
    }
}

/// Returns the time at which the receipt says it was issued, from among its signed members.
pub(crate) fn issue_time(format: Format, value: &Value) -> Option<&str> {
    let holder = match format {
        Format::Acta | Format::AgtBilateral | Format::AgtSkill | Format::SbRuntime => {
            value.get("payload")
        }
        Format::Csc => value.get("signature"),
        Format::Flat | Format::V2 => Some(value),
    };
    let name = match format {
        Format::Acta | Format::AgtBilateral | Format::AgtSkill | Format::Flat | Format::V2 => {
            "issued_at"
        }
        Format::Csc => "signed_at",
        Format::SbRuntime => "timestamp",
    };
    holder?.get(name)?.as_str()
}

/// Whether `document` is the canonical text of a valid receipt; `text` is its RFC 8785 text.
fn is_canonical(format: Format, document: &[u8], value: &Value, text: &str) -> bool {
    match format {
        Format::Acta | Format::Flat | Format::SbRuntime | Format::V2 => document == text.as_bytes(),
        Format::AgtBilateral | Format::AgtSkill => {
            python::text(document, value).is_some_and(|text| document == text.as_bytes())
        }
        Format::Csc => document == csc::stored_text(value).as_bytes(),
    }
}

fn named_canonical(verdict: Verdict, canonical: bool) -> Verdict {
    let mut detail = verdict.detail;
    if verdict.status == Status::Valid && !canonical {
        detail.push_str(
            "; the text differs from the canonical one only in white space, order of members, or \
             equal spellings",
        );
    }
    Verdict {
        detail,
        canonical,
        ..verdict
    }
}

/// Checks `signature` over `message` by the keys that may have made it.
pub(crate) fn check_signature<'a>(
    keys: &'a KeySet,
    key_id: &str,
    message: &str,
    signature: &[u8; 64],
) -> Result<Vec<&'a Trusted>, Fault> {
    check_by(keys, &keys.candidates(key_id), message, signature, || {
        format!("names the key {}", quoted(key_id))
    })
}

/// Checks `signature` by a key whose name `key_id` is not signed: only the key itself may bear it.
pub(crate) fn check_named_signature<'a>(
    keys: &'a KeySet,
    key_id: &str,
    message: &str,
    signature: &[u8; 64],
) -> Result<Vec<&'a Trusted>, Fault> {
    check_by(keys, &keys.named(key_id), message, signature, || {
        format!("names the key {}", quoted(key_id))
    })
}

/// Checks `signature` by the trusted key that equals `pinned`.
pub(crate) fn check_pinned_signature<'a>(
    keys: &'a KeySet,
    pinned: &[u8; 32],
    message: &str,
    signature: &[u8; 64],
) -> Result<Vec<&'a Trusted>, Fault> {
    let mut candidates = keys.all();
    candidates.retain(|trusted| trusted.key.as_bytes() == pinned);
    check_by(keys, &candidates, message, signature, || {
        format!("carries the key {}", hex(pinned))
    })
}

/// Checks `signature` by every key, for a receipt that names none.
pub(crate) fn check_any_signature<'a>(
    keys: &'a KeySet,
    message: &str,
    signature: &[u8; 64],
) -> Result<Vec<&'a Trusted>, Fault> {
    check_by(keys, &keys.all(), message, signature, || {
        "names no key".to_owned()
    })
}

fn check_by<'a>(
    keys: &'a KeySet,
    candidates: &[&'a Trusted],
    message: &str,
    signature: &[u8; 64],
    claim: impl Fn() -> String,
) -> Result<Vec<&'a Trusted>, Fault> {
    if keys.is_empty() {
        let detail = "no key was given to verify with".to_owned();
        return Err((VerdictCode::NoKey, detail));
    }
    if candidates.is_empty() {
        let detail = format!("the receipt {}, which was not given", claim());
        return Err((VerdictCode::UnknownKey, detail));
    }
    let verifies = |it: &&&Trusted| it.key.verify(message.as_bytes(), signature);
    if let Some(found) = candidates.iter().find(verifies) {
        let same = |it: &&&Trusted| it.key == found.key;
        return Ok(candidates.iter().filter(same).copied().collect());
    }
    let detail = "the signature is not the given key's over this document".to_owned();
    Err((VerdictCode::InvalidSignature, detail))
}

/// A verdict of what the document says of itself, without digest and without a key's word.
fn told(format: Option<Format>, value: &Value, fault: Fault) -> Verdict {
    let (code, detail) = fault;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let signature = value.get("signature");
    let (key_id, payload_type) = match format {
        Some(Format::Acta | Format::AgtBilateral | Format::AgtSkill) => (
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
    // INVARIANT: only `placed` gives `Ok`.
    let status: Status = code.status(format);
    Verdict {
        status,
        code,
        detail,
        format,
        key_id,
        payload_type,
        key_status: None,
        canonical: false,
        digest: None,
    }
}
