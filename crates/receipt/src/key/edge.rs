// SPDX-License-Identifier: Apache-2.0
//! Where Ed25519 verifiers differ, and what ours answers.

/// A signature on which verifiers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeCase {
    /// Number in ed25519-speccheck ("Taming the many `EdDSAs`", table 1), from 0.
    pub id: u8,
    /// What is unusual: the public key A, the commitment R, the scalar S.
    pub what: &'static str,
    /// Whether [`VerifyingKey::verify`](super::VerifyingKey::verify) accepts it, under a key that can be
    /// loaded at all.
    pub accepted: bool,
}

/// The twelve cases of ed25519-speccheck. Only one is accepted: A and R have a component of small order,
/// and are otherwise sound; the signer alone can make such a key.
///
/// `verify_strict` of ed25519-dalek answers the same. OpenSSL, Node's crypto and Python's cryptography
/// accept 0 to 3 and 11; verifiers after ZIP 215 accept all but 6, 7 and 9.
pub const EDGE_CASES: [EdgeCase; 12] = [
    case(0, "A and R of small order, S = 0", false),
    case(1, "A of small order, R mixed", false),
    case(2, "A mixed, R of small order", false),
    case(
        3,
        "A and R mixed, the equation holds without the cofactor",
        true,
    ),
    case(
        4,
        "A and R mixed, the equation holds with the cofactor only",
        false,
    ),
    case(
        5,
        "A mixed, the equation holds with the cofactor only",
        false,
    ),
    case(6, "S of the group's order or more", false),
    case(7, "S far above the group's order", false),
    case(
        8,
        "R not canonical and of small order, hashed reduced",
        false,
    ),
    case(
        9,
        "R not canonical and of small order, hashed as it is",
        false,
    ),
    case(
        10,
        "A not canonical and of small order, hashed reduced",
        false,
    ),
    case(
        11,
        "A not canonical and of small order, hashed as it is",
        false,
    ),
];

const fn case(id: u8, what: &'static str, accepted: bool) -> EdgeCase {
    EdgeCase { id, what, accepted }
}
