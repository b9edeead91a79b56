// SPDX-License-Identifier: Apache-2.0
//! Receipts of version 2: `{v: 2, type, algorithm, kid, issuer, issued_at, payload, signature}`.
//!
//! The signature, in lowercase hex, covers the RFC 8785 text of the document without `signature`:
//! of the whole of it, not of `payload`. A `public_key` in the document is signed and not used.

use ambit_canon::{Value, write};

use super::{check_algorithm, check_rules, hex_signature, members};
use crate::key::KeySet;
use crate::schema::{Check, Others, Shape, TEXT, TIME, must};
use crate::verdict::VerdictCode;
use crate::verify::{Fault, Signed, check_signature};

/// Verifies a document of this shape.
pub(crate) fn verify<'a>(value: &Value, keys: &'a KeySet) -> Result<Signed<'a>, Fault> {
    let receipt = members(value)?;
    if receipt.get("v").and_then(Value::as_i64) != Some(2) {
        let detail = "v: expected 2 in a receipt with `payload`".to_owned();
        return Err((VerdictCode::UnknownFormat, detail));
    }
    check_algorithm(receipt)?;
    let signature = hex_signature(receipt)?;
    let kid = receipt.get("kid").and_then(Value::as_str);
    let Some(kid) = kid.filter(|kid| !kid.is_empty()) else {
        let detail = "kid: expected a string that is not empty".to_owned();
        return Err((VerdictCode::MalformedSignature, detail));
    };
    let mut signed = receipt.clone();
    signed.remove("signature");
    let signed = Value::Object(signed);
    let input = write(&signed);
    Ok(Signed {
        by: check_signature(keys, kid, &input, &signature)?,
        rules: check_rules(members(&signed)?, &RECEIPT),
    })
}

static RECEIPT: Shape = Shape {
    members: &[
        must("type", TEXT),
        must("algorithm", TEXT),
        must("issuer", TEXT),
        must("issued_at", TIME),
        must("payload", Check::Object(&OPEN)),
    ],
    others: Others::Allowed,
};

static OPEN: Shape = Shape {
    members: &[],
    others: Others::Allowed,
};
