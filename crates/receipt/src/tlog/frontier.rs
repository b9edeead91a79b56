// SPDX-License-Identifier: Apache-2.0
//! A tree that grows, kept as the roots of its complete subtrees.

use super::hash::{EMPTY_ROOT, Hash, node_hash};

/// The right edge of a tree: its size, and the root of each complete subtree that it is made of,
/// largest first. That is one hash for each bit of the size, at most 64.
///
/// It takes leaves one by one and gives the root at any time, without the leaves before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    // INVARIANT: as many as `size` has bits that are set.
    roots: Vec<Hash>,
}

impl Frontier {
    /// Returns the tree without leaves.
    pub const fn new() -> Self {
        Self {
            size: 0,
            roots: Vec::new(),
        }
    }

    /// Returns how many leaves there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash ([`super::leaf_hash`]).
    ///
    /// # Errors
    ///
    /// [`TreeError::Full`] at 2^64 − 1 leaves.
    pub fn append(&mut self, leaf: Hash) -> Result<(), TreeError> {
        let size = self.size.checked_add(1).ok_or(TreeError::Full)?;
        let mut root = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                root = node_hash(&left, &root);
            }
        }
        self.roots.push(root);
        self.size = size;
        Ok(())
    }

    /// Returns the root of the tree; [`EMPTY_ROOT`] without leaves.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        match roots.next() {
            None => EMPTY_ROOT,
            Some(last) => roots.fold(*last, |right, left| node_hash(left, &right)),
        }
    }

    /// Returns the tree as bytes: the size as 8 bytes, big-endian, and then the hashes, largest
    /// subtree first, 32 bytes each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        bytes.extend(self.roots.iter().flatten());
        bytes
    }

    /// Reads what [`Frontier::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// [`TreeError::Malformed`] for bytes of another length than their size asks for.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TreeError> {
        let (size, rest) = bytes.split_first_chunk().ok_or(TreeError::Malformed)?;
        let size = u64::from_be_bytes(*size);
        let (roots, rest) = rest.as_chunks::<32>();
        if !rest.is_empty() || u32::try_from(roots.len()) != Ok(size.count_ones()) {
            return Err(TreeError::Malformed);
        }
        Ok(Self {
            size,
            roots: roots.to_vec(),
        })
    }
}

/// A tree that cannot be read or cannot grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// 2^64 − 1 leaves are all that a tree can have.
    #[error("the tree is full")]
    Full,
    /// The bytes are not those of a tree's edge.
    #[error("malformed edge of a tree")]
    Malformed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlog::hash::leaf_hash;

    #[test]
    fn an_edge_is_read_as_it_was_written() {
        let mut frontier = Frontier::new();
        for seed in 0..70 {
            let bytes = frontier.to_bytes();
            assert_eq!(Frontier::from_bytes(&bytes), Ok(frontier.clone()));
            let short = bytes.split_last().unwrap().1;
            assert_eq!(Frontier::from_bytes(short), Err(TreeError::Malformed));
            let long = [bytes.as_slice(), &[0; 32]].concat();
            assert_eq!(Frontier::from_bytes(&long), Err(TreeError::Malformed));
            frontier.append(leaf_hash(&[seed; 32])).unwrap();
        }
    }

    #[test]
    fn a_full_tree_takes_no_more() {
        let bytes = [u64::MAX.to_be_bytes().as_slice(), &[0; 64 * 32]].concat();
        let mut frontier = Frontier::from_bytes(&bytes).unwrap();
        assert_eq!(frontier.append([0; 32]), Err(TreeError::Full));
        assert_eq!(frontier.to_bytes(), bytes);
    }
}
