// SPDX-License-Identifier: Apache-2.0
//! The hashes of RFC 6962 section 2.1.

use ambit_canon::Digest;

/// A SHA-256 hash of a leaf, of a node or of a whole tree.
pub type Hash = [u8; 32];

/// The root of a tree without leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Returns the hash of a leaf: `SHA-256(0x00 ‖ digest)`, where `digest` is the SHA-256 digest of
/// the entry's exact bytes.
pub fn leaf_hash(digest: &[u8; 32]) -> Hash {
    let mut input = [0; 33];
    if let Some((_, rest)) = input.split_first_mut() {
        rest.copy_from_slice(digest);
    }
    *Digest::of(&input).as_bytes()
}

/// Returns the hash of a node: `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut input = [1; 65];
    for (byte, value) in input.iter_mut().skip(1).zip(left.iter().chain(right)) {
        *byte = *value;
    }
    *Digest::of(&input).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::from_hex;

    #[test]
    fn an_empty_tree_has_the_hash_of_nothing() {
        assert_eq!(&EMPTY_ROOT, Digest::of(b"").as_bytes());
    }

    #[test]
    fn leaves_and_nodes_are_hashed_apart() {
        // computed with sha256sum over 0x00 ‖ 32 zero bytes, and over 0x01 ‖ 64 zero bytes
        let leaf = "7f9c9e31ac8256ca2f258583df262dbc7d6f68f2a03043d5c99a4ae5a7396ce9";
        let node = "ae0798d0ecaed2b778eddebf18f071a561c53658c05e76cedecc27cafbdbc577";
        assert_eq!(Some(leaf_hash(&[0; 32])), from_hex(leaf));
        assert_eq!(Some(node_hash(&[0; 32], &[0; 32])), from_hex(node));
    }
}
