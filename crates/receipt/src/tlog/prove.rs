// SPDX-License-Identifier: Apache-2.0
//! Making proofs from the leaves, read once and in order.

use super::frontier::{Frontier, TreeError};
use super::hash::Hash;

/// Makes one proof. It is given the leaf hashes of the log from the first on, and keeps no more than
/// the proof and the edge of one subtree: at most 128 hashes, whatever the size of the log.
#[derive(Clone, Debug)]
pub struct Prover {
    /// The subtrees whose roots are the proof, by their first leaf.
    parts: Vec<Part>,
    /// The part that the next leaf may belong to.
    current: usize,
    /// The place of the next leaf.
    at: u64,
    frontier: Frontier,
}

#[derive(Clone, Debug)]
struct Part {
    start: u64,
    end: u64,
    /// Where its root stands in the proof, from the top of the tree.
    depth: usize,
    root: Option<Hash>,
}

impl Prover {
    /// Begins a proof that the leaf at `index` is in the tree of the first `size` leaves (`PATH` of
    /// RFC 6962 section 2.1.1).
    ///
    /// # Errors
    ///
    /// [`ProveError::Range`] unless `index < size`.
    pub fn inclusion(index: u64, size: u64) -> Result<Self, ProveError> {
        if index >= size {
            return Err(ProveError::Range);
        }
        let (mut start, mut end) = (0, size);
        let mut parts = Parts::default();
        while let Some(middle) = middle(start, end) {
            if index < middle {
                parts.push(middle, end);
                end = middle;
            } else {
                parts.push(start, middle);
                start = middle;
            }
        }
        Ok(parts.into_prover())
    }

    /// Begins a proof that the tree of the first `size1` leaves is the beginning of that of the
    /// first `size2` (`PROOF` of RFC 6962 section 2.1.2). It is empty where both are the same.
    ///
    /// # Errors
    ///
    /// [`ProveError::Range`] unless `0 < size1 <= size2`.
    pub fn consistency(size1: u64, size2: u64) -> Result<Self, ProveError> {
        if size1 == 0 || size1 > size2 {
            return Err(ProveError::Range);
        }
        let (mut start, mut end) = (0, size2);
        let mut parts = Parts::default();
        while size1 != end
            && let Some(middle) = middle(start, end)
        {
            if size1 <= middle {
                parts.push(middle, end);
                end = middle;
            } else {
                parts.push(start, middle);
                start = middle;
            }
        }
        // A subtree that begins where the log does is the smaller tree, whose root is known.
        if start != 0 {
            parts.push(start, end);
        }
        Ok(parts.into_prover())
    }

    /// Takes the hash of the next leaf. Leaves beyond what the proof needs are ignored.
    ///
    /// # Errors
    ///
    /// [`TreeError::Full`] after 2^64 − 1 leaves.
    pub fn push(&mut self, leaf: Hash) -> Result<(), TreeError> {
        let next = self.at.checked_add(1).ok_or(TreeError::Full)?;
        if let Some(part) = self.parts.get_mut(self.current)
            && self.at >= part.start
        {
            self.frontier.append(leaf)?;
            if next == part.end {
                part.root = Some(self.frontier.root());
                self.frontier = Frontier::new();
                self.current = self.current.saturating_add(1);
            }
        }
        self.at = next;
        Ok(())
    }

    /// Returns whether the proof needs no more leaves.
    pub fn is_complete(&self) -> bool {
        self.current >= self.parts.len()
    }

    /// Returns the proof: the hashes from the lowest level to the highest.
    ///
    /// # Errors
    ///
    /// [`ProveError::Incomplete`] where leaves are missing.
    pub fn finish(mut self) -> Result<Vec<Hash>, ProveError> {
        self.parts
            .sort_unstable_by_key(|part| std::cmp::Reverse(part.depth));
        let roots = self.parts.iter().map(|part| part.root);
        roots.collect::<Option<_>>().ok_or(ProveError::Incomplete)
    }
}

/// A proof that cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// There were fewer leaves than the proof is about.
    #[error("the log has fewer leaves than the proof is about")]
    Incomplete,
    /// The numbers are none that a proof can be about.
    #[error("no proof can be about these numbers of leaves")]
    Range,
}

#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn push(&mut self, start: u64, end: u64) {
        self.0.push(Part {
            start,
            end,
            depth: self.0.len(),
            root: None,
        });
    }

    fn into_prover(mut self) -> Prover {
        self.0.sort_unstable_by_key(|part| part.start);
        Prover {
            parts: self.0,
            current: 0,
            at: 0,
            frontier: Frontier::new(),
        }
    }
}

/// Returns where a subtree splits: after the largest power of two below its size. `None` for one
/// leaf.
fn middle(start: u64, end: u64) -> Option<u64> {
    let size = end.checked_sub(start)?;
    let left = size.checked_sub(1)?.checked_ilog2()?;
    start.checked_add(1_u64.checked_shl(left)?)
}
