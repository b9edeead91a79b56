// SPDX-License-Identifier: Apache-2.0
//! Approvals that are good for one run, and the entries that used them up.

use ambit_canon::{Value, write};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::entry::sha256;
use crate::error::LedgerError;
use crate::fault::{Activity, Fault};
use crate::ledger::Ledger;

/// Returns the name under which a ledger keeps that an approval was used: the SHA-256 digest of the
/// RFC 8785 text of `[approver_key_id, approval_id]`. An approver gives each approval an id of its
/// own, so that the same approval has one name however its document is spelled.
pub fn approval_use(approver_key_id: &str, approval_id: &str) -> [u8; 32] {
    let pair = Value::Array(vec![Value::from(approver_key_id), Value::from(approval_id)]);
    sha256(write(&pair).as_bytes())
}

/// Returns what a signed payload says that it uses up: of an `ambit:decision` that allows, the
/// `approvals` whose `scope` is not `time_window`.
///
/// The payload's rules see to it that each has its members; one without them is passed over.
pub fn approvals_consumed_by(payload: &Value) -> Vec<[u8; 32]> {
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let is = |name, word: &str| text(payload, name).as_deref() == Some(word);
    if !is("type", "ambit:decision") || !is("decision", "allow") {
        return Vec::new();
    }
    let listed = payload.get("approvals").and_then(Value::as_array);
    listed
        .unwrap_or_default()
        .iter()
        .filter(|approval| text(approval, "scope").as_deref() != Some("time_window"))
        .filter_map(|approval| {
            let key = text(approval, "approver_key_id")?;
            Some(approval_use(&key, &text(approval, "approval_id")?))
        })
        .collect()
}

impl Ledger {
    /// Returns the number of the entry that used each of these approvals; `None` for one that is
    /// unused.
    ///
    /// # Errors
    /// As [`Ledger::entry`].
    pub fn approvals_used(&self, uses: &[[u8; 32]]) -> Result<Vec<Option<u64>>, LedgerError> {
        let reader = self.reader();
        let found: Result<Vec<_>, Fault> = uses
            .iter()
            .map(|used| {
                let mut statement = reader.prepare_cached(SELECT)?;
                Ok(statement.query_row([used], |row| row.get(0)).optional()?)
            })
            .collect();
        found.map_err(|fault| self.failed(Activity::Read, fault))
    }
}

/// Returns why an entry cannot use what it wants to use, if it cannot: another entry did, or it
/// names the same approval twice.
pub(crate) fn check_unused(
    transaction: &Transaction<'_>,
    consumes: &[[u8; 32]],
) -> Result<Option<LedgerError>, Fault> {
    for (index, used) in consumes.iter().enumerate() {
        let mut statement = transaction.prepare_cached(SELECT)?;
        let by: Option<u64> = statement.query_row([used], |row| row.get(0)).optional()?;
        if by.is_some() || consumes.iter().take(index).any(|other| other == used) {
            return Ok(Some(LedgerError::ApprovalConsumed { by }));
        }
    }
    Ok(None)
}

/// Keeps that an entry used these approvals, in the transaction of the entry.
pub(crate) fn record_used(
    transaction: &Transaction<'_>,
    consumes: &[[u8; 32]],
    seq: u64,
) -> Result<(), Fault> {
    for used in consumes {
        transaction
            .prepare_cached(INSERT)?
            .execute(params![used, seq])?;
    }
    Ok(())
}

const SELECT: &str = "SELECT seq FROM approvals_used WHERE approval = ?1";
const INSERT: &str = "INSERT INTO approvals_used (approval, seq) VALUES (?1, ?2)";

#[cfg(test)]
mod tests {
    use super::*;

    fn consumed(payload: &str) -> Vec<[u8; 32]> {
        let limits = ambit_canon::Limits::default();
        approvals_consumed_by(&ambit_canon::parse(payload.as_bytes(), &limits).unwrap())
    }

    #[test]
    fn a_decision_that_allows_uses_up_its_approvals_and_nothing_else_does() {
        let approvals = r#""approvals":[
            {"approval_id":"a","approver_key_id":"k","scope":"single_execution"},
            {"approval_id":"b","approver_key_id":"k","scope":"time_window"},
            {"approval_id":"c","approver_key_id":"k"}]"#;
        let payload = |kind: &str, decision: &str| {
            consumed(&format!(
                r#"{{"type":"{kind}","decision":"{decision}",{approvals}}}"#
            ))
        };
        let want = vec![approval_use("k", "a"), approval_use("k", "c")];
        assert_eq!(payload("ambit:decision", "allow"), want);
        for (kind, decision) in [
            ("ambit:decision", "deny"),
            ("ambit:decision", "needs_approval"),
            ("ambit:execution", "allow"),
        ] {
            assert_eq!(payload(kind, decision), Vec::<[u8; 32]>::new());
        }
    }

    #[test]
    fn names_of_uses_cannot_run_into_each_other() {
        assert_ne!(approval_use("a", "b"), approval_use("ab", ""));
        assert_ne!(approval_use("a\",\"b", "c"), approval_use("a", "b\",\"c"));
    }
}
