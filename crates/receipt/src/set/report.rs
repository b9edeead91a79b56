// SPDX-License-Identifier: Apache-2.0
//! What verification of a set answers.

use super::finding::{Finding, Place, SetCode, SetStatus};
use crate::verdict::Verdict;

/// What was found of one receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptResult {
    /// Where it came from.
    pub place: Place,
    /// What it is worth for itself, or why it could not be read.
    pub outcome: Result<Verdict, SourceFault>,
    /// Its number, where it stands in a numbered chain: its own claim unless it is valid.
    pub seq: Option<u64>,
}

/// Why a source gave no receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFault {
    /// Stable code.
    pub code: &'static str,
    /// In words.
    pub message: String,
}

/// The verdict for a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetVerdict {
    /// The outcome.
    pub status: SetStatus,
    /// The worst of what was found.
    pub code: SetCode,
    /// In words.
    pub detail: String,
    /// How many receipts were found to be what.
    pub counts: Counts,
    /// The chains, in the order of their names.
    pub chains: Vec<ChainReport>,
    /// What is wrong with what joins the receipts: the first thousand.
    pub findings: Vec<Finding>,
    /// How many findings there are.
    pub findings_total: u64,
    /// What is known of receipts that are not there.
    pub completeness: Completeness,
}

/// How many receipts were found to be what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Everything that came.
    pub receipts: u64,
    /// Receipts that are valid for themselves.
    pub valid: u64,
    /// Receipts that are invalid.
    pub invalid: u64,
    /// Receipts of which nothing can be said.
    pub undecidable: u64,
    /// What could not be read.
    pub unreadable: u64,
    /// Valid receipts that are dated after the moment of verification.
    pub dated_later: u64,
    /// Links without the prefix that the draft asks for; it allows to accept them.
    pub bare_links: u64,
    /// Valid receipts whose key has no window and no revocation: whether it was good when the
    /// receipt was issued is not known.
    pub key_not_established: u64,
}

/// What was found of one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// `ledger:` and the ledger's id, `sb-runtime:` and the key, or the name of a format.
    pub id: String,
    /// How many receipts it has here.
    pub receipts: u64,
    /// The first number that is here, if it has numbers.
    pub first_seq: Option<u64>,
    /// The last number that is here, if it has numbers.
    pub last_seq: Option<u64>,
    /// The digest by which a successor would name the last receipt, 64 hex digits, if there is one
    /// last receipt.
    pub head: Option<String>,
    /// The keys that its valid receipts name, in the order in which they came; at most 16.
    pub issuers: Vec<String>,
    /// How many times the key changed from one receipt to the next.
    pub issuer_changes: u64,
    /// Decisions that allow a run and have no execution here.
    pub open_runs: u64,
    /// Chains, where a format's receipts form more than one.
    pub parts: u64,
    /// Receipts dated before the one that they follow.
    pub clock_steps_back: u64,
    /// What its links name instead of the whole receipt's digest, where another tool's convention
    /// was recognised. Such links are broken ones.
    pub convention: Option<String>,
}

/// What is known of receipts that are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Every entry up to a checkpoint is there.
    CompleteToCheckpoint {
        /// The origin line: which log it is.
        origin: String,
        /// How many entries the checkpoint covers.
        size: u64,
        /// Entries here that are newer than the checkpoint.
        beyond: u64,
        /// The trusted witnesses that signed it.
        witnesses: Vec<String>,
    },
    /// One entry is in the log, as a proof shows; of the others nothing is known.
    Included {
        /// The origin line: which log it is.
        origin: String,
        /// The entry's number.
        seq: u64,
        /// How many entries the proof's checkpoint covers.
        size: u64,
        /// The trusted witnesses that signed it.
        witnesses: Vec<String>,
    },
    /// There was no checkpoint: that the newest are missing cannot be seen.
    IntegrityOnly,
    /// There was a checkpoint, and entries that it covers are missing or others.
    NotComplete,
}
