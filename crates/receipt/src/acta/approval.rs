// SPDX-License-Identifier: Apache-2.0
//! The rules of `ambit:approval`: what an approver signs, and how receipts name it.

use ambit_canon::{Object, Value};

use super::rules::DIGEST;
use crate::schema::{Check, Others, SchemaError, Shape, TEXT, TIME, check_object, may, must};

/// The type of an approval's payload.
pub(super) const TYPE: &str = "ambit:approval";

/// Checks an approval. It binds a contract and a policy, or an action, and never both.
pub(super) fn check(payload: &Object, others: Others) -> Result<(), SchemaError> {
    check_object(payload, &APPROVAL, "", others)?;
    let binds_action = payload.get("bind").and_then(Value::as_str) == Some("action");
    for (name, is_wanted) in [
        ("action_hash", binds_action),
        ("contract_hash", !binds_action),
        ("policy_hash", !binds_action),
    ] {
        let expected = match (payload.contains(name), is_wanted) {
            (true, true) | (false, false) => continue,
            (false, true) => "a required member with this `bind`",
            (true, false) => "no such member with this `bind`",
        };
        return Err(SchemaError::new(name, expected));
    }
    Ok(())
}

static APPROVAL: Shape = Shape {
    members: &[
        must("type", TEXT),
        must("approval_version", Check::OneOf(&["ambit.approval.v1"])),
        must("approval_id", ID),
        must("issued_at", TIME),
        must("issuer_id", TEXT),
        must("not_before", TIME),
        must("expires_at", TIME),
        must("scope", SCOPE),
        must("mode", super::rules::MODE),
        must("bind", Check::OneOf(&["action", "contract"])),
        may("action_hash", DIGEST),
        may("contract_hash", DIGEST),
        may("policy_hash", DIGEST),
        may("ledger_id", TEXT),
        may("ticket_id", ID),
        may(
            "reason",
            Check::String(|text| text.len() <= 16_000, "at most 16,000 bytes"),
        ),
    ],
    others: Others::AsAsked,
};

/// An approval that a decision used.
pub(super) static USED: Shape = Shape {
    members: &[
        must("approval_hash", DIGEST),
        must("approval_id", TEXT),
        must("approver_key_id", TEXT),
        must("scope", SCOPE),
    ],
    others: Others::AsAsked,
};

/// The same in an execution, where older receipts say less.
pub(super) static REPEATED: Shape = Shape {
    members: &[
        must("approval_hash", DIGEST),
        may("approval_id", TEXT),
        must("approver_key_id", TEXT),
        may("scope", SCOPE),
    ],
    others: Others::AsAsked,
};

const SCOPE: Check = Check::OneOf(&["single_execution", "time_window"]);
const ID: Check = Check::String(
    |text| (1..=256).contains(&text.len()),
    "a string of 1 to 256 bytes",
);
