// SPDX-License-Identifier: Apache-2.0
//! The rules of `csc.receipt.v0.1`.

use std::collections::BTreeSet;

use ambit_canon::{Object, Value};

use crate::schema::{
    Check, Others, STRING, SchemaError, Shape, TEXT, TIME, check_object, may, must,
};

/// Checks a receipt, without its signature, against the published schema, and that it does not
/// contradict itself.
pub(super) fn check(receipt: &Object, key_id: &str) -> Result<(), SchemaError> {
    check_object(receipt, &RECEIPT, "", Others::Refused)?;
    let fault = |path: &str, expected: &str| Err(SchemaError::new(path, expected));
    let exit_code = receipt.get("exit_code").and_then(Value::as_i64);
    let status = receipt.get("status").and_then(Value::as_str);
    if matches!(status, Some("success" | "failed")) {
        for name in ["exit_code", "stdout_hash", "stderr_hash"] {
            if !receipt.contains(name) {
                return fault(name, "a required member where a command ran");
            }
        }
    }
    match (status, exit_code) {
        (Some("success"), Some(code)) if code != 0 => {
            return fault("exit_code", "0 with status `success`");
        }
        (Some("failed"), Some(0)) => {
            return fault("exit_code", "not 0 with status `failed`");
        }
        _ => {}
    }
    let completed = receipt
        .get("completed_command_ids")
        .and_then(Value::as_array);
    let ids: Vec<&str> = completed
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
        return fault("completed_command_ids", "no id twice");
    }
    match receipt.get("signing_key_id").and_then(Value::as_str) {
        Some(named) if named != key_id => fault("signing_key_id", "the signature's key id"),
        _ => Ok(()),
    }
}

static RECEIPT: Shape = Shape {
    members: &[
        must("receipt_version", Check::OneOf(&["csc.receipt.v0.1"])),
        must("contract_id", TEXT),
        must("execution_id", TEXT),
        must("contract_sha256", SHA256),
        must(
            "status",
            Check::OneOf(&["success", "failed", "blocked", "expired"]),
        ),
        must("started_at", TIME),
        must("ended_at", TIME),
        must("policy_profile", TEXT),
        may("exit_code", Check::Integer(i64::MIN)),
        may("stdout_hash", PREFIXED_SHA256),
        may("stderr_hash", PREFIXED_SHA256),
        may("stdout_truncated", Check::Boolean),
        may("stderr_truncated", Check::Boolean),
        may("artifacts", Check::List(&Check::Object(&ARTIFACT))),
        may("policy_schema_version", TEXT),
        may("policy_sha256", SHA256),
        may("runner_version", TEXT),
        may("execution_mode", Check::OneOf(&["local", "hardened"])),
        may("sandbox_profile_id", TEXT),
        may("signing_key_id", TEXT),
        may("effect_summary", Check::Object(&EFFECT_SUMMARY)),
        may("completed_command_ids", Check::List(&TEXT)),
        may("failed_command_id", Check::Nullable(&STRING)),
        may("error", STRING),
    ],
    others: Others::Refused,
};

static ARTIFACT: Shape = Shape {
    members: &[
        must("path", Check::String(is_absolute_path, "an absolute path")),
        must("sha256", SHA256),
    ],
    others: Others::Refused,
};

static EFFECT_SUMMARY: Shape = Shape {
    members: &[
        may("files_written", Check::Integer(0)),
        may("network_used", Check::Boolean),
        may("secrets_used", Check::Integer(0)),
    ],
    others: Others::Refused,
};

const SHA256: Check = Check::String(is_sha256, "64 hex digits");
const PREFIXED_SHA256: Check = Check::String(is_prefixed_sha256, "`sha256:` and 64 hex digits");

/// The schema allows either case.
fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_prefixed_sha256(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(is_sha256)
}

/// `/…`, `C:\…`, `C:/…`, `\\host\share…` or `//host/share…`.
fn is_absolute_path(text: &str) -> bool {
    let mut characters = text.chars();
    let drive = (characters.next(), characters.next(), characters.next());
    let drive = matches!(
        drive,
        (Some('A'..='Z' | 'a'..='z'), Some(':'), Some('/' | '\\'))
    );
    let share = text.strip_prefix("\\\\").is_some_and(|rest| {
        let mut parts = rest.splitn(2, ['\\', '/']);
        let host = parts.next().unwrap_or_default();
        let tail = parts.next().unwrap_or_default();
        !host.is_empty() && tail.starts_with(|first| first != '\\' && first != '/')
    });
    text.starts_with('/') || drive || share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_as_the_schema_has_it() {
        for path in [
            "/",
            "/a",
            "//h/s",
            "C:\\x",
            "c:/x",
            "\\\\host\\share\\f",
            "\\\\h/s",
        ] {
            assert!(is_absolute_path(path), "{path}");
        }
        for path in [
            "",
            "a",
            "./a",
            "C:",
            "C:x",
            "1:/x",
            "\\a",
            "\\\\",
            "\\\\host",
            "\\\\h\\\\s",
        ] {
            assert!(!is_absolute_path(path), "{path}");
        }
    }
}
