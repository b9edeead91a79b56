// SPDX-License-Identifier: Apache-2.0
//! Verifies many receipts, and what joins them: chains, runs, bindings, commitments, completeness.
//!
//! # Terms
//!
//! - *Set*: the receipts of one verification, in the order in which they came.
//! - *Chain*: receipts of which each names the one before. Those of a ledger of ours and of the `sb`
//!   program are numbered; those of other formats have their links alone.
//! - *Finding*: one thing that is wrong with what joins receipts. A receipt's own faults stand in
//!   its [`Verdict`](crate::Verdict).
//! - *Commitment*: what somebody else saw of a chain, and when.
//!
//! [`verify_all`] reads a source on all cores and hands out one result for each receipt, in order;
//! then it answers with one verdict for the set. About a hundred bytes of each receipt that is in a
//! chain are kept.
//!
//! Without a checkpoint nobody can see that the newest receipts are missing: the verdict then says
//! [`Completeness::IntegrityOnly`].

mod chain;
mod claims;
mod completeness;
mod engine;
mod finding;
mod linked;
mod node;
mod numbered;
mod options;
mod report;
mod runs;
pub mod source;
mod verifier;

pub use engine::verify_all;
pub use finding::{Finding, Place, SetCode, SetStatus};
pub use options::{Commitment, Scope, Sequence, SetOptions};
pub use report::{ChainReport, Completeness, Counts, ReceiptResult, SetVerdict, SourceFault};
pub use verifier::SetVerifier;
