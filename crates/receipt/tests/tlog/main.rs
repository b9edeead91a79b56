// SPDX-License-Identifier: Apache-2.0
//! The transparency log: trees and proofs, notes and checkpoints.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::assertions_on_result_states,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests: what goes wrong fails the test"
)]

mod naive;
mod notes;
mod tiles;
mod trees;
mod vectors;
mod witnesses;
