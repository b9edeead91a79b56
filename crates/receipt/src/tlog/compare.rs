// SPDX-License-Identifier: Apache-2.0
//! A log beside a checkpoint that was kept elsewhere: what is missing, and what was exchanged.

use super::checkpoint::Checkpoint;
use super::frontier::{Frontier, TreeError};
use super::hash::{Hash, leaf_hash};

/// What a log is, beside a checkpoint of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// The checkpoint's entries are all there, unchanged and in order.
    Complete {
        /// How many entries there are, the checkpoint's included.
        size: u64,
    },
    /// As many entries are there as the checkpoint has, or more; but not the same ones. Somebody
    /// went on from an earlier state, or made the log anew.
    Forked {
        /// The checkpoint's size.
        size: u64,
        /// The root of as many entries of this log.
        have: Hash,
        /// The checkpoint's root.
        want: Hash,
    },
    /// Entries are missing at the end, and the log's own latest checkpoint does not cover them
    /// either: the log is in an earlier state, as if from a copy.
    RolledBack {
        /// How many entries there are.
        have: u64,
        /// The checkpoint's size.
        want: u64,
    },
    /// Entries are missing at the end.
    Truncated {
        /// How many entries there are.
        have: u64,
        /// The checkpoint's size.
        want: u64,
    },
}

/// Compares the digests of a log's entries, given one by one from the first, with a checkpoint.
#[derive(Clone, Debug)]
pub struct Comparison {
    size: u64,
    root: Hash,
    frontier: Frontier,
    reached: Option<Hash>,
}

impl Comparison {
    /// Begins a comparison with what a checkpoint says. That its signature holds and that its
    /// origin is this log's is checked before ([`Checkpoint::open`]).
    pub fn new(checkpoint: &Checkpoint) -> Self {
        let frontier = Frontier::new();
        Self {
            size: checkpoint.size(),
            root: *checkpoint.root(),
            reached: (checkpoint.size() == 0).then(|| frontier.root()),
            frontier,
        }
    }

    /// Takes the SHA-256 digest of the next entry's exact bytes.
    ///
    /// # Errors
    ///
    /// [`TreeError::Full`] after 2^64 − 1 entries.
    pub fn push(&mut self, digest: &[u8; 32]) -> Result<(), TreeError> {
        self.frontier.append(leaf_hash(digest))?;
        if self.frontier.size() == self.size {
            self.reached = Some(self.frontier.root());
        }
        Ok(())
    }

    /// Returns what was found. `own_size` is the size of the latest checkpoint that the log itself
    /// still has, if it is known: a log that has forgotten the checkpoint was rolled back.
    pub fn finish(self, own_size: Option<u64>) -> Completeness {
        let (have, want) = (self.frontier.size(), self.size);
        match self.reached {
            Some(root) if root == self.root => Completeness::Complete { size: have },
            Some(root) => Completeness::Forked {
                size: want,
                have: root,
                want: self.root,
            },
            None if own_size.is_some_and(|own| own < want) => {
                Completeness::RolledBack { have, want }
            }
            None => Completeness::Truncated { have, want },
        }
    }
}

/// Compares all digests of a log's entries, from the first, with a checkpoint. See [`Comparison`].
///
/// # Errors
///
/// The first error of `digests`.
pub fn compare<E: From<TreeError>>(
    digests: impl IntoIterator<Item = Result<[u8; 32], E>>,
    checkpoint: &Checkpoint,
    own_size: Option<u64>,
) -> Result<Completeness, E> {
    let mut comparison = Comparison::new(checkpoint);
    for digest in digests {
        comparison.push(&digest?)?;
    }
    Ok(comparison.finish(own_size))
}
