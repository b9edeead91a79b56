// SPDX-License-Identifier: Apache-2.0
//! What a set is held against.

use ambit_canon::Digest;

use super::SetCode;
use super::claims::Claims;

/// What a set is held against, beside the trusted keys.
#[derive(Clone, Debug, Default)]
pub struct SetOptions {
    /// Digests of the policies that receipts may be bound to; none: not checked.
    pub policies: Vec<Digest>,
    /// Digests of the contracts that receipts may be bound to; none: not checked.
    pub contracts: Vec<Digest>,
    /// The moment of verification, microseconds since 1970-01-01T00:00:00Z: receipts dated more than
    /// five minutes after it are counted.
    pub at_us: Option<i64>,
    /// What others saw of a chain, and when.
    pub commitments: Vec<Commitment>,
    /// Whether the order of the receipts says anything.
    pub sequence: Sequence,
    /// Whether receipts that are not there are missed.
    pub scope: Scope,
}

/// What somebody saw of a chain, at a time by a clock that is not the signer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// The ledger's id; `None` for the one chain of a set without numbers.
    pub ledger: Option<String>,
    /// How many receipts it had.
    pub count: u64,
    /// The digest by which a successor would name the last of them, if it is known.
    pub terminal: Option<Digest>,
    /// When, microseconds since 1970-01-01T00:00:00Z.
    pub time_us: i64,
    /// How far the two clocks may be apart, microseconds.
    pub skew_us: i64,
}

impl Commitment {
    /// Holds a receipt at `position` of its chain against what was seen.
    pub(super) fn judge(&self, claims: &Claims, position: u64) -> Vec<(SetCode, String)> {
        let mut found = Vec::new();
        if position == self.count
            && let Some(terminal) = self.terminal
            && *terminal.as_bytes() != claims.own
        {
            let detail = format!("receipt {position} is not the one that somebody saw there");
            found.push((SetCode::CommitmentMismatch, detail));
        }
        let Some(issued) = claims.issued_us else {
            return found;
        };
        if position > self.count && issued < self.time_us.saturating_sub(self.skew_us) {
            let detail = format!(
                "it is dated before receipt {} was seen to be the last",
                self.count
            );
            found.push((SetCode::IssuedBeforeCommitment, detail));
        }
        if position <= self.count && issued > self.time_us.saturating_add(self.skew_us) {
            let detail = "it is dated after it was seen".to_owned();
            found.push((SetCode::IssuedAfterCommitment, detail));
        }
        found
    }
}

/// Whether the order of the receipts says anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sequence {
    /// The source has an order of its own, which must be that of the chain.
    Ordered,
    /// The source has none: a folder of files with names of any kind.
    #[default]
    Unordered,
}

/// Whether receipts that are not there are missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// One receipt, taken out of its chain.
    One,
    /// All that somebody has of a chain.
    #[default]
    Set,
}
