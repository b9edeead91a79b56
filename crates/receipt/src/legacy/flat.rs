// SPDX-License-Identifier: Apache-2.0
//! Flat receipts, version 1: `{type, …, signature}`, as protect-mcp before 0.10 and the artifacts
//! packages wrote them.
//!
//! The signature, in lowercase hex, covers the RFC 8785 text of the document without `signature`.
//! `v`, `kid` and `algorithm` may be absent; what is there is signed.

use ambit_canon::{Object, Value, write};

use super::{check_algorithm, check_rules, hex_signature, members};
use crate::encoding::quoted;
use crate::key::KeySet;
use crate::schema::{Check, Others, Shape, TEXT, TIME, may, must};
use crate::verdict::VerdictCode;
use crate::verify::{Fault, Signed, check_any_signature, check_signature};

/// Verifies a document of this shape.
pub(crate) fn verify<'a>(value: &Value, keys: &'a KeySet) -> Result<Signed<'a>, Fault> {
    let receipt = members(value)?;
    if receipt.contains("v") && receipt.get("v").and_then(Value::as_i64) != Some(1) {
        let detail = "v: expected 1 in a receipt without `payload`".to_owned();
        return Err((VerdictCode::UnknownFormat, detail));
    }
    check_algorithm(receipt)?;
    let signature = hex_signature(receipt)?;
    check_issuer(receipt)?;
    let mut signed = receipt.clone();
    signed.remove("signature");
    let signed = Value::Object(signed);
    let input = write(&signed);
    let by = match receipt.get("kid") {
        Some(kid) => {
            // A `kid` that is no string names no key that can be given.
            let kid = kid.as_str().unwrap_or_default();
            check_signature(keys, kid, &input, &signature)?
        }
        None => check_any_signature(keys, &input, &signature)?,
    };
    Ok(Signed {
        by,
        rules: check_rules(members(&signed)?, &RECEIPT),
    })
}

/// Where issuer and key are both named they are one, as in an envelope.
fn check_issuer(receipt: &Object) -> Result<(), Fault> {
    match (receipt.get("issuer_id"), receipt.get("kid")) {
        (Some(issuer), Some(kid)) if issuer != kid => {
            let kid = quoted(kid.as_str().unwrap_or_default());
            let detail = format!("issuer_id is not the kid {kid}");
            Err((VerdictCode::IssuerMismatch, detail))
        }
        _ => Ok(()),
    }
}

static RECEIPT: Shape = Shape {
    members: &[
        must("type", TEXT),
        may("v", Check::Integer(1)),
        may("kid", TEXT),
        may("issuer_id", TEXT),
        may("issued_at", TIME),
    ],
    others: Others::Allowed,
};
