// SPDX-License-Identifier: Apache-2.0
//! What the draft asks of those who write payloads of its types. Verification asks less: it accepts
//! what a signer made of a member that the verifier does not need.

use ambit_canon::{Object, Value};

use super::rules::{DIGEST, is_hex_digest, is_link};
use crate::schema::{
    Check, Others, STRING, SchemaError, Shape, TEXT, TIME, check_object, may, must,
};

/// Checks a payload of a type that is not ours, after the rules of every type.
pub(super) fn check(payload: &Object) -> Result<(), SchemaError> {
    check_object(payload, &COMMON, "", Others::Allowed)?;
    for name in ["hook_latency_ms", "tool_duration_ms"] {
        if payload.get(name).is_some_and(|value| !is_duration(value)) {
            return Err(SchemaError::new(name, "a number that is not negative"));
        }
    }
    let shape = match payload.get("type").and_then(Value::as_str) {
        Some("protectmcp:decision") => &DECISION,
        Some("protectmcp:lifecycle") => &LIFECYCLE,
        Some("protectmcp:restraint") => &RESTRAINT,
        _ => return Ok(()),
    };
    check_object(payload, shape, "", Others::Allowed)?;
    if let Some(name) = RAW.iter().find(|name| payload.contains(name)) {
        let expected =
            "no raw prompt, argument or key (section 9.3); a digest of it may stand here";
        return Err(SchemaError::new(*name, expected));
    }
    Ok(())
}

fn is_duration(value: &Value) -> bool {
    matches!(value, Value::Number(_)) && !ambit_canon::write(value).starts_with('-')
}

/// Sections 2.2, 4, 6.7 and 6.8.
static COMMON: Shape = Shape {
    members: &[
        may("previousReceiptHash", DIGEST),
        may("evidence", Check::List(&Check::Object(&EVIDENCE))),
        may("committed_fields_root", HEX),
        may("payload_digest", Check::Object(&PAYLOAD_DIGEST)),
        may(
            "sandbox_state",
            Check::OneOf(&["enabled", "disabled", "unavailable"]),
        ),
        may("action_ref", HEX),
        may("iteration_id", TEXT),
    ],
    others: Others::Allowed,
};

static EVIDENCE: Shape = Shape {
    members: &[
        must("dimension", TEXT),
        must(
            "state",
            Check::OneOf(&[
                "satisfied",
                "unverified",
                "stale",
                "failed",
                "not_applicable",
            ]),
        ),
        must("source", Check::Object(&SOURCE)),
        may("as_of", TIME),
    ],
    others: Others::Allowed,
};

static SOURCE: Shape = Shape {
    members: &[
        must("authority", TEXT),
        must("ref", TEXT),
        may("kid", TEXT),
        may("alg", TEXT),
        may("sig", TEXT),
    ],
    others: Others::Allowed,
};

static PAYLOAD_DIGEST: Shape = Shape {
    members: &[
        must("hash", Check::String(is_link, "64 lowercase hex digits")),
        must("size", Check::Integer(0)),
        may(
            "preview",
            Check::String(
                |text| text.chars().count() <= 256,
                "a string of at most 256 characters",
            ),
        ),
    ],
    others: Others::Allowed,
};

static DECISION: Shape = Shape {
    members: &[
        must("tool_name", TEXT),
        must(
            "decision",
            Check::OneOf(&["allow", "deny", "rate_limit", "require_approval"]),
        ),
        may("reason", STRING),
        may("agent_tier", TIER),
        may("required_tier", TIER),
        may("policy_digest", DIGEST),
        may("session_id", TEXT),
    ],
    others: Others::Allowed,
};

static RESTRAINT: Shape = Shape {
    members: &[
        must("agent_id", TEXT),
        must("agent_manifest_version", TEXT),
        must("tool_name", TEXT),
        must("decision", Check::OneOf(&["allow", "deny"])),
        may(
            "denial_type",
            Check::OneOf(&["policy-block", "agent-refusal"]),
        ),
    ],
    others: Others::Allowed,
};

static LIFECYCLE: Shape = Shape {
    members: &[
        must(
            "lifecycle_event",
            Check::OneOf(&[
                "subagent_start",
                "subagent_stop",
                "session_start",
                "session_end",
                "task_created",
                "task_completed",
                "teammate_idle",
                "config_change",
            ]),
        ),
        may("agent_id", TEXT),
        may("agent_type", TEXT),
        may("parent_session_id", TEXT),
        may("team_name", TEXT),
    ],
    others: Others::Allowed,
};

const TIER: Check = Check::OneOf(&["unknown", "signed-known", "evidenced", "privileged"]);
const HEX: Check = Check::String(is_hex_digest, "64 lowercase hex digits");

/// Members that hold what a payload must not.
const RAW: &[&str] = &[
    "args",
    "arguments",
    "argv",
    "prompt",
    "prompts",
    "private_key",
    "tool_args",
    "tool_arguments",
    "tool_input",
];
