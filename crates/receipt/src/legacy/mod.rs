// SPDX-License-Identifier: Apache-2.0
//! Readers of receipts that other tools wrote before the draft's envelope, or beside it.
//!
//! None of these formats is written. Each module says which bytes its format signs; where those
//! cannot be made again with certainty, the receipt is undecidable, never invalid.

pub(crate) mod agt;
pub(crate) mod bilateral;
pub(crate) mod flat;
pub(crate) mod python;
pub(crate) mod sb_runtime;
pub(crate) mod v2;

use ambit_canon::{Object, Value};

use crate::encoding::{from_hex, quoted};
use crate::schema::{Others, Shape, check_object};
use crate::verdict::VerdictCode;
use crate::verify::Fault;

/// Returns the document as an object; detection saw one.
fn members(value: &Value) -> Result<&Object, Fault> {
    value.as_object().ok_or_else(|| {
        let detail = "a receipt is an object".to_owned();
        (VerdictCode::UnknownFormat, detail)
    })
}

/// Reads the member `signature` of the formats that keep it as a string of hex.
fn hex_signature(receipt: &Object) -> Result<[u8; 64], Fault> {
    let text = match receipt.get("signature") {
        None | Some(Value::Null) => {
            let detail = "the receipt is not signed".to_owned();
            return Err((VerdictCode::MissingSignature, detail));
        }
        Some(signature) => signature.as_str().ok_or_else(|| {
            let detail = "signature: expected a string".to_owned();
            (VerdictCode::MalformedSignature, detail)
        })?,
    };
    from_hex(text).ok_or_else(|| {
        let detail = "signature: expected 64 bytes in lowercase hex".to_owned();
        (VerdictCode::SignatureEncoding, detail)
    })
}

/// Checks a top-level `algorithm`.
fn check_algorithm(receipt: &Object) -> Result<(), Fault> {
    match receipt.get("algorithm").map(Value::as_str) {
        None | Some(Some("ed25519")) => Ok(()),
        Some(Some(other)) => {
            let detail = format!("algorithm is {}; expected `ed25519`", quoted(other));
            Err((VerdictCode::UnsupportedAlgorithm, detail))
        }
        Some(None) => {
            let detail = "algorithm: expected a string".to_owned();
            Err((VerdictCode::MalformedSignature, detail))
        }
    }
}

/// Checks the rules of a format, after the signature.
fn check_rules(object: &Object, shape: &Shape) -> Result<(), Fault> {
    check_object(object, shape, "", Others::Allowed)
        .map_err(|error| (VerdictCode::SchemaInvalid, error.to_string()))
}
