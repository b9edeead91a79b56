// SPDX-License-Identifier: Apache-2.0
//! Receipts in envelopes that others know: DSSE 1.0 with an in-toto Statement 1.
//!
//! The statement's subjects are the receipt, by the digest of its exact bytes, and the artifacts
//! that it names; its predicate carries the receipt's exact text. The exporter signs that this
//! receipt verified with the keys that it trusts; the receipt's own signature stays inside and is
//! what [`verify`](crate::verify) judges after [`import`].
//!
//! Sources: secure-systems-lab/dsse, `protocol.md` and `envelope.md`; in-toto/attestation,
//! `spec/v1/statement.md`.

mod envelope;
mod statement;

use std::collections::BTreeSet;

use ambit_canon::CanonError;

use crate::key::{KeyError, KeySet, KeyStatus, Sign};
use crate::schema::SchemaError;
use crate::time::{Instant, is_date_time};
use crate::verdict::{Status, VerdictCode};
use crate::verify::verify;

pub use envelope::pae;

/// The type of what our envelopes carry.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of our statements' predicate: `{exported_at, receipt}`.
pub const PREDICATE_TYPE: &str = "urn:ambit:receipt:v1";

/// Puts a receipt into a signed envelope and returns its JSON text.
///
/// `keys` are those that the receipt must verify with: what does not is not exported. `exported_at`
/// is an RFC 3339 time with its zone, and the exporter's word.
///
/// # Errors
///
/// A receipt that is not valid, a malformed time, and a key that did not sign.
pub fn export(
    receipt: &[u8],
    keys: &KeySet,
    exported_at: &str,
    key: &dyn Sign,
) -> Result<String, DsseError> {
    if !is_date_time(exported_at) {
        return Err(DsseError::Time);
    }
    let verdict = verify(receipt, keys);
    let text = std::str::from_utf8(receipt).ok();
    let (Status::Valid, Some(text)) = (verdict.status, text) else {
        return Err(DsseError::NotValid(verdict.code));
    };
    let statement = statement::print(text, exported_at);
    envelope::seal(PAYLOAD_TYPE, statement.as_bytes(), key).map_err(DsseError::Key)
}

/// A receipt that came out of an envelope, which a trusted key had signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The exact bytes of the receipt. They are not verified yet.
    pub receipt: Vec<u8>,
    /// When it was exported, in the exporter's word.
    pub exported_at: String,
    /// Thumbprints of the trusted keys that signed the envelope, sorted.
    pub signers: Vec<String>,
}

/// Takes a receipt out of an envelope that one of `keys` signed.
///
/// Windows and revocations of the keys are applied to the time of the export, which the exporter
/// signed. A key's id in an envelope is not signed: any of `keys` may have made the signature, under
/// whatever id it is trusted. Signatures of other keys and of other algorithms may stand beside ours;
/// at most 16 are read, of an envelope of at most 16 MiB. Members that are not known are passed over, as both specifications ask.
///
/// # Errors
///
/// An envelope that is malformed, that no trusted key signed, or whose statement is not about the
/// receipt that it carries.
pub fn import(envelope: &[u8], keys: &KeySet) -> Result<Imported, DsseError> {
    let opened = envelope::open(envelope, PAYLOAD_TYPE)?;
    let proven = opened.proven(keys)?;
    let statement = statement::read(&opened.body)?;
    let at = Instant::parse(&statement.exported_at);
    let mut signers = BTreeSet::new();
    let mut refused = KeyStatus::Undecidable;
    for key in proven {
        match keys.place(&key, at.as_ref()) {
            KeyStatus::Inside | KeyStatus::NotEstablished => {
                signers.extend(key.iter().map(|trusted| trusted.key.thumbprint()));
            }
            status @ (KeyStatus::Outside | KeyStatus::Revoked | KeyStatus::Undecidable) => {
                refused = status;
            }
        }
    }
    if signers.is_empty() {
        return Err(DsseError::KeyStatus(refused));
    }
    Ok(Imported {
        receipt: statement.receipt.into_bytes(),
        exported_at: statement.exported_at,
        signers: signers.into_iter().collect(),
    })
}

/// Why a receipt was not exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum DsseError {
    /// The envelope or its statement is not strict JSON, or too large.
    #[error("malformed envelope")]
    Json(#[source] CanonError),
    /// The key did not sign.
    #[error("the key did not sign")]
    Key(#[source] KeyError),
    /// The keys that signed were not good when the receipt was exported.
    #[error("the key of the envelope was not good at the time of the export: {}", .0.as_str())]
    KeyStatus(KeyStatus),
    /// No key was given, or none that the envelope names.
    #[error("the envelope is signed by no key that was given")]
    UnknownKey,
    /// The receipt to export does not verify.
    #[error("the receipt is not valid: {}", .0.as_str())]
    NotValid(VerdictCode),
    /// A member of the envelope or of its statement is missing or malformed.
    #[error("malformed envelope")]
    Schema(#[source] SchemaError),
    /// No signature is one of a trusted key over this payload.
    #[error("no signature of the envelope is a given key's over its payload")]
    Signature,
    /// The statement is about another document than the one that it carries.
    #[error("the statement has no subject with the digest of its receipt")]
    Subject,
    /// The time of the export is malformed.
    #[error("time of the export is malformed; expected an RFC 3339 time with its zone")]
    Time,
}

impl DsseError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::Schema(_) | Self::Subject => "ERR_RECEIPT_ENVELOPE",
            Self::Key(error) => error.code(),
            Self::NotValid(_) => "ERR_RECEIPT_NOT_VALID",
            Self::Signature => "ERR_RECEIPT_ENVELOPE_SIGNATURE",
            Self::Time => "ERR_RECEIPT_TIME",
            Self::KeyStatus(_) | Self::UnknownKey => "ERR_RECEIPT_ENVELOPE_KEY",
        }
    }
}
