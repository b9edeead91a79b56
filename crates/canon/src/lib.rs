// SPDX-License-Identifier: Apache-2.0
//! Strict JSON in, canonical bytes and digests out.
//!
//! # Terms
//!
//! - *Strict JSON*: RFC 8259 text as RFC 7493 (I-JSON) narrows it. UTF-8 without a byte order mark,
//!   no duplicate member names (compared after unescaping), no lone surrogates, integers within
//!   ±(2^53 − 1), a bounded size and a bounded nesting depth. Everything else is refused with a
//!   code and a place.
//! - *Canonical bytes*: the one text that RFC 8785 (JCS) gives a value.
//! - *Digest*: SHA-256 of bytes, written as 64 lowercase hex digits, with or without `sha256:`.
//!
//! # Example
//!
//! ```
//! use ambit_canon::{Digest, Limits, canonicalize};
//!
//! let text = canonicalize(br#" {"b": 1.0, "a": "\u00e9"} "#, &Limits::default())?;
//! assert_eq!(text, r#"{"a":"é","b":1}"#);
//! assert!(Digest::of(text.as_bytes()).prefixed().starts_with("sha256:"));
//!
//! let error = canonicalize(br#"{"a":1,"a":2}"#, &Limits::default()).unwrap_err();
//! assert_eq!((error.kind.code(), error.offset), ("DUPLICATE_MEMBER", 7));
//! # Ok::<(), ambit_canon::CanonError>(())
//! ```
#![forbid(unsafe_code)]

mod digest;
mod error;
mod number;
mod object;
mod parse;
mod pass;
mod scan;
mod value;
mod write;

pub use digest::{Digest, DigestError, Hasher};
pub use error::{CanonError, CanonErrorKind};
pub use number::{MAX_SAFE_INTEGER, Number, NumberError};
pub use object::Object;
pub use parse::{Limits, MAX_DEPTH, canonicalize, parse, parse_plain_integers};
pub use value::Value;
pub use write::write;
