// SPDX-License-Identifier: Apache-2.0
//! Keys, signed receipts and their verification.
//!
//! # Terms
//!
//! - *Receipt*: a JSON document that says what was decided or done, with its signature inside.
//! - *Envelope*: the `{payload, signature}` form of draft-farley-acta-signed-receipts-04.
//! - *Signing input*: the canonical bytes (RFC 8785) that the signature covers.
//! - *Thumbprint*: the RFC 7638 name of a key, 43 base64url characters.
//! - *Verdict*: what verification found: valid, invalid, or undecidable with its cause.
//!
//! Two formats are written and read: [`csc`] receipts (`csc.receipt.v0.1`, as csc-runner writes
//! them) and [`acta`] envelopes. Four more are only read: see [`Format`]. [`verify`] tells them apart
//! by their shape. Signatures are Ed25519 (RFC 8032),
//! always checked strictly. A key never comes from the receipt that it is to verify.
//!
//! # Example
//!
//! ```
//! use ambit_receipt::{KeySet, SigningKey, Status, csc, verify};
//!
//! let key = SigningKey::from_seed(&[7; 32]);
//! let receipt = br#"{"receipt_version":"csc.receipt.v0.1","contract_id":"c","execution_id":"e",
//!     "contract_sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
//!     "status":"blocked","started_at":"2026-01-01T00:00:00Z","ended_at":"2026-01-01T00:00:00Z",
//!     "policy_profile":"p"}"#;
//! let signed = csc::sign(receipt, &key, "key-1", "2026-01-01T00:00:00+00:00")?;
//!
//! let mut keys = KeySet::new();
//! keys.insert("key-1", key.verifying_key());
//! assert_eq!(verify(signed.as_bytes(), &keys).status, Status::Valid);
//! let flipped = signed.replace("blocked", "success");
//! assert_eq!(verify(flipped.as_bytes(), &keys).code.as_str(), "INVALID_SIGNATURE");
//! # Ok::<(), csc::CscError>(())
//! ```
#![forbid(unsafe_code)]

pub mod acta;
mod artifact;
pub mod csc;
mod detect;
pub mod disclosure;
pub mod dsse;
mod encoding;
mod key;
pub mod key_file;
pub mod key_home;
pub mod key_log;
mod legacy;
pub mod passphrase;
pub mod pkcs11;
mod policy_digest;
mod schema;
pub mod set;
mod time;
pub mod tlog;
pub mod trust_folder;
mod verdict;
mod verify;

pub use artifact::{ArtifactError, FileDigest, digest_file};
pub use key::{
    EDGE_CASES, EdgeCase, Jwks, JwksError, KeyError, KeyForm, KeySet, KeyStatus, KeyWindow,
    MAX_ITERATIONS, MAX_SCRYPT_BYTES, Sign, SigningKey, VerifyingKey,
};
pub use policy_digest::{
    PolicyDigestError, PolicyFile, check_policy_bundle, compiled_policy_digest, policy_bundle,
    policy_digest,
};
pub use schema::SchemaError;
pub use verdict::{Format, Status, Verdict, VerdictCode};
pub use verify::{LIMITS, verify};
