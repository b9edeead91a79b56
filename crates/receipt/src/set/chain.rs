// SPDX-License-Identifier: Apache-2.0
//! What is gathered of one chain while its receipts come.

use super::claims::{ChainId, Claims};
use super::node::Node;
use super::runs::Runs;
use crate::verdict::Verdict;

/// What is remembered of one chain.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) nodes: Vec<Node>,
    pub(super) runs: Runs,
    pub(super) issuers: Vec<String>,
    issuer: String,
    pub(super) issuer_changes: u64,
    last_issued_us: Option<i64>,
    pub(super) clock_steps_back: u64,
    /// By which other digests the last receipt could be named.
    others: Vec<(&'static str, [u8; 32])>,
    /// The first such name that was used.
    pub(super) convention: Option<&'static str>,
}

impl Chain {
    /// Remembers who signed, and whether the clock went back.
    pub(super) fn observe(&mut self, claims: &Claims, verdict: &Verdict) {
        let key = verdict.key_id.as_deref().unwrap_or_default();
        if key != self.issuer {
            if !self.issuer.is_empty() {
                self.issuer_changes = self.issuer_changes.saturating_add(1);
            }
            key.clone_into(&mut self.issuer);
            if self.issuers.len() < MAX_ISSUERS && !self.issuers.iter().any(|it| it == key) {
                self.issuers.push(key.to_owned());
            }
        }
        if let (Some(before), Some(issued)) = (self.last_issued_us, claims.issued_us)
            && issued < before
        {
            self.clock_steps_back = self.clock_steps_back.saturating_add(1);
        }
        self.last_issued_us = claims.issued_us.or(self.last_issued_us);
        let previous = claims.previous.digest();
        let used = self.others.iter().find(|(_, it)| Some(it) == previous);
        if let Some((name, _)) = used {
            self.convention.get_or_insert(name);
        }
        self.others.clone_from(&claims.others);
    }
}

impl ChainId {
    /// Returns the name under which a report has the chain.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Ledger(id) => Some(format!("ledger:{id}")),
            Self::Linked(format) => Some((*format).to_owned()),
            Self::None => None,
            Self::SbRuntime(key) => Some(format!("sb-runtime:{key}")),
        }
    }
}

/// How many keys of a chain are named.
const MAX_ISSUERS: usize = 16;
