// SPDX-License-Identifier: Apache-2.0
//! Receipts of the `sb` program (sb-runtime): `{payload, signature, pubkey}`, all of them required.
//!
//! The signature, in lowercase hex, covers the payload as Rust's `serde_json` writes it with sorted
//! names. That is its RFC 8785 text as long as names are ASCII and numbers are plain integers; any
//! other receipt is undecidable. `pubkey` is not signed and is trusted for nothing: it must be one
//! of the verifier's own keys. Unlike `sb verify`, members that the program does not write are part
//! of what is checked. `prev_hash` is checked for its form only: it links payloads, not receipts.

use ambit_canon::{Digest, Object, Value, parse_plain_integers, write};

use super::{check_rules, hex_signature, members};
use crate::acta::has_ascii_names;
use crate::encoding::from_hex;
use crate::key::KeySet;
use crate::schema::{Check, Others, STRING, Shape, TIME, may, must};
use crate::verdict::VerdictCode;
use crate::verify::{Fault, LIMITS, Signed, check_pinned_signature};

/// Verifies a document of this shape.
pub(crate) fn verify<'a>(
    document: &[u8],
    value: &Value,
    keys: &'a KeySet,
) -> Result<Signed<'a>, Fault> {
    let receipt = members(value)?;
    let known = |name: &str| matches!(name, "payload" | "pubkey" | "signature");
    let payload = match value.get("payload").and_then(Value::as_object) {
        Some(payload) if receipt.names().all(known) => payload,
        _ => {
            let detail = "expected `payload`, an object, `pubkey` and `signature`, nothing more";
            return Err((VerdictCode::UnknownFormat, detail.to_owned()));
        }
    };
    let signature = hex_signature(receipt)?;
    let pubkey = value.get("pubkey").and_then(Value::as_str);
    let Some(pubkey) = pubkey.and_then(from_hex::<32>) else {
        let detail = "pubkey: expected 32 bytes in lowercase hex".to_owned();
        return Err((VerdictCode::MalformedSignature, detail));
    };
    let input = signing_input(document, payload)?;
    Ok(Signed {
        by: check_pinned_signature(keys, &pubkey, &input, &signature)?,
        rules: check_rules(payload, &PAYLOAD),
    })
}

fn signing_input(document: &[u8], payload: &Object) -> Result<String, Fault> {
    let payload = Value::Object(payload.clone());
    if let Err(error) = parse_plain_integers(document, &LIMITS) {
        let detail = format!("{}: {error}", error.kind.code());
        return Err((VerdictCode::NotReproducible, detail));
    }
    if !has_ascii_names(&payload) {
        let detail = "a member's name is not printable ASCII".to_owned();
        return Err((VerdictCode::NotReproducible, detail));
    }
    Ok(write(&payload))
}

static PAYLOAD: Shape = Shape {
    members: &[
        must("type", Check::OneOf(&["scopeblind.receipt.v1"])),
        must(
            "decision",
            Check::OneOf(&["allow", "deny", "request_approval"]),
        ),
        must("action", Check::Object(&ACTION)),
        must("policy_id", Check::Nullable(&STRING)),
        must("sequence", Check::Integer(1)),
        must(
            "prev_hash",
            Check::String(
                is_link,
                "`genesis`, or `sha256:` and 64 lowercase hex digits",
            ),
        ),
        must("timestamp", TIME),
        may("context", Check::Object(&OPEN)),
    ],
    others: Others::Refused,
};

static ACTION: Shape = Shape {
    members: &[must("kind", STRING), must("target", STRING)],
    others: Others::Refused,
};

static OPEN: Shape = Shape {
    members: &[],
    others: Others::Allowed,
};

fn is_link(text: &str) -> bool {
    text == "genesis" || (text.starts_with("sha256:") && text.parse::<Digest>().is_ok())
}
