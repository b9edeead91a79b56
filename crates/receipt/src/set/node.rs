// SPDX-License-Identifier: Apache-2.0
//! What is remembered of each receipt of a chain: about a hundred bytes.

use super::claims::{Claims, Previous, Role};

/// One receipt of a chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) own: [u8; 32],
    /// Zeros where [`Link`] says that there is none.
    pub(super) previous: [u8; 32],
    /// Its number, or 0.
    pub(super) seq: u64,
    /// The line, element or entry of its source; 0 for the whole of it, or beyond what it can hold.
    pub(super) number: u32,
    /// How many of its chain came before it.
    pub(super) index: u32,
    /// Its source.
    pub(super) source: u32,
    pub(super) link: Link,
    pub(super) part: Part,
    /// Whether its verdict is `valid`.
    pub(super) valid: bool,
}

/// How it names its predecessor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    First,
    Named,
    Unreadable,
}

/// What it is in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Allow,
    Other,
    Refusal,
}

impl Node {
    pub(super) fn new(claims: &Claims, source: u32, number: Option<u64>, valid: bool) -> Self {
        Self {
            own: claims.own,
            previous: claims.previous.digest().copied().unwrap_or_default(),
            seq: claims.seq,
            number: number.and_then(|it| u32::try_from(it).ok()).unwrap_or(0),
            index: 0,
            source,
            link: match claims.previous {
                Previous::Bare(_) | Previous::Named(_) => Link::Named,
                Previous::First => Link::First,
                Previous::Unreadable => Link::Unreadable,
            },
            part: match claims.role {
                Role::Allow { .. } => Part::Allow,
                Role::Refusal => Part::Refusal,
                Role::Execution { .. } | Role::Other => Part::Other,
            },
            valid,
        }
    }
}

/// A fault of a chain: its code, the node where it shows, and words.
pub(super) type ChainFault = (super::SetCode, Option<Node>, String);
