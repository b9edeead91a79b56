// SPDX-License-Identifier: Apache-2.0
//! `csc.receipt.v0.1`: receipts as csc-runner 0.5 writes, signs and verifies them.
//!
//! The signature covers the RFC 8785 text of the receipt with `signature` in it, but without
//! `signature.signature`; nulls stay. csc-runner sorts names by code point and writes floats as
//! Python does: for the published members, ASCII names and integers, that is the same text. A
//! receipt with a number of any other spelling (`0.0`, `-0`) is refused as `NON_CANONICAL`.
//!
//! Stricter than csc-runner, on purpose: the receipt must keep the published schema, its status
//! must fit its exit code, the signature object has exactly its four members, and base64 has one
//! spelling.

mod print;
mod rules;

use ambit_canon::{CanonError, Object, Value, parse_plain_integers, write};

use crate::encoding::{base64, from_base64, quoted};
use crate::key::{KeyError, KeySet, Sign};
use crate::schema::SchemaError;
use crate::time::is_date_time;
use crate::verdict::VerdictCode;
use crate::verify::{Fault, LIMITS, Signed, check_signature};

/// Signs a receipt and returns the text to store: members sorted, indented by two spaces, ASCII
/// only, with a line feed at the end, byte for byte as csc-runner writes it.
///
/// `receipt` is the receipt without its signature; `signed_at` an RFC 3339 time with its zone.
///
/// # Errors
///
/// A receipt that is not strict JSON, has a signature already or breaks the published rules is an
/// error, never a signature. [`CscError::Key`] where the key's keeper did not sign.
pub fn sign(
    receipt: &[u8],
    key: &dyn Sign,
    key_id: &str,
    signed_at: &str,
) -> Result<String, CscError> {
    let value = parse_plain_integers(receipt, &LIMITS).map_err(CscError::Json)?;
    let Value::Object(receipt) = value else {
        return Err(CscError::Schema(SchemaError::new("receipt", "an object")));
    };
    if receipt.contains("signature") {
        return Err(CscError::AlreadySigned);
    }
    if key_id.is_empty() {
        return Err(CscError::KeyId);
    }
    if !is_date_time(signed_at) {
        return Err(CscError::SignedAt);
    }
    rules::check(&receipt, key_id).map_err(CscError::Schema)?;
    let sealed = seal(receipt, key, key_id, signed_at).map_err(CscError::Key)?;
    let text = print::pretty(&Value::Object(sealed));
    if text.len() > LIMITS.max_bytes {
        return Err(CscError::TooLarge);
    }
    Ok(text)
}

/// Why a receipt was not signed.
#[derive(Debug, thiserror::Error)]
pub enum CscError {
    /// The receipt has a member `signature`.
    #[error("receipt has a signature already")]
    AlreadySigned,
    /// The receipt is not strict JSON with plain integers.
    #[error("malformed receipt")]
    Json(#[source] CanonError),
    /// The key did not sign.
    #[error("the key did not sign")]
    Key(#[source] KeyError),
    /// The key id is empty.
    #[error("key id is empty")]
    KeyId,
    /// The receipt breaks the rules of `csc.receipt.v0.1`.
    #[error("receipt breaks the rules of csc.receipt.v0.1")]
    Schema(#[source] SchemaError),
    /// The time of signing is not an RFC 3339 time with its zone.
    #[error("time of signing is malformed; expected an RFC 3339 time with its zone")]
    SignedAt,
    /// The signed text would be larger than a verifier reads.
    #[error("signed receipt would be larger than 1 MiB")]
    TooLarge,
}

impl CscError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadySigned => "ERR_RECEIPT_ALREADY_SIGNED",
            Self::Json(_) => "ERR_RECEIPT_MALFORMED",
            Self::Key(error) => error.code(),
            Self::KeyId => "ERR_RECEIPT_KEY_ID",
            Self::Schema(_) => "ERR_RECEIPT_SCHEMA",
            Self::SignedAt => "ERR_RECEIPT_TIME",
            Self::TooLarge => "ERR_RECEIPT_TOO_LARGE",
        }
    }
}

/// Returns the text in which a receipt that keeps the schema is stored.
pub(crate) fn stored_text(receipt: &Value) -> String {
    print::pretty(receipt)
}

/// Adds the signature to anything that has none.
fn seal(
    receipt: Object,
    key: &dyn Sign,
    key_id: &str,
    signed_at: &str,
) -> Result<Object, KeyError> {
    let mut receipt = receipt;
    let mut signature: Object = [
        ("algorithm", ALGORITHM),
        ("key_id", key_id),
        ("signed_at", signed_at),
    ]
    .into_iter()
    .collect();
    receipt.insert("signature", signature.clone());
    let payload = write(&Value::Object(receipt.clone()));
    signature.insert("signature", base64(&key.sign(payload.as_bytes())?));
    receipt.insert("signature", signature);
    Ok(receipt)
}

/// Verifies a document that has the shape of a csc receipt.
pub(crate) fn verify_receipt<'a>(
    document: &[u8],
    value: &Value,
    keys: &'a KeySet,
) -> Result<Signed<'a>, Fault> {
    let Some(receipt) = value.as_object() else {
        return Err((
            VerdictCode::UnknownFormat,
            "a receipt is an object".to_owned(),
        ));
    };
    let (key_id, encoded, unsigned) = read_signature(receipt)?;
    if let Err(error) = parse_plain_integers(document, &LIMITS) {
        return Err((
            VerdictCode::NonCanonical,
            format!("{}: {error}", error.kind.code()),
        ));
    }
    let Some(signature) = from_base64(encoded) else {
        let detail = "signature.signature: expected padded base64 of 64 bytes".to_owned();
        return Err((VerdictCode::SignatureEncoding, detail));
    };
    let mut payload = receipt.clone();
    payload.insert("signature", unsigned);
    let payload = write(&Value::Object(payload));
    let by = check_signature(keys, key_id, &payload, &signature)?;
    let mut bare = receipt.clone();
    bare.remove("signature");
    let rules = rules::check(&bare, key_id)
        .map_err(|error| (VerdictCode::SchemaInvalid, error.to_string()));
    Ok(Signed { by, rules })
}

/// Returns the key id, the encoded signature, and the signature object without it.
fn read_signature(receipt: &Object) -> Result<(&str, &str, Object), Fault> {
    let malformed = |detail: &str| Err((VerdictCode::MalformedSignature, detail.to_owned()));
    let signature = match receipt.get("signature") {
        None | Some(Value::Null) => {
            let detail = "the receipt is not signed".to_owned();
            return Err((VerdictCode::MissingSignature, detail));
        }
        Some(signature) => signature,
    };
    let Some(members) = signature.as_object() else {
        return malformed("signature: expected an object");
    };
    match members.get("algorithm").map(Value::as_str) {
        Some(Some(ALGORITHM)) => {}
        Some(Some(other)) => {
            let detail = format!(
                "signature.algorithm is {}; expected `ed25519`",
                quoted(other)
            );
            return Err((VerdictCode::UnsupportedAlgorithm, detail));
        }
        None | Some(None) => return malformed("signature.algorithm: expected a string"),
    }
    let text = |name| {
        members
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let (Some(key_id), Some(encoded), Some(signed_at)) =
        (text("key_id"), text("signature"), text("signed_at"))
    else {
        return malformed("signature: expected `key_id`, `signature` and `signed_at`, not empty");
    };
    if !is_date_time(signed_at) {
        return malformed("signature.signed_at: expected an RFC 3339 time with its zone");
    }
    if members.len() != 4 {
        return malformed("signature: expected no further members");
    }
    let mut unsigned = members.clone();
    unsigned.remove("signature");
    Ok((key_id, encoded, unsigned))
}

const ALGORITHM: &str = "ed25519";

#[cfg(test)]
mod tests {
    use ambit_canon::parse;

    use super::*;
    use crate::key::SigningKey;
    use crate::verify;

    fn key(id: &str) -> SigningKey {
        let seed = if id == "vec-key-1" {
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        } else {
            "4242424242424242424242424242424242424242424242424242424242424242"
        };
        SigningKey::from_seed(&crate::encoding::from_hex(seed).unwrap())
    }

    /// csc-runner signs anything; so does the step behind our checks, with the same bytes.
    #[test]
    fn every_recorded_signature_is_reproduced() {
        let file = include_bytes!("../../../../__test__/vectors/receipts/csc/signing.json");
        let file = parse(file, &LIMITS).unwrap();
        for case in file.as_array().unwrap() {
            let text = |name| case.get(name).and_then(Value::as_str).unwrap();
            let key = key(text("key_id"));
            let receipt = case
                .get("receipt")
                .and_then(Value::as_object)
                .unwrap()
                .clone();
            let got = seal(receipt, &key, text("key_id"), text("signed_at")).unwrap();
            assert_eq!(
                Some(&Value::Object(got)),
                case.get("signed"),
                "{}",
                text("id")
            );
        }
        assert_eq!(file.as_array().map(<[Value]>::len), Some(6));
    }

    /// Receipts that a trusted key did sign, but that break the published rules.
    #[test]
    fn a_good_signature_does_not_make_a_bad_receipt_valid() {
        let baseline = include_bytes!("../../../../__test__/vectors/receipts/csc/runs/multi.json");
        let Ok(Value::Object(mut baseline)) = parse(baseline, &LIMITS) else {
            panic!("vector")
        };
        baseline.remove("signature");
        let mut keys = KeySet::new();
        keys.insert("k", key("vec-key-1").verifying_key());
        let judge = |receipt: Object| {
            let sealed = seal(receipt, &key("vec-key-1"), "k", "2026-01-01T00:00:00Z");
            let signed = write(&Value::Object(sealed.unwrap()));
            let verdict = verify(signed.as_bytes(), &keys);
            (
                verdict.code.as_str(),
                verdict.detail.split(':').next().map(str::to_owned),
            )
        };
        assert_eq!(judge(baseline.clone()).0, "OK");
        for (name, text) in RULES {
            let mut receipt = baseline.clone();
            match *text {
                "" => assert!(receipt.remove(name).is_some(), "{name}"),
                text => drop(receipt.insert(*name, parse(text.as_bytes(), &LIMITS).unwrap())),
            }
            let (code, path) = judge(receipt);
            assert_eq!(code, "SCHEMA_INVALID", "{name}: {text}");
            assert!(
                path.is_some_and(|path| path.trim_matches('`').starts_with(name)),
                "{name}: {text}"
            );
        }
        for (name, text) in ALLOWED {
            let mut receipt = baseline.clone();
            receipt.insert(*name, parse(text.as_bytes(), &LIMITS).unwrap());
            assert_eq!(judge(receipt).0, "OK", "{name}: {text}");
        }
    }

    /// A member, and the text that it must not have; no text: it must not be missing.
    const RULES: &[(&str, &str)] = &[
        ("receipt_version", "\"csc.receipt.v0.2\""),
        ("receipt_version", ""),
        ("contract_id", "\"\""),
        ("contract_id", ""),
        ("execution_id", ""),
        ("contract_sha256", "\"abc\""),
        ("contract_sha256", ""),
        ("status", "\"done\""),
        ("status", ""),
        ("started_at", "\"2026-01-01T00:00:00\""),
        ("ended_at", ""),
        ("policy_profile", "1"),
        ("policy_profile", ""),
        ("exit_code", ""),
        ("exit_code", "1"),
        ("exit_code", "\"0\""),
        ("exit_code", "null"),
        ("stdout_hash", ""),
        (
            "stdout_hash",
            "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
        ),
        ("stderr_hash", ""),
        ("stdout_truncated", "0"),
        ("stderr_truncated", "null"),
        ("artifacts", "{}"),
        ("artifacts", "[{\"path\":\"/a\"}]"),
        (
            "artifacts",
            "[{\"path\":\"a\",\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}]",
        ),
        ("policy_schema_version", "\"\""),
        ("policy_sha256", "\"sha256:00\""),
        ("runner_version", "null"),
        ("execution_mode", "\"soft\""),
        ("sandbox_profile_id", "\"\""),
        ("signing_key_id", "\"other\""),
        ("effect_summary", "{\"files_written\":-1}"),
        ("effect_summary", "{\"more\":1}"),
        ("completed_command_ids", "[\"a\",\"a\"]"),
        ("completed_command_ids", "[\"\"]"),
        ("failed_command_id", "1"),
        ("error", "null"),
        ("more", "1"),
    ];

    const ALLOWED: &[(&str, &str)] = &[
        ("signing_key_id", "\"k\""),
        (
            "artifacts",
            "[{\"path\":\"/a\",\"sha256\":\"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\"}]",
        ),
        ("effect_summary", "{}"),
        ("stdout_truncated", "true"),
        ("sandbox_profile_id", "\"p\""),
        ("failed_command_id", "null"),
        ("started_at", "\"2026-01-01T00:00:00Z\""),
    ];
}
