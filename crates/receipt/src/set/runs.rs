// SPDX-License-Identifier: Apache-2.0
//! The two phases of a run: each execution belongs to one decision that allowed it.

use std::collections::BTreeMap;

use super::SetCode;
use super::claims::{Claims, Role};
use super::node::{ChainFault, Node, Part};

/// Decisions and executions of one ledger, as they came.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// Decisions that allow and have no execution yet, by their digest.
    open: BTreeMap<[u8; 32], (Node, [u8; 32])>,
    /// Executions whose decision was not open when they came.
    unmatched: Vec<Execution>,
    faults: Vec<ChainFault>,
}

#[derive(Clone, Copy, Debug)]
struct Execution {
    node: Node,
    run: [u8; 32],
    decision: [u8; 32],
}

impl Runs {
    /// Takes a valid receipt.
    pub(super) fn push(&mut self, claims: &Claims, node: Node) {
        match claims.role {
            Role::Allow { run } => {
                self.open.entry(claims.own).or_insert((node, run));
            }
            Role::Execution { run, decision } => self.execute(Execution {
                node,
                run,
                decision,
            }),
            Role::Other | Role::Refusal => {}
        }
    }

    fn execute(&mut self, execution: Execution) {
        match self.open.get(&execution.decision) {
            Some((decision, run)) => {
                if *run == execution.run && decision.seq < execution.node.seq {
                    self.open.remove(&execution.decision);
                } else {
                    self.fault(&execution, "names the decision of another run");
                }
            }
            None => self.unmatched.push(execution),
        }
    }

    fn fault(&mut self, execution: &Execution, words: &str) {
        let detail = format!("execution {} {words}", execution.node.seq);
        self.faults
            .push((SetCode::DecisionMismatch, Some(execution.node), detail));
    }

    /// Judges what is left, and returns the faults and how many decisions that allow have no
    /// execution.
    ///
    /// `entries` are the ledger's entries; `whole` whether none of them is missing.
    pub(super) fn finish(mut self, entries: &[Node], whole: bool) -> (Vec<ChainFault>, u64) {
        let unmatched = std::mem::take(&mut self.unmatched);
        let mut by_digest: Vec<&Node> = Vec::new();
        if !unmatched.is_empty() {
            by_digest = entries.iter().filter(|node| node.valid).collect();
            by_digest.sort_unstable_by_key(|node| node.own);
        }
        for execution in unmatched {
            if self.open.contains_key(&execution.decision) {
                self.execute(execution);
                continue;
            }
            let at = by_digest.binary_search_by(|node| node.own.cmp(&execution.decision));
            let words = match at.ok().and_then(|at| by_digest.get(at)).map(|it| it.part) {
                Some(Part::Allow) => "is the second one of its decision",
                Some(Part::Refusal) => "names a decision that did not allow it",
                Some(Part::Other) => "names a receipt that is no decision",
                None if whole => "names a decision that is not in its ledger",
                // Its decision may be one of the entries that are missing: that is said already.
                None => continue,
            };
            self.fault(&execution, words);
        }
        let open = u64::try_from(self.open.len()).unwrap_or(u64::MAX);
        (self.faults, open)
    }
}
