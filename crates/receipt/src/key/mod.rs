// SPDX-License-Identifier: Apache-2.0
//! Ed25519 keys and the forms they are kept in.

mod edge;
mod encrypted;
mod error;
mod form;
mod jwk;
mod jwks;
mod set;
mod sign;
mod signing;
mod verifying;
mod window;

pub use edge::{EDGE_CASES, EdgeCase};
pub use encrypted::{MAX_ITERATIONS, MAX_SCRYPT_BYTES};
pub use error::KeyError;
pub use form::KeyForm;
pub use jwks::{Jwks, JwksError};
pub use set::KeySet;
pub(crate) use set::Trusted;
pub use sign::Sign;
pub use signing::SigningKey;
pub use verifying::VerifyingKey;
pub use window::{KeyStatus, KeyWindow};
