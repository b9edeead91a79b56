// SPDX-License-Identifier: Apache-2.0
//! The statement: which receipt it is about, and its text.

use ambit_canon::{Digest, Object, Value, parse, write};

use super::envelope::LIMITS;
use super::{DsseError, PREDICATE_TYPE};
use crate::schema::{Check, Others, SchemaError, Shape, TEXT, TIME, check_object, must};

/// What a statement of ours carries.
pub(super) struct Statement {
    pub(super) receipt: String,
    pub(super) exported_at: String,
}

/// Returns the RFC 8785 text of the statement about a valid receipt.
pub(super) fn print(receipt: &str, exported_at: &str) -> String {
    let mut subjects = vec![subject("receipt", &Digest::of(receipt.as_bytes()).hex())];
    subjects.extend(artifacts(receipt));
    let predicate: Object = [("exported_at", exported_at), ("receipt", receipt)]
        .into_iter()
        .collect();
    let statement: Object = [
        ("_type", Value::from(STATEMENT_TYPE)),
        ("predicate", Value::Object(predicate)),
        ("predicateType", Value::from(PREDICATE_TYPE)),
        ("subject", Value::from(subjects)),
    ]
    .into_iter()
    .collect();
    write(&Value::Object(statement))
}

/// Reads a statement of ours, and checks that it is about the receipt that it carries.
pub(super) fn read(body: &[u8]) -> Result<Statement, DsseError> {
    let value = parse(body, &LIMITS).map_err(DsseError::Json)?;
    let Value::Object(statement) = value else {
        let error = SchemaError::new("statement", "an object");
        return Err(DsseError::Schema(error));
    };
    check_object(&statement, &STATEMENT, "", Others::Allowed).map_err(DsseError::Schema)?;
    let text = |value: Option<&Value>, name| {
        let member = value.and_then(|it| it.get(name)).and_then(Value::as_str);
        member.unwrap_or_default().to_owned()
    };
    let predicate = statement.get("predicate");
    let receipt = text(predicate, "receipt");
    let digest = Digest::of(receipt.as_bytes()).hex();
    let subjects = statement.get("subject").and_then(Value::as_array);
    let mut subjects = subjects.unwrap_or_default().iter();
    if !subjects.any(|subject| text(subject.get("digest"), "sha256") == digest) {
        return Err(DsseError::Subject);
    }
    Ok(Statement {
        receipt,
        exported_at: text(predicate, "exported_at"),
    })
}

/// The artifacts that an execution receipt or a csc receipt names, as subjects.
fn artifacts(receipt: &str) -> Vec<Value> {
    let Ok(value) = parse(receipt.as_bytes(), &crate::verify::LIMITS) else {
        return Vec::new();
    };
    let payload = value.get("payload").unwrap_or(&value);
    let rows = payload.get("artifacts").and_then(Value::as_array);
    let row = |row: &Value| {
        let text = |name| row.get(name).and_then(Value::as_str);
        let digest = text("sha256")?
            .to_ascii_lowercase()
            .parse::<Digest>()
            .ok()?;
        Some(subject(text("path")?, &digest.hex()))
    };
    rows.unwrap_or_default().iter().filter_map(row).collect()
}

fn subject(name: &str, sha256: &str) -> Value {
    let digest: Object = [("sha256", sha256)].into_iter().collect();
    let subject: Object = [
        ("digest", Value::Object(digest)),
        ("name", Value::from(name)),
    ]
    .into_iter()
    .collect();
    Value::Object(subject)
}

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

static STATEMENT: Shape = Shape {
    members: &[
        must("_type", Check::OneOf(&[STATEMENT_TYPE])),
        must("subject", Check::List(&Check::Object(&SUBJECT))),
        must("predicateType", Check::OneOf(&[PREDICATE_TYPE])),
        must("predicate", Check::Object(&PREDICATE)),
    ],
    others: Others::Allowed,
};

static SUBJECT: Shape = Shape {
    members: &[must("digest", Check::Object(&DIGEST))],
    others: Others::Allowed,
};

static DIGEST: Shape = Shape {
    members: &[],
    others: Others::Allowed,
};

static PREDICATE: Shape = Shape {
    members: &[must("exported_at", TIME), must("receipt", TEXT)],
    others: Others::Allowed,
};
