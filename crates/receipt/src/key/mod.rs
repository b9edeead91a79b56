// SPDX-License-Identifier: Apache-2.0
//! Ed25519 keys and the forms they are kept in.

mod error;
mod form;
mod set;
mod sign;
mod signing;
mod verifying;

pub use error::KeyError;
pub use form::KeyForm;
pub use set::KeySet;
pub use sign::Sign;
pub use signing::SigningKey;
pub use verifying::VerifyingKey;
