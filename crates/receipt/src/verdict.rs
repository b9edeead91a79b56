// SPDX-License-Identifier: Apache-2.0
//! What verification found.

use ambit_canon::Digest;

use crate::key::KeyStatus;

/// A receipt format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// draft-farley-acta-signed-receipts-04, envelope form.
    Acta,
    /// Authorization and result of the agent governance toolkit's bilateral extension; read only.
    AgtBilateral,
    /// Envelope of the agent governance toolkit's sb-runtime skill; read only.
    AgtSkill,
    /// `csc.receipt.v0.1`
    Csc,
    /// Flat receipt of version 1, as in protect-mcp before 0.10; read only.
    Flat,
    /// Receipt of the `sb` program; read only.
    SbRuntime,
    /// Receipt of version 2, with members beside its `payload`; read only.
    V2,
}

impl Format {
    /// Returns the format's name: `acta`, `agt-bilateral`, `agt-skill`, `csc`, `flat-v1`, `sb-runtime`
    /// or `v2`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acta => "acta",
            Self::AgtBilateral => "agt-bilateral",
            Self::AgtSkill => "agt-skill",
            Self::Csc => "csc",
            Self::Flat => "flat-v1",
            Self::SbRuntime => "sb-runtime",
            Self::V2 => "v2",
        }
    }
}

/// The outcome of verification. Only [`Status::Valid`] may be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The receipt is not what was signed, or breaks its format's rules.
    Invalid,
    /// Nothing can be said: not a receipt, or no key or means to check it. Not proof of tampering.
    Undecidable,
    /// A trusted key signed exactly this, and it keeps its format's rules.
    Valid,
}

impl Status {
    /// Returns `invalid`, `undecidable` or `valid`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Undecidable => "undecidable",
            Self::Valid => "valid",
        }
    }
}

/// The reason for a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictCode {
    /// The document has the shapes of two formats.
    AmbiguousFormat,
    /// A hash in the receipt is not that of what it names.
    HashMismatch,
    /// The signature is not one by a trusted key over this document.
    InvalidSignature,
    /// `payload.issuer_id` and `signature.kid` differ.
    IssuerMismatch,
    /// Signed, but dated outside of the key's window of validity.
    KeyOutsideWindow,
    /// Signed, but dated at or after the key's revocation.
    KeyRevoked,
    /// Signed, but the key's window, or the receipt's own time, cannot be applied.
    KeyWindowUndecidable,
    /// Not strict JSON, or over the limits. The detail names the fault and its place.
    MalformedJson,
    /// The signature member is not what the format says.
    MalformedSignature,
    /// The receipt has no signature, or `null` in its place.
    MissingSignature,
    /// No key was given to verify with.
    NoKey,
    /// A number is not spelled as the signed bytes spell it.
    NonCanonical,
    /// The bytes that the format signs cannot be made again with certainty.
    NotReproducible,
    /// Everything holds.
    Ok,
    /// Signed, but breaks the rules of its format or type.
    SchemaInvalid,
    /// The signature's text is not the one spelling of 64 bytes that the format allows.
    SignatureEncoding,
    /// The signed payload has a member `signature` of its own.
    SignatureInPayload,
    /// Not the shape of a receipt format that we know.
    UnknownFormat,
    /// The receipt names a key that is not among the given ones.
    UnknownKey,
    /// Signed with another algorithm than Ed25519.
    UnsupportedAlgorithm,
}

impl VerdictCode {
    /// Every code, in the order of their names.
    pub const ALL: [Self; 20] = [
        Self::AmbiguousFormat,
        Self::HashMismatch,
        Self::InvalidSignature,
        Self::IssuerMismatch,
        Self::KeyOutsideWindow,
        Self::KeyRevoked,
        Self::KeyWindowUndecidable,
        Self::MalformedJson,
        Self::MalformedSignature,
        Self::MissingSignature,
        Self::NoKey,
        Self::NonCanonical,
        Self::NotReproducible,
        Self::Ok,
        Self::SchemaInvalid,
        Self::SignatureEncoding,
        Self::SignatureInPayload,
        Self::UnknownFormat,
        Self::UnknownKey,
        Self::UnsupportedAlgorithm,
    ];

    /// Returns the stable code; it is never renamed or reused.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AmbiguousFormat => "AMBIGUOUS_FORMAT",
            Self::HashMismatch => "HASH_MISMATCH",
            Self::InvalidSignature => "INVALID_SIGNATURE",
            Self::IssuerMismatch => "ISSUER_MISMATCH",
            Self::KeyOutsideWindow => "KEY_OUTSIDE_WINDOW",
            Self::KeyRevoked => "KEY_REVOKED",
            Self::KeyWindowUndecidable => "KEY_WINDOW_UNDECIDABLE",
            Self::MalformedJson => "MALFORMED_JSON",
            Self::MalformedSignature => "MALFORMED_SIGNATURE",
            Self::MissingSignature => "MISSING_SIGNATURE",
            Self::NoKey => "NO_KEY",
            Self::NonCanonical => "NON_CANONICAL",
            Self::NotReproducible => "NOT_REPRODUCIBLE",
            Self::Ok => "OK",
            Self::SchemaInvalid => "SCHEMA_INVALID",
            Self::SignatureEncoding => "SIGNATURE_ENCODING",
            Self::SignatureInPayload => "SIGNATURE_IN_PAYLOAD",
            Self::UnknownFormat => "UNKNOWN_FORMAT",
            Self::UnknownKey => "UNKNOWN_KEY",
            Self::UnsupportedAlgorithm => "UNSUPPORTED_ALGORITHM",
        }
    }

    /// Returns the status that the code means in `format`.
    ///
    /// The formats differ in one thing: a receipt without a usable signature is undecidable for the
    /// Acta draft (section 5.3), and all that is read by its rules, and invalid for csc-runner.
    pub const fn status(self, format: Option<Format>) -> Status {
        match self {
            Self::Ok => Status::Valid,
            Self::HashMismatch
            | Self::InvalidSignature
            | Self::IssuerMismatch
            | Self::KeyOutsideWindow
            | Self::KeyRevoked
            | Self::NonCanonical
            | Self::SchemaInvalid
            | Self::SignatureEncoding
            | Self::SignatureInPayload => Status::Invalid,
            Self::MalformedSignature | Self::MissingSignature | Self::UnsupportedAlgorithm => {
                match format {
                    Some(Format::Csc) => Status::Invalid,
                    Some(
                        Format::Acta
                        | Format::AgtBilateral
                        | Format::AgtSkill
                        | Format::Flat
                        | Format::SbRuntime
                        | Format::V2,
                    )
                    | None => Status::Undecidable,
                }
            }
            Self::AmbiguousFormat
            | Self::KeyWindowUndecidable
            | Self::MalformedJson
            | Self::NoKey
            | Self::NotReproducible
            | Self::UnknownFormat
            | Self::UnknownKey => Status::Undecidable,
        }
    }
}

/// What verification found, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub status: Status,
    /// Its reason.
    pub code: VerdictCode,
    /// The reason in words, for people; hostile text in it is escaped and cut.
    pub detail: String,
    /// The format, where the document has the shape of one.
    pub format: Option<Format>,
    /// The key that the receipt names: its own claim unless the receipt is valid.
    pub key_id: Option<String>,
    /// The payload's `type`, or `receipt_version`: its own claim unless the receipt is valid.
    pub payload_type: Option<String>,
    /// Where the receipt's own time stands in what was given of the key's validity; nothing unless a
    /// trusted key's signature holds.
    pub key_status: Option<KeyStatus>,
    /// Whether the receipt is valid, and its document byte for byte the canonical text of its
    /// format: what csc-runner writes, Python's compact text for the AGT skill, else the RFC 8785
    /// text. A valid receipt that is not canonical differs from that text only in white space, the
    /// order of members, and equal spellings of strings and numbers.
    pub canonical: bool,
    /// The digest of the RFC 8785 text of the whole document, signature included, where it is
    /// strict JSON. A later receipt's `previousReceiptHash` holds it.
    pub digest: Option<Digest>,
}
