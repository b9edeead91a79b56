// SPDX-License-Identifier: Apache-2.0
//! Chains without numbers: each receipt names the one before by its digest, and nothing else says
//! where it belongs.

use super::node::{ChainFault, Link, Node};
use super::{Sequence, SetCode};

/// What the links of receipts of one format say.
#[derive(Debug, Default)]
pub(super) struct Linked {
    pub(super) faults: Vec<ChainFault>,
    /// Receipts that are linked to another one or claim to be.
    pub(super) receipts: u64,
    /// Chains among them: beginnings, and receipts whose predecessor is missing.
    pub(super) chains: u64,
    /// The one receipt that no other names, if there is one.
    pub(super) head: Option<[u8; 32]>,
}

/// Judges the nodes of one format, given in the order in which they came.
pub(super) fn judge(nodes: &[Node], sequence: Sequence) -> Linked {
    let mut found = Linked::default();
    if nodes.iter().all(|node| node.link == Link::First) {
        return found;
    }
    let index = Index::new(nodes);
    for (at, node) in nodes.iter().enumerate() {
        let is_parent = index.first_child(&node.own).is_some();
        if node.link != Link::First || is_parent || sequence == Sequence::Ordered {
            found.receipts = found.receipts.saturating_add(1);
        }
        if index.first(&node.own).is_some_and(|first| first < at) {
            if node.link == Link::First && !is_parent {
                continue;
            }
            let detail = "the same receipt is there twice".to_owned();
            found
                .faults
                .push((SetCode::ChainDuplicate, Some(*node), detail));
            continue;
        }
        match node.link {
            Link::First => first(&mut found, at, node, is_parent, sequence),
            Link::Named => named(&mut found, &index, at, node, sequence),
            Link::Unreadable => {
                let detail = "the receipt names the one before it in an unknown spelling";
                found
                    .faults
                    .push((SetCode::ChainBroken, Some(*node), detail.to_owned()));
            }
        }
    }
    let mut heads = nodes
        .iter()
        .filter(|it| index.first_child(&it.own).is_none());
    found.head = match (heads.next(), heads.next()) {
        (Some(head), None) => Some(head.own),
        _ => None,
    };
    found
}

/// A receipt that names none before it: the first of a chain.
fn first(found: &mut Linked, at: usize, node: &Node, is_parent: bool, sequence: Sequence) {
    if is_parent || sequence == Sequence::Ordered {
        found.chains = found.chains.saturating_add(1);
    }
    if at > 0 && sequence == Sequence::Ordered {
        let detail = "the receipt names none before it, but is not the first";
        found
            .faults
            .push((SetCode::ChainBroken, Some(*node), detail.to_owned()));
    }
}

/// A receipt that names one before it.
fn named(found: &mut Linked, index: &Index, at: usize, node: &Node, sequence: Sequence) {
    let ordered = sequence == Sequence::Ordered;
    let Some(parent) = index.first(&node.previous) else {
        found.chains = found.chains.saturating_add(1);
        let (code, detail) = if node.previous == [0; 32] {
            (
                SetCode::ChainBroken,
                "the receipt names zeros as the one before it",
            )
        } else if ordered && at > 0 {
            (
                SetCode::ChainBroken,
                "the receipt does not name one that is there before it: one was removed or changed",
            )
        } else {
            (SetCode::ChainGap, "the receipt before this one is missing")
        };
        found.faults.push((code, Some(*node), detail.to_owned()));
        return;
    };
    if ordered && parent > at {
        let detail = "the receipt stands before the one that it follows".to_owned();
        found
            .faults
            .push((SetCode::ChainOrder, Some(*node), detail));
    }
    // Only what somebody vouches for opens a fork, and only a receipt that is another one.
    if node.valid
        && index
            .first_child(&node.previous)
            .is_some_and(|first| first < at)
    {
        let detail = "two receipts name the same one before them".to_owned();
        found.faults.push((SetCode::ChainFork, Some(*node), detail));
    }
}

/// Finds receipts by their digest and by their predecessor's.
struct Index {
    own: Vec<([u8; 32], usize)>,
    /// Of those that are valid.
    previous: Vec<([u8; 32], usize)>,
}

impl Index {
    fn new(nodes: &[Node]) -> Self {
        let mut own: Vec<_> = nodes
            .iter()
            .enumerate()
            .map(|(at, it)| (it.own, at))
            .collect();
        own.sort_unstable();
        let linked = |it: &(usize, &Node)| it.1.valid && it.1.link == Link::Named;
        let mut previous: Vec<_> = nodes
            .iter()
            .enumerate()
            .filter(linked)
            .map(|(at, it)| (it.previous, at))
            .collect();
        previous.sort_unstable();
        Self { own, previous }
    }

    /// Returns the first receipt with this digest.
    fn first(&self, digest: &[u8; 32]) -> Option<usize> {
        find(&self.own, digest)
    }

    /// Returns the first valid receipt that names this digest.
    fn first_child(&self, digest: &[u8; 32]) -> Option<usize> {
        find(&self.previous, digest)
    }
}

fn find(sorted: &[([u8; 32], usize)], digest: &[u8; 32]) -> Option<usize> {
    let at = sorted.partition_point(|(other, _)| other < digest);
    sorted
        .get(at)
        .filter(|(other, _)| other == digest)
        .map(|(_, at)| *at)
}
