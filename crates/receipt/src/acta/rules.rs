// SPDX-License-Identifier: Apache-2.0
//! The rules of payloads: those of the draft for every type, and all of those of our own types.

use ambit_canon::{Digest, Object, Value};

use super::approval;
use crate::schema::{
    Check, Others, STRING, SchemaError, Shape, TEXT, TIME, check_object, may, must,
};

/// Whether the payload is of a type that we seal.
pub(super) fn is_ours(payload: &Object) -> bool {
    shape(payload).is_some()
}

/// Checks a payload. `others` says what becomes of members that our types do not have; other types
/// may have any.
pub(super) fn check(payload: &Object, others: Others) -> Result<(), SchemaError> {
    check_object(payload, &ANY, "", others)?;
    if payload.get("type").and_then(Value::as_str) == Some(approval::TYPE) {
        return approval::check(payload, others);
    }
    let Some(shape) = shape(payload) else {
        return Ok(());
    };
    check_object(payload, shape, "", others)?;
    check_link(payload)?;
    check_reason_codes(payload)
}

fn shape(payload: &Object) -> Option<&'static Shape> {
    match payload.get("type").and_then(Value::as_str) {
        Some("ambit:decision") => Some(&DECISION),
        Some("ambit:execution") => Some(&EXECUTION),
        _ => None,
    }
}

/// The first receipt of a ledger names none before it; every other does.
fn check_link(payload: &Object) -> Result<(), SchemaError> {
    let first = payload.get("seq").and_then(Value::as_i64) == Some(1);
    let expected = match (
        first,
        payload.get("previousReceiptHash").and_then(Value::as_str),
    ) {
        (true, Some(_)) => "no such member with `seq` 1",
        (false, None) => "a required member with `seq` above 1",
        // The draft lets other types leave the prefix out.
        (false, Some(hash)) if !is_digest(hash) => "`sha256:` and 64 lowercase hex digits",
        (true, None) | (false, Some(_)) => return Ok(()),
    };
    Err(SchemaError::new("previousReceiptHash", expected))
}

fn check_reason_codes(payload: &Object) -> Result<(), SchemaError> {
    let Some(codes) = payload.get("reason_codes").and_then(Value::as_array) else {
        return Ok(());
    };
    let codes: Vec<&str> = codes.iter().filter_map(Value::as_str).collect();
    if codes.is_empty() || !codes.is_sorted_by(|a, b| a < b) {
        return Err(SchemaError::new(
            "reason_codes",
            "at least one code, sorted, none twice",
        ));
    }
    Ok(())
}

/// What the draft asks of every payload (sections 2.2 and 6.7).
static ANY: Shape = Shape {
    members: &[
        must(
            "type",
            Check::String(is_namespaced, "a namespaced type, as in `ambit:decision`"),
        ),
        must("issued_at", TIME),
        must("issuer_id", TEXT),
        may(
            "previousReceiptHash",
            Check::String(is_link, "`sha256:` and 64 lowercase hex digits"),
        ),
    ],
    others: Others::Allowed,
};

static DECISION: Shape = Shape {
    members: &[
        must("type", TEXT),
        must("issued_at", TIME),
        must("issuer_id", TEXT),
        must("run_id", TEXT),
        must("ledger_id", TEXT),
        must("seq", Check::Integer(1)),
        may("previousReceiptHash", DIGEST),
        must("mode", MODE),
        must(
            "decision",
            Check::OneOf(&["allow", "deny", "needs_approval"]),
        ),
        must(
            "reason_codes",
            Check::List(&Check::String(is_code, "a reason code")),
        ),
        must("contract_id", TEXT),
        must("contract_hash", DIGEST),
        must("policy_name", TEXT),
        must("policy_hash", DIGEST),
        must("classified_effects", Check::List(&Check::Object(&EFFECT))),
        may("findings", Check::List(&Check::Object(&FINDING))),
        may("actor", Check::Object(&ACTOR)),
        may("approvals", Check::List(&Check::Object(&approval::USED))),
        may("nonce", BOUNDED),
        may("audience", BOUNDED),
    ],
    others: Others::AsAsked,
};

static ACTOR: Shape = Shape {
    members: &[must("agent_id", TEXT), must("session_id", TEXT)],
    others: Others::AsAsked,
};

static EFFECT: Shape = Shape {
    members: &[must("command_id", TEXT), must("effect_type", TEXT)],
    others: Others::AsAsked,
};

/// What an inspector found in a command.
static FINDING: Shape = Shape {
    members: &[
        must("command_id", TEXT),
        must("inspector", TEXT),
        must("code", Check::String(is_code, "a reason code")),
        must("severity", Check::OneOf(&["deny", "warn"])),
        must("message", STRING),
    ],
    others: Others::AsAsked,
};

static EXECUTION: Shape = Shape {
    members: &[
        must("type", TEXT),
        must("issued_at", TIME),
        must("issuer_id", TEXT),
        must("run_id", TEXT),
        must("ledger_id", TEXT),
        must("seq", Check::Integer(1)),
        may("previousReceiptHash", DIGEST),
        must("decision_hash", DIGEST),
        must("contract_hash", DIGEST),
        must("policy_hash", DIGEST),
        must("mode", MODE),
        must("status", Check::OneOf(&STATUSES)),
        must("commands", Check::List(&Check::Object(&COMMAND))),
        must("enforcement", Check::Object(&ENFORCEMENT)),
        may("scope", Check::Object(&SCOPE)),
        may("artifacts", Check::List(&Check::Object(&ARTIFACT))),
        may("artifacts_truncated", Check::Boolean),
        may("obligations", Check::List(&Check::Object(&OBLIGATION))),
        may("actor", Check::Object(&ACTOR)),
        may(
            "approvals",
            Check::List(&Check::Object(&approval::REPEATED)),
        ),
        may("nonce", BOUNDED),
        may("audience", BOUNDED),
        may("csc_receipt_hash", DIGEST),
        may("error", Check::Object(&ERROR)),
    ],
    others: Others::AsAsked,
};

/// What was seen to before the first command.
static OBLIGATION: Shape = Shape {
    members: &[must("require", TEXT), must("path", TEXT)],
    others: Others::AsAsked,
};

static COMMAND: Shape = Shape {
    members: &[
        must("id", TEXT),
        must("argv_hash", DIGEST),
        may("piped_into", Check::List(&Check::Object(&PROGRAM))),
        must("exit_code", Check::Nullable(&Check::Integer(i64::MIN))),
        must("signal", Check::Nullable(&Check::Integer(1))),
        must("timed_out", Check::Boolean),
        may("limits_reached", Check::List(&Check::Object(&REACHED))),
        must("duration_ms", Check::Integer(0)),
        must("stdout", Check::Object(&STREAM)),
        must("stderr", Check::Object(&STREAM)),
    ],
    others: Others::Allowed,
};

/// A limit that was seen to be reached.
static REACHED: Shape = Shape {
    members: &[must("limit", TEXT), must("evidence", TEXT)],
    others: Others::AsAsked,
};

/// A further program of a pipeline.
static PROGRAM: Shape = Shape {
    members: &[must("argv_hash", DIGEST), must("executable", PATH)],
    others: Others::AsAsked,
};

static SCOPE: Shape = Shape {
    members: &[
        must("declared", Check::List(&Check::Object(&REACH))),
        must("granted", Check::List(&Check::Object(&REACH))),
        must("observed", Check::List(&Check::Object(&OBSERVED))),
        may("truncated", Check::Boolean),
    ],
    others: Others::AsAsked,
};

/// What a command asks for, or was given. Values of the environment never stand here.
static REACH: Shape = Shape {
    members: &[
        must("command_id", TEXT),
        must("read_paths", Check::List(&TEXT)),
        must("write_paths", Check::List(&TEXT)),
        must("network", TEXT),
        must("env_names", Check::List(&TEXT)),
        may("secret_names", Check::List(&TEXT)),
    ],
    others: Others::AsAsked,
};

static OBSERVED: Shape = Shape {
    members: &[
        must("command_id", TEXT),
        must("executable", PATH),
        may("executable_hash", DIGEST),
    ],
    others: Others::AsAsked,
};

static ARTIFACT: Shape = Shape {
    members: &[
        must("path", PATH),
        must("sha256", HEX_DIGEST),
        must("bytes", Check::Integer(0)),
    ],
    others: Others::AsAsked,
};

static STREAM: Shape = Shape {
    members: &[
        must("sha256", HEX_DIGEST),
        must("bytes", Check::Integer(0)),
        must("truncated", Check::Boolean),
    ],
    others: Others::AsAsked,
};

static ENFORCEMENT: Shape = Shape {
    members: &[
        must("tier", Check::OneOf(&["full", "lite", "none"])),
        must("mechanisms", Check::Object(&OPEN)),
    ],
    others: Others::AsAsked,
};

static OPEN: Shape = Shape {
    members: &[],
    others: Others::Allowed,
};

static ERROR: Shape = Shape {
    members: &[must("code", TEXT), must("message", STRING)],
    others: Others::AsAsked,
};

static STATUSES: [&str; 10] = [
    "success",
    "failed",
    "timed_out",
    "not_started",
    "interrupted",
    "cpu",
    "file_size",
    "oom",
    "output",
    "pids",
];

pub(super) const MODE: Check = Check::OneOf(&["local", "hardened"]);
const PATH: Check = Check::String(|text| text.starts_with('/'), "an absolute path");
/// What a caller chose, to tell this receipt from others: nothing that a terminal acts on.
const BOUNDED: Check = Check::String(is_bounded, "1 to 256 printable ASCII characters");
const HEX_DIGEST: Check = Check::String(is_hex_digest, "64 lowercase hex digits");
pub(super) const DIGEST: Check = Check::String(is_digest, "`sha256:` and 64 lowercase hex digits");

fn is_digest(text: &str) -> bool {
    text.starts_with("sha256:") && text.parse::<Digest>().is_ok()
}

fn is_bounded(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

pub(super) fn is_hex_digest(text: &str) -> bool {
    !text.starts_with("sha256:") && text.parse::<Digest>().is_ok()
}

/// The draft has verifiers accept a link without its prefix.
pub(super) fn is_link(text: &str) -> bool {
    text.parse::<Digest>().is_ok()
}

fn is_code(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
}

/// Two parts or more, with a colon between them.
fn is_namespaced(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
    text.contains(':') && text.split(':').all(part)
}
