// SPDX-License-Identifier: Apache-2.0
//! Keys: made, loaded and described. Secret key material stays on this side.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use ambit_receipt::key_file::{self, Access};
use ambit_receipt::{Sign, SigningKey, VerifyingKey};
use napi::bindgen_prelude::Either;
use napi_derive::napi;
use serde_json::json;

use crate::answer::{Failure, TextAnswer, caused, either, failure, text};

/// A signing key. It has no property that JavaScript could read.
#[napi]
pub struct Signer {
    pub(crate) key: Option<Arc<dyn Sign>>,
}

#[napi]
impl Signer {
    /// Makes an empty handle; `load` fills it.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self { key: None }
    }

    /// Loads a private key from a file that only its owner can read, and answers with the key's
    /// description as `describePublicKey` gives it.
    #[napi(catch_unwind)]
    pub fn load(&mut self, path: String) -> TextAnswer {
        either(self.load_file(Path::new(&path)))
    }

    fn load_file(&mut self, path: &Path) -> Result<crate::answer::Text, Failure> {
        let bytes =
            key_file::read_private(path).map_err(|error| named(path, &error, error.code()))?;
        let key = SigningKey::decode(&bytes).map_err(|error| named(path, &error, error.code()))?;
        let value = describe(&key.verifying_key())?;
        self.key = Some(Arc::new(key));
        Ok(crate::answer::Text {
            kind: crate::answer::ok(),
            value,
        })
    }
}

/// Makes a new key pair: the private key as PKCS#8 PEM into a new file with mode 0600, the public
/// one as SPKI PEM into a new file beside it. Neither may exist. Answers with the key's
/// description.
#[napi(catch_unwind)]
pub fn generate_key(private_path: String, public_path: String) -> TextAnswer {
    match generate(Path::new(&private_path), Path::new(&public_path)) {
        Ok(value) => text(value),
        Err(failure) => Either::B(failure),
    }
}

fn generate(private_path: &Path, public_path: &Path) -> Result<String, Failure> {
    let key = SigningKey::generate().map_err(|error| caused(error.code(), &error))?;
    let private = key
        .to_pkcs8_pem()
        .map_err(|error| caused(error.code(), &error))?;
    let public = key.verifying_key();
    let pem = public
        .to_spki_pem()
        .map_err(|error| caused(error.code(), &error))?;
    let write = |path: &Path, bytes: &[u8], access: Access| {
        key_file::write_new(path, bytes, access).map_err(|error| named(path, &error, error.code()))
    };
    write(private_path, private.as_bytes(), Access::Owner)?;
    write(public_path, pem.as_bytes(), Access::Public).inspect_err(|_| {
        // half a pair is of no use; the file is ours, made a moment ago
        let _removed = std::fs::remove_file(private_path);
    })?;
    describe(&public)
}

/// Reads a public key file (SPKI PEM, JWK, 64 hex digits or 32 raw bytes) and answers with
/// `{thumbprint, hex, jwk, pem}` as JSON.
#[napi(catch_unwind)]
pub fn describe_public_key(path: String) -> TextAnswer {
    match read_public(&path).and_then(|key| describe(&key)) {
        Ok(value) => text(value),
        Err(failure) => Either::B(failure),
    }
}

pub(crate) fn read_public(path: &str) -> Result<VerifyingKey, Failure> {
    let path = Path::new(path);
    let bytes = key_file::read_public(path).map_err(|error| named(path, &error, error.code()))?;
    VerifyingKey::decode(&bytes).map_err(|error| named(path, &error, error.code()))
}

/// A failure that names the key's file.
fn named(path: &Path, error: &dyn std::error::Error, code: &str) -> Failure {
    let failure = caused(code, error);
    let message = format!("`{}`: {}", path.display(), failure.message);
    Failure { message, ..failure }
}

fn describe(key: &VerifyingKey) -> Result<String, Failure> {
    let pem = key
        .to_spki_pem()
        .map_err(|error| caused(error.code(), &error))?;
    let hex = hex(key.as_bytes());
    let jwk: serde_json::Value = serde_json::from_str(&key.to_jwk())
        .map_err(|error| failure("ERR_INTERNAL", error.to_string()))?;
    let out = json!({ "thumbprint": key.thumbprint(), "hex": hex, "jwk": jwk, "pem": pem });
    Ok(out.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // writing to a string cannot fail
        let _written = write!(out, "{byte:02x}");
        out
    })
}
