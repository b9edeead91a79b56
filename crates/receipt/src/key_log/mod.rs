// SPDX-License-Identifier: Apache-2.0
//! The key log: which keys a signer had, when each was good, and which were revoked.
//!
//! One line for each event, each a draft -04 envelope of type `ambit:key` in its canonical form with a
//! line feed behind it, chained by `previousReceiptHash` and numbered from 1. `created` is signed by
//! the key that it names, `rotated` by the old key and, as proof that it is at hand, by the new one,
//! `revoked` by the current one. A verifier starts from a key that it trusts from elsewhere: the first.
//!
//! After the current key was revoked no event can follow but another `created`, of a key that the
//! verifier trusts as well: whoever holds a stolen key cannot name its successor any more.
//!
//! What a log cannot show by itself is that its end was cut off: [`KeyLog::check_extends`] compares it
//! with a copy that was seen before.

mod error;
mod event;
mod log;
mod state;
#[cfg(test)]
mod tests;

pub use error::{KeyLogError, KeyLogFault};
pub use log::{Beginning, KeyLog, MAX_LOG_BYTES, Revocation};
pub use state::{KeyStanding, KeyState, to_jwks};
