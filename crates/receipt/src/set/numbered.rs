// SPDX-License-Identifier: Apache-2.0
//! Chains whose receipts are numbered from 1: ledgers of ours, and those of the `sb` program.

use super::node::{ChainFault, Link, Node};
use super::{Sequence, SetCode};

/// What the numbers and links of a chain say.
#[derive(Debug)]
pub(super) struct Numbered {
    pub(super) faults: Vec<ChainFault>,
    /// One node for each number that is there, in order; of a fork the first that came.
    pub(super) entries: Vec<Node>,
    /// Whether every number from 1 to the last is there.
    pub(super) dense: bool,
}

/// Judges the nodes of one chain, in whatever order.
pub(super) fn judge(mut nodes: Vec<Node>, sequence: Sequence) -> Numbered {
    // Of one number the valid ones come first: what nobody vouches for opens no fork.
    nodes.sort_unstable_by_key(|node| (node.seq, !node.valid, node.index));
    let mut faults = Vec::new();
    let (mut before, mut latest): (Vec<Node>, u32) = (Vec::new(), 0);
    let mut dense = true;
    for group in nodes.chunk_by(|a, b| a.seq == b.seq) {
        let Some(first) = group.first() else {
            continue;
        };
        let same = distinct(group, &mut faults);
        if let Some(gap) = gap(&before, first) {
            dense = false;
            faults.push(gap);
        }
        for node in &same {
            check_link(&before, node, &mut faults);
        }
        if sequence == Sequence::Ordered && first.index < latest {
            let detail = format!("receipt {} stands behind a later one", first.seq);
            faults.push((SetCode::ChainOrder, Some(*first), detail));
        }
        latest = latest.max(first.index);
        before = same;
    }
    nodes.dedup_by_key(|node| node.seq);
    Numbered {
        faults,
        entries: nodes,
        dense,
    }
}

/// Returns the receipts of one number that differ, and names what is there twice.
fn distinct(group: &[Node], faults: &mut Vec<ChainFault>) -> Vec<Node> {
    let mut same: Vec<Node> = Vec::new();
    for node in group {
        // What is not valid takes part only where nothing valid has the number.
        if !node.valid && same.iter().any(|other| other.valid) {
            continue;
        }
        if same.iter().any(|other| other.own == node.own) {
            let detail = format!("receipt {} is there twice", node.seq);
            faults.push((SetCode::ChainDuplicate, Some(*node), detail));
            continue;
        }
        if node.valid && !same.is_empty() && same.len() < MAX_BRANCHES {
            let detail = format!("two receipts have the number {}", node.seq);
            faults.push((SetCode::ChainFork, Some(*node), detail));
        }
        if same.len() < MAX_BRANCHES {
            same.push(*node);
        }
    }
    same
}

/// Returns the numbers that are missing before a receipt, as a fault.
fn gap(before: &[Node], node: &Node) -> Option<ChainFault> {
    let last = before.first().map_or(0, |node| node.seq);
    let from = last.saturating_add(1);
    if node.seq <= from {
        return None;
    }
    let until = node.seq.saturating_sub(1);
    let detail = if from == until {
        format!("receipt {from} is missing")
    } else {
        format!("receipts {from} to {until} are missing")
    };
    Some((SetCode::ChainGap, Some(*node), detail))
}

/// Checks that the receipt names the one before it.
fn check_link(before: &[Node], node: &Node, faults: &mut Vec<ChainFault>) {
    let fault = match (node.link, node.seq) {
        (Link::First, 1) => return,
        (Link::First, seq) => format!("receipt {seq} names no receipt before it"),
        (Link::Unreadable, seq) => {
            format!("receipt {seq} names the one before it in an unknown spelling")
        }
        (Link::Named, 0 | 1) => "the first receipt names one before it".to_owned(),
        (Link::Named, seq) => {
            let adjacent = before
                .first()
                .is_some_and(|it| it.seq == seq.saturating_sub(1));
            if !adjacent || before.iter().any(|it| it.own == node.previous) {
                return;
            }
            format!(
                "receipt {seq} does not name receipt {}, the one before it",
                seq.saturating_sub(1)
            )
        }
    };
    faults.push((SetCode::ChainBroken, Some(*node), fault));
}

/// How many receipts of one number are remembered.
const MAX_BRANCHES: usize = 16;
