// SPDX-License-Identifier: Apache-2.0
//! Strict JSON, RFC 8785 and SHA-256.

use ambit_canon::{CanonError, Digest, Limits, canonicalize as canonical};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;
use serde_json::json;

use crate::answer::{Failure, TextAnswer, caused, text};

/// Reads strict I-JSON and answers with its RFC 8785 text.
///
/// The failure's code is `ERR_JSON`; its details are `{reason, offset, line, column}`, offset in
/// bytes from 0, line and column from 1.
#[napi(catch_unwind)]
pub fn parse_json(document: Uint8Array, max_bytes: u32, max_depth: u32) -> TextAnswer {
    let size = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    let limits = Limits {
        max_bytes: size(max_bytes),
        max_depth: size(max_depth),
    };
    match canonical(&document, &limits) {
        Ok(value) => text(value),
        Err(error) => Either::B(described(&error)),
    }
}

/// Returns SHA-256 of bytes, or of a text's UTF-8, as 64 lower-case hex digits.
#[napi(catch_unwind)]
pub fn sha256_hex(data: Either<String, Uint8Array>) -> String {
    Digest::of(bytes_of(&data)).hex()
}

pub(crate) fn bytes_of(document: &Either<String, Uint8Array>) -> &[u8] {
    match document {
        Either::A(text) => text.as_bytes(),
        Either::B(bytes) => bytes,
    }
}

pub(crate) fn described(error: &CanonError) -> Failure {
    let details = json!({
        "reason": error.kind.code(),
        "offset": error.offset,
        "line": error.line,
        "column": error.column,
    });
    Failure {
        details: Some(details.to_string()),
        ..caused("ERR_JSON", error)
    }
}
