// SPDX-License-Identifier: Apache-2.0
//! Signs payloads: checked first, so that a bad payload is an error and never a signature.

use ambit_canon::{CanonError, CanonErrorKind, Limits, Object, Value, parse, write};

use super::{ALGORITHM, draft, has_ascii_names, rules};
use crate::encoding::hex;
use crate::key::{KeyError, Sign, VerifyingKey};
use crate::schema::{Others, SchemaError};
use crate::verify::LIMITS;

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
    let kid = name_issuer(&mut payload, &key.verifying_key(), KeyId::Thumbprint)?;
    if !rules::is_ours(&payload) {
        return Err(ActaError::Type);
    }
    rules::check(&payload, Others::Refused).map_err(ActaError::Schema)?;
    // What a verifier could not read must not be signed.
    let text = write(&Value::Object(payload));
    let payload = parse(text.as_bytes(), &PAYLOAD_LIMITS).map_err(ActaError::Limits)?;
    if !has_ascii_names(&payload) {
        return Err(ActaError::MemberName);
    }
    envelope(&text, key, &kid)
}

/// How an envelope is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignOptions {
    /// The name of the key in `kid` and `issuer_id`.
    pub key_id: KeyId,
    /// What becomes of payloads that say that nothing confined what they report.
    pub unsandboxed: Unsandboxed,
}

/// A name of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyId {
    /// `sb:issuer:` and twelve Base58 characters, as the draft recommends.
    Issuer,
    /// The RFC 7638 thumbprint.
    #[default]
    Thumbprint,
}

/// What becomes of payloads that say that nothing confined what they report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsandboxed {
    /// They are signed like others.
    Allowed,
    /// They are an error.
    #[default]
    Refused,
}

/// Signs a payload of any namespaced type, given as JSON text, and returns the exact bytes of its
/// envelope, in RFC 8785 form.
///
/// `issuer_id` may be left out. Our own types must keep all of their rules. Of other types the
/// members of the draft are checked where they are there (sections 2, 3 and 4), and those that
/// `protectmcp:decision`, `protectmcp:restraint` and `protectmcp:lifecycle` require must be there;
/// further members may stand beside them. `previousReceiptHash` must have its prefix.
///
/// # Errors
///
/// A payload that is not strict JSON, breaks the rules, or is larger than a verifier reads is an
/// error, never a signature. So is, without [`Unsandboxed::Allowed`], one whose `sandbox_backend` is
/// `none`, and an `ambit:execution` in which a command started that nothing confined.
pub fn sign(payload: &[u8], key: &dyn Sign, options: SignOptions) -> Result<Vec<u8>, ActaError> {
    let payload = parse(payload, &PAYLOAD_LIMITS).map_err(ActaError::Limits)?;
    let Value::Object(mut payload) = payload else {
        return Err(ActaError::Schema(SchemaError::new("payload", "an object")));
    };
    let kid = name_issuer(&mut payload, &key.verifying_key(), options.key_id)?;
    rules::check(&payload, Others::Refused).map_err(ActaError::Schema)?;
    if !rules::is_ours(&payload) {
        draft::check(&payload).map_err(ActaError::Schema)?;
    }
    if options.unsandboxed == Unsandboxed::Refused && is_unsandboxed(&payload) {
        return Err(ActaError::Unsandboxed);
    }
    let payload = Value::Object(payload);
    if !has_ascii_names(&payload) {
        return Err(ActaError::MemberName);
    }
    let text = write(&payload);
    // canonical text may be longer than its document: numbers lose their exponent
    if text.len() > PAYLOAD_LIMITS.max_bytes {
        return Err(ActaError::TooLarge);
    }
    envelope(&text, key, &kid)
}

/// Why a payload was not signed.
#[derive(Debug, thiserror::Error)]
pub enum ActaError {
    /// The payload names another issuer than the signing key.
    #[error("`issuer_id` is not the signing key's id")]
    IssuerMismatch,
    /// The key did not sign.
    #[error("the key did not sign")]
    Key(#[source] KeyError),
    /// The payload is not strict JSON, or larger or deeper than a verifier reads.
    #[error("payload is not strict JSON within the limits of a receipt")]
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
    /// The payload's canonical text is larger than a verifier reads.
    #[error("payload is larger than a receipt can be")]
    TooLarge,
    /// The payload's type is not one that we seal.
    #[error("unknown payload type; expected `ambit:decision` or `ambit:execution`")]
    Type,
    /// The payload says that nothing confined what it reports.
    #[error("the payload says that there was no sandbox; signing that needs an explicit choice")]
    Unsandboxed,
}

impl ActaError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::IssuerMismatch => "ERR_RECEIPT_ISSUER_MISMATCH",
            Self::Key(error) => error.code(),
            Self::Limits(error) if !is_size(error.kind) => "ERR_RECEIPT_MALFORMED",
            Self::Limits(_) | Self::TooLarge => "ERR_RECEIPT_TOO_LARGE",
            Self::MemberName | Self::Schema(_) | Self::SignatureMember => "ERR_RECEIPT_SCHEMA",
            Self::Type => "ERR_RECEIPT_TYPE",
            Self::Unsandboxed => "ERR_RECEIPT_UNSANDBOXED",
        }
    }
}

const fn is_size(kind: CanonErrorKind) -> bool {
    matches!(kind, CanonErrorKind::TooDeep | CanonErrorKind::TooLarge)
}

/// Sets `issuer_id`, or checks it, and returns the key's id.
fn name_issuer(
    payload: &mut Object,
    key: &VerifyingKey,
    key_id: KeyId,
) -> Result<String, ActaError> {
    if payload.contains("signature") {
        return Err(ActaError::SignatureMember);
    }
    let kid = match key_id {
        KeyId::Issuer => key.issuer_id(),
        KeyId::Thumbprint => key.thumbprint(),
    };
    match payload.get("issuer_id") {
        None => drop(payload.insert("issuer_id", kid.as_str())),
        Some(issuer) if issuer.as_str() == Some(kid.as_str()) => {}
        Some(_) => return Err(ActaError::IssuerMismatch),
    }
    Ok(kid)
}

/// Whether the payload says that something ran that nothing confined. A command whose program was
/// not found or could not be executed did not run.
fn is_unsandboxed(payload: &Object) -> bool {
    let text = |object: &Object, name: &str, word: &str| {
        object.get(name).and_then(Value::as_str) == Some(word)
    };
    let tier = payload.get("enforcement").and_then(|it| it.get("tier"));
    let ran_free = |command: &Object| {
        let started = !["not_executable", "not_found"]
            .iter()
            .any(|word| text(command, "termination", word));
        let tier = command.get("tier").or(tier).and_then(Value::as_str);
        started && tier == Some("none")
    };
    let commands = payload.get("commands").and_then(Value::as_array);
    let mut commands = commands.unwrap_or_default().iter();
    text(payload, "sandbox_backend", "none")
        || text(payload, "type", "ambit:execution")
            && commands.any(|command| command.as_object().is_some_and(ran_free))
}

/// Signs a payload's canonical text. The envelope's own members stand in canonical order, and no
/// character of a key's id needs an escape.
fn envelope(payload: &str, key: &dyn Sign, kid: &str) -> Result<Vec<u8>, ActaError> {
    let signature = key.sign(payload.as_bytes()).map_err(ActaError::Key)?;
    let sig = hex(&signature);
    let parts = [
        "{\"payload\":",
        payload,
        ",\"signature\":{\"alg\":\"",
        ALGORITHM,
        "\",\"kid\":\"",
        kid,
        "\",\"sig\":\"",
        &sig,
        "\"}}",
    ];
    Ok(parts.concat().into_bytes())
}

/// Room is left for the envelope's own members: names, algorithm, kid and signature.
const PAYLOAD_LIMITS: Limits = Limits {
    max_bytes: LIMITS.max_bytes.saturating_sub(512),
    max_depth: LIMITS.max_depth.saturating_sub(1),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::from_hex;
    use crate::key::SigningKey;

    /// The draft's worked example, signed again with its key under its own kid.
    #[test]
    fn the_worked_example_is_reproduced_byte_for_byte() {
        let file =
            include_bytes!("../../../../__test__/vectors/receipts/acta/worked-example-04.json");
        let file = parse(file, &LIMITS).unwrap();
        let seed = "0e3ab240e91c66488528f1a8143f591abfeb90b95b4ceb2be0f21828324cdeb7";
        let key = SigningKey::from_seed(&from_hex(seed).unwrap());
        let options = SignOptions {
            key_id: KeyId::Issuer,
            ..SignOptions::default()
        };
        let rows = file.get("receipts").and_then(Value::as_array).unwrap();
        for row in rows {
            let receipt = row.get("receipt").unwrap();
            let payload = write(receipt.get("payload").unwrap());
            let got = sign(payload.as_bytes(), &key, options).unwrap();
            assert_eq!(got, write(receipt).into_bytes());
        }
        assert_eq!(rows.len(), 18);
    }
}
