// SPDX-License-Identifier: Apache-2.0
//! What is wrong with a set of receipts, and where.

use std::fmt;
use std::sync::Arc;

/// Where a receipt came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The source: a file's name, a ledger's folder, or whatever the caller called it.
    pub source: Arc<str>,
    /// The line, element or entry within it, from 1; `None` where the source is one receipt.
    pub number: Option<u64>,
}

impl Place {
    /// Names a source that is one receipt.
    pub const fn whole(source: Arc<str>) -> Self {
        Self {
            source,
            number: None,
        }
    }

    /// Names a line, element or entry of a source.
    pub const fn at(source: Arc<str>, number: u64) -> Self {
        Self {
            source,
            number: Some(number),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{}:{number}", self.source),
            None => f.write_str(&self.source),
        }
    }
}

/// The reason for a verdict about a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetCode {
    /// A receipt does not name the one before it.
    ChainBroken,
    /// The same receipt stands in a chain twice.
    ChainDuplicate,
    /// Two receipts have one predecessor or one number.
    ChainFork,
    /// Receipts of a chain are missing before or between those that are there.
    ChainGap,
    /// Receipts of an ordered source stand in another order than they were made.
    ChainOrder,
    /// Fewer entries than the checkpoint covers.
    ChainTruncated,
    /// A checkpoint is not one by a trusted key, or belongs to another ledger.
    CheckpointInvalid,
    /// A checkpoint was given, and no receipt is of the ledger that it covers.
    CheckpointUnused,
    /// A commitment does not name the receipt that stands at its place.
    CommitmentMismatch,
    /// A receipt is bound to a contract that was not given.
    ContractMismatch,
    /// A receipt carries no contract digest that could be compared.
    ContractNotChecked,
    /// An execution names a decision that is not there, is another's, or did not allow it.
    DecisionMismatch,
    /// There is no receipt.
    Empty,
    /// A receipt is dated after a commitment that covers it.
    IssuedAfterCommitment,
    /// A receipt is dated before a commitment that it follows.
    IssuedBeforeCommitment,
    /// The entries are not those that the checkpoint covers.
    LogForked,
    /// The entries end before the checkpoint, and so does the ledger's own latest checkpoint.
    LogRolledBack,
    /// Everything holds.
    Ok,
    /// A receipt is bound to a policy that was not given.
    PolicyMismatch,
    /// A receipt carries no policy digest that could be compared.
    PolicyNotChecked,
    /// A proof does not show that its receipt is in the log, or the receipt is not here.
    ProofInvalid,
    /// A receipt is invalid.
    ReceiptInvalid,
    /// A receipt is undecidable.
    ReceiptUndecidable,
    /// A ledger's file is damaged.
    SourceCorrupt,
    /// A source cannot be read.
    SourceUnreadable,
    /// A receipt names a key that was not given, or none was given.
    UnknownKey,
    /// Fewer trusted witnesses have signed the checkpoint than were asked for.
    WitnessesMissing,
}

/// The outcome for a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetStatus {
    /// Every receipt is good for itself, but some are missing, or there are two histories.
    Incomplete,
    /// A receipt, a chain or a binding is not what it claims.
    Invalid,
    /// Something could not be judged.
    Undecidable,
    /// Every receipt is valid, and so is what joins them.
    Valid,
}

impl SetStatus {
    /// Returns `incomplete`, `invalid`, `undecidable` or `valid`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Invalid => "invalid",
            Self::Undecidable => "undecidable",
            Self::Valid => "valid",
        }
    }
}

impl SetCode {
    /// Returns the stable code; it is never renamed or reused.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChainBroken => "CHAIN_BROKEN",
            Self::ChainDuplicate => "CHAIN_DUPLICATE",
            Self::ChainFork => "CHAIN_FORK",
            Self::ChainGap => "CHAIN_GAP",
            Self::ChainOrder => "CHAIN_ORDER",
            Self::ChainTruncated => "CHAIN_TRUNCATED",
            Self::CheckpointInvalid => "CHECKPOINT_INVALID",
            Self::CheckpointUnused => "CHECKPOINT_UNUSED",
            Self::CommitmentMismatch => "COMMITMENT_MISMATCH",
            Self::ContractMismatch => "CONTRACT_MISMATCH",
            Self::ContractNotChecked => "CONTRACT_NOT_CHECKED",
            Self::DecisionMismatch => "DECISION_MISMATCH",
            Self::Empty => "EMPTY",
            Self::IssuedAfterCommitment => "ISSUED_AFTER_COMMITMENT",
            Self::IssuedBeforeCommitment => "ISSUED_BEFORE_COMMITMENT",
            Self::LogForked => "LOG_FORKED",
            Self::LogRolledBack => "LOG_ROLLED_BACK",
            Self::Ok => "OK",
            Self::PolicyMismatch => "POLICY_MISMATCH",
            Self::PolicyNotChecked => "POLICY_NOT_CHECKED",
            Self::ProofInvalid => "PROOF_INVALID",
            Self::ReceiptInvalid => "RECEIPT_INVALID",
            Self::ReceiptUndecidable => "RECEIPT_UNDECIDABLE",
            Self::SourceCorrupt => "SOURCE_CORRUPT",
            Self::SourceUnreadable => "SOURCE_UNREADABLE",
            Self::UnknownKey => "UNKNOWN_KEY",
            Self::WitnessesMissing => "WITNESSES_MISSING",
        }
    }

    /// Returns the exit code of `ambit verify` for it.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::ChainBroken
            | Self::ChainDuplicate
            | Self::ChainOrder
            | Self::CheckpointInvalid
            | Self::CommitmentMismatch
            | Self::ContractMismatch
            | Self::DecisionMismatch
            | Self::IssuedAfterCommitment
            | Self::IssuedBeforeCommitment
            | Self::PolicyMismatch
            | Self::ProofInvalid
            | Self::ReceiptInvalid
            | Self::SourceCorrupt => 1,
            Self::ContractNotChecked | Self::PolicyNotChecked | Self::ReceiptUndecidable => 2,
            Self::UnknownKey => 5,
            Self::ChainFork
            | Self::ChainGap
            | Self::ChainTruncated
            | Self::CheckpointUnused
            | Self::LogForked
            | Self::LogRolledBack
            | Self::WitnessesMissing => 6,
            Self::Empty | Self::SourceUnreadable => 7,
        }
    }

    /// Returns what the code means for the set.
    pub const fn status(self) -> SetStatus {
        match self.exit_code() {
            0 => SetStatus::Valid,
            1 => SetStatus::Invalid,
            6 => SetStatus::Incomplete,
            _ => SetStatus::Undecidable,
        }
    }

    /// Returns the place of the code among others: of several, the lowest is the set's.
    pub(super) const fn rank(self) -> u8 {
        match (self, self.exit_code()) {
            // Where a receipt is not what was signed, its chain breaks too: the cause comes first.
            (Self::ReceiptInvalid, _) => 0,
            (_, 1) => 1,
            (_, 6) => 2,
            (_, 5) => 3,
            (_, 2) => 4,
            (_, 7) => 5,
            _ => 6,
        }
    }
}

/// One thing that is wrong with a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: SetCode,
    /// The receipt where it shows, if it shows at one.
    pub place: Option<Place>,
    /// The chain that it concerns, as [`ChainReport::id`](super::ChainReport::id) names it.
    pub chain: Option<String>,
    /// In words, for people; hostile text in it is escaped and cut.
    pub detail: String,
}

/// The findings of a set: the first ones in full, all of them by number.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) kept: Vec<Finding>,
    pub(super) total: u64,
    /// The worst of all, kept or not.
    pub(super) worst: Option<SetCode>,
}

impl Findings {
    pub(super) fn push(&mut self, finding: Finding) {
        self.note(finding.code);
        if self.kept.len() < MAX_FINDINGS {
            self.kept.push(finding);
        }
    }

    /// Counts a finding that the receipt's own verdict tells.
    pub(super) fn note_receipt(&mut self, code: SetCode) {
        self.worst = Some(worse(self.worst, code));
    }

    fn note(&mut self, code: SetCode) {
        self.total = self.total.saturating_add(1);
        self.worst = Some(worse(self.worst, code));
    }
}

fn worse(old: Option<SetCode>, new: SetCode) -> SetCode {
    match old {
        Some(old) if old.rank() <= new.rank() => old,
        Some(_) | None => new,
    }
}

/// How many findings are told in full.
const MAX_FINDINGS: usize = 1000;
