// SPDX-License-Identifier: Apache-2.0
//! The tree of RFC 6962 section 2.1 over a few leaves.

use ambit_canon::Digest;

use crate::tlog::node_hash;

/// Returns the hash of a leaf.
pub(super) fn leaf(bytes: &[u8]) -> Digest {
    Digest::of(&[&[0], bytes].concat())
}

/// Returns the root of leaves, and for each leaf its siblings from the leaf up. Nothing of nothing.
///
/// Recurses once per level of the tree.
pub(super) fn build(leaves: &[Digest]) -> Option<(Digest, Vec<Vec<Digest>>)> {
    if let [only] = leaves {
        return Some((*only, vec![Vec::new()]));
    }
    let split = leaves.len().checked_next_power_of_two()?;
    let (left, right) = leaves.split_at_checked(split / 2)?;
    if left.is_empty() || right.is_empty() {
        return None;
    }
    let (left_root, mut paths) = build(left)?;
    let (right_root, right_paths) = build(right)?;
    for path in &mut paths {
        path.push(right_root);
    }
    paths.extend(right_paths.into_iter().map(|mut path| {
        path.push(left_root);
        path
    }));
    let root = node_hash(left_root.as_bytes(), right_root.as_bytes());
    Some((Digest::from_bytes(root), paths))
}
