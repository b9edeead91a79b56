// SPDX-License-Identifier: Apache-2.0
//! The tree of RFC 6962 section 2.1 over a few leaves.

use ambit_canon::Digest;

/// Returns the hash of a leaf.
pub(super) fn leaf(bytes: &[u8]) -> Digest {
    Digest::of(&[&[0], bytes].concat())
}

fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::of(&[&[1], left.as_bytes().as_slice(), right.as_bytes()].concat())
}

/// Returns the root to which a leaf and its siblings lead, or nothing where a leaf at that place has
/// more or fewer of them (RFC 9162 section 2.1.3.2).
pub(super) fn root(leaf: Digest, index: u64, size: u64, siblings: &[Digest]) -> Option<Digest> {
    if index >= size {
        return None;
    }
    let (mut at, mut last) = (index, size.checked_sub(1)?);
    let mut hash = leaf;
    for sibling in siblings {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            // Levels at which the node has no sibling are passed over.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
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
    Some((node(&left_root, &right_root), paths))
}
