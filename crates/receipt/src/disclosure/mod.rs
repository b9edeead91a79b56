// SPDX-License-Identifier: Apache-2.0
//! Selective disclosure: fields that a receipt commits to and that are shown apart from it.
//!
//! draft-farley-acta-signed-receipts-04, sections 6.1 to 6.5: the payload's `committed_fields_root`
//! is the root of an RFC 6962 tree. A leaf is the RFC 8785 text of `{name, salt, value}`; leaves are
//! sorted by the UTF-8 bytes of their names. Who shows a field gives these three and a proof
//! `{index, tree_size, siblings}`, siblings in lowercase hex from the leaf up.
//!
//! A salt is base64url without padding, of 16 bytes at least: without it, a short value could be
//! guessed from the root. That no further fields were committed, a disclosure cannot show.

mod commit;
mod read;
mod tree;

use ambit_canon::{Digest, Value, parse};

use crate::key::KeySet;
use crate::tlog::{ProofError, verify_inclusion};
use crate::verdict::{Format, Status, Verdict};
use crate::verify::{LIMITS, verify};

pub use commit::{Commitment, CommitmentError, commit};
use read::Shown;

/// Why a disclosed field is what it is said to be, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisclosureCode {
    /// Two fields cannot both be leaves of the tree at the places where they are shown.
    FieldConflict,
    /// Not a disclosure: not strict JSON, or a member is missing or of another type.
    MalformedDisclosure,
    /// The receipt has no `committed_fields_root`, or one that is no digest in lowercase hex.
    NoCommittedRoot,
    /// The receipt commits to the field.
    Ok,
    /// The proof cannot be one of a leaf of a tree of that size.
    ProofInvalid,
    /// The receipt is not valid, so that its root says nothing.
    ReceiptNotValid,
    /// The proof leads to another root.
    RootMismatch,
    /// The salt is not base64url without padding.
    SaltEncoding,
    /// The salt has fewer than 16 bytes.
    SaltTooShort,
}

impl DisclosureCode {
    /// Every code, in the order of their names.
    pub const ALL: [Self; 9] = [
        Self::FieldConflict,
        Self::MalformedDisclosure,
        Self::NoCommittedRoot,
        Self::Ok,
        Self::ProofInvalid,
        Self::ReceiptNotValid,
        Self::RootMismatch,
        Self::SaltEncoding,
        Self::SaltTooShort,
    ];

    /// Returns the stable code; it is never renamed or reused.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FieldConflict => "FIELD_CONFLICT",
            Self::MalformedDisclosure => "MALFORMED_DISCLOSURE",
            Self::NoCommittedRoot => "NO_COMMITTED_ROOT",
            Self::Ok => "OK",
            Self::ProofInvalid => "PROOF_INVALID",
            Self::ReceiptNotValid => "RECEIPT_NOT_VALID",
            Self::RootMismatch => "ROOT_MISMATCH",
            Self::SaltEncoding => "SALT_ENCODING",
            Self::SaltTooShort => "SALT_TOO_SHORT",
        }
    }

    /// Returns the status that the code means.
    pub const fn status(self) -> Status {
        match self {
            Self::Ok => Status::Valid,
            Self::FieldConflict
            | Self::ProofInvalid
            | Self::RootMismatch
            | Self::SaltEncoding
            | Self::SaltTooShort => Status::Invalid,
            Self::MalformedDisclosure | Self::NoCommittedRoot | Self::ReceiptNotValid => {
                Status::Undecidable
            }
        }
    }
}

/// What was found of one disclosed field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosed {
    /// The field's name, where it could be read: a claim unless the code is [`DisclosureCode::Ok`].
    pub name: Option<String>,
    /// The outcome's reason; [`DisclosureCode::status`] is the outcome.
    pub code: DisclosureCode,
    /// The reason in words, for people; hostile text in it is escaped and cut.
    pub detail: String,
}

/// A reason that is not `Ok`, in code and words.
type Fault = (DisclosureCode, String);

/// Verifies disclosed fields against a root that is trusted already.
///
/// `document` is one disclosure, an array of them, or an object with an array `disclosures`: strict
/// JSON within [`LIMITS`]. Members that a disclosure has besides are not used. There is
/// one answer for each disclosure, in their order; a document that is none gets one answer, and an
/// empty list none.
#[must_use]
pub fn verify_fields(root: &Digest, document: &[u8]) -> Vec<Disclosed> {
    let malformed = |detail: String| vec![answer(None, Err((MALFORMED, detail)))];
    let value = match parse(document, &LIMITS) {
        Ok(value) => value,
        Err(error) => return malformed(format!("{}: {error}", error.kind.code())),
    };
    let list = match (&value, value.get("disclosures")) {
        (Value::Array(list), _) | (_, Some(Value::Array(list))) => list.as_slice(),
        (_, Some(_)) => return malformed("disclosures: expected an array".to_owned()),
        (_, None) => std::slice::from_ref(&value),
    };
    let read: Vec<Result<Shown<'_>, Fault>> = list.iter().map(Shown::read).collect();
    let found: Vec<Result<(), Fault>> = read
        .iter()
        .map(|shown| match shown {
            Ok(shown) => check(shown, root),
            Err(fault) => Err(fault.clone()),
        })
        .collect();
    let held: Vec<&Shown<'_>> = read
        .iter()
        .zip(&found)
        .filter(|(_, found)| found.is_ok())
        .filter_map(|(shown, _)| shown.as_ref().ok())
        .collect();
    let conflict = read::find_conflict(&held);
    list.iter()
        .zip(found)
        .map(|(shown, found)| {
            let name = shown.get("name").and_then(Value::as_str);
            let found = match (&conflict, found) {
                (Some(detail), Ok(())) => Err((DisclosureCode::FieldConflict, detail.clone())),
                (_, found) => found,
            };
            answer(name, found)
        })
        .collect()
}

/// Verifies a receipt, and fields that are shown with it against the root that it signs.
///
/// Nothing is said of the fields unless the receipt is a valid envelope of the draft.
#[must_use]
pub fn verify_disclosed(
    receipt: &[u8],
    keys: &KeySet,
    document: &[u8],
) -> (Verdict, Vec<Disclosed>) {
    let verdict = verify(receipt, keys);
    if verdict.status != Status::Valid || verdict.format != Some(Format::Acta) {
        let detail = format!(
            "the receipt is not a valid envelope: {}",
            verdict.code.as_str()
        );
        let fault = Err((DisclosureCode::ReceiptNotValid, detail));
        return (verdict, vec![answer(None, fault)]);
    }
    let payload = parse(receipt, &LIMITS).ok();
    let root = payload
        .as_ref()
        .and_then(|it| it.get("payload")?.get("committed_fields_root"));
    let Some(root) = root.and_then(Value::as_str).and_then(read::digest) else {
        let detail = "the receipt has no `committed_fields_root` of 64 lowercase hex digits";
        let fault = (DisclosureCode::NoCommittedRoot, detail.to_owned());
        return (verdict, vec![answer(None, Err(fault))]);
    };
    (verdict, verify_fields(&root, document))
}

fn check(shown: &Shown<'_>, root: &Digest) -> Result<(), Fault> {
    let siblings: Vec<&[u8; 32]> = shown.siblings.iter().map(Digest::as_bytes).collect();
    let (leaf, root) = (shown.leaf(), root.as_bytes());
    let proven = verify_inclusion(shown.index, shown.size, leaf.as_bytes(), &siblings, root);
    match proven {
        Ok(()) => Ok(()),
        Err(ProofError::Root) => {
            let detail = "the field is not the one that the receipt commits to".to_owned();
            Err((DisclosureCode::RootMismatch, detail))
        }
        Err(error @ (ProofError::HashSize | ProofError::Length | ProofError::Range)) => {
            Err((DisclosureCode::ProofInvalid, format!("proof: {error}")))
        }
    }
}

fn answer(name: Option<&str>, found: Result<(), Fault>) -> Disclosed {
    let (code, detail) = match found {
        Ok(()) => (
            DisclosureCode::Ok,
            "the receipt commits to the field".to_owned(),
        ),
        Err(fault) => fault,
    };
    let name = name.map(str::to_owned);
    Disclosed { name, code, detail }
}

const MALFORMED: DisclosureCode = DisclosureCode::MalformedDisclosure;
