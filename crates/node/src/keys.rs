// SPDX-License-Identifier: Apache-2.0
//! Keys: made, loaded and described. Secret key material stays on this side, and passphrases do.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ambit_receipt::key_file::{self, Access};
use ambit_receipt::key_home::{KeyHome, Passphrase};
use ambit_receipt::passphrase::{PassphraseError, PassphraseSource, Question, UnlockError};
use ambit_receipt::pkcs11::{KeyUri, Pkcs11Key};
use ambit_receipt::{KeyWindow, Sign, SigningKey, VerifyingKey};
use napi::bindgen_prelude::Either;
use napi_derive::napi;
use serde_json::json;

use crate::answer::{Failure, Text, TextAnswer, caused, either, failure, ok, text};

/// Where the passphrase of a private key is to be had: at most one of these.
#[napi(object)]
#[derive(Clone, Debug, Default)]
pub struct Secret {
    /// A file that only its owner may read.
    pub file: Option<String>,
    /// Name of an environment variable.
    pub variable: Option<String>,
    /// Whether the terminal may be asked.
    pub ask: Option<bool>,
}

impl Secret {
    fn source(&self) -> PassphraseSource {
        match (&self.file, &self.variable, self.ask) {
            (Some(file), _, _) => PassphraseSource::File(PathBuf::from(file)),
            (None, Some(name), _) => PassphraseSource::Environment(name.clone()),
            (None, None, Some(true)) => PassphraseSource::Terminal,
            (None, None, _) => PassphraseSource::Nowhere,
        }
    }

    /// Returns what reads the passphrase of a key that is there, if it comes to that.
    pub(crate) fn existing(&self) -> impl FnOnce() -> Result<Passphrase, UnlockError> + use<> {
        let source = self.source();
        move || Ok(source.read(Question::Existing)?)
    }

    /// Reads the passphrase for a new key.
    pub(crate) fn new_one(secret: Option<&Self>) -> Result<Option<Passphrase>, PassphraseError> {
        let read = |secret: &Self| secret.source().read(Question::New);
        secret.map(read).transpose()
    }
}

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

    /// Loads a private key, and answers with the key's description as `describePublicKey` gives it.
    /// `source` is a file that only its owner can read, or a `pkcs11:` URI.
    #[napi(catch_unwind)]
    pub fn load(&mut self, source: String, secret: Secret) -> TextAnswer {
        let loaded = if KeyUri::is_one(&source) {
            load_from_token(&source)
        } else {
            load_from_file(Path::new(&source), &secret)
        };
        either(loaded.and_then(|key| self.keep(key)))
    }

    /// Loads the current key of a folder of keys, and answers as `load` does.
    #[napi(catch_unwind)]
    pub fn load_own(&mut self, folder: String, secret: Secret) -> TextAnswer {
        let loaded = KeyHome::open(Path::new(&folder))
            .map_err(UnlockError::from)
            .and_then(|home| home.load(secret.existing()))
            .map_err(|error| caused(error.code(), &error));
        either(loaded.and_then(|key| self.keep(Arc::new(key))))
    }

    fn keep(&mut self, key: Arc<dyn Sign>) -> Result<Text, Failure> {
        let value = describe(&key.verifying_key())?;
        self.key = Some(key);
        Ok(Text { kind: ok(), value })
    }
}

fn load_from_token(uri: &str) -> Result<Arc<dyn Sign>, Failure> {
    match KeyUri::parse(uri).and_then(Pkcs11Key::open) {
        Ok(key) => Ok(Arc::new(key)),
        Err(error) => Err(caused(error.code(), &error)),
    }
}

fn load_from_file(path: &Path, secret: &Secret) -> Result<Arc<dyn Sign>, Failure> {
    let bytes = key_file::read_private(path).map_err(|error| named(path, &error, error.code()))?;
    match SigningKey::decode_with(&bytes, secret.existing()) {
        Ok(key) => Ok(Arc::new(key)),
        Err(error @ UnlockError::Passphrase(PassphraseError::File(..))) => {
            Err(caused(error.code(), &error))
        }
        Err(error) => Err(named(path, &error, error.code())),
    }
}

/// Answers with `{files, variables}`, where the secrets of a signing key are: its own file, or what holds
/// the PIN of its token.
#[napi(catch_unwind)]
pub fn secret_places(source: String) -> TextAnswer {
    if !KeyUri::is_one(&source) {
        return text(json!({ "files": [source], "variables": [] }).to_string());
    }
    match KeyUri::parse(&source) {
        Ok(uri) => {
            let files = uri.pin_file().map(Path::to_string_lossy);
            let (files, variables) = (Vec::from_iter(files), Vec::from_iter(uri.pin_variable()));
            text(json!({ "files": files, "variables": variables }).to_string())
        }
        Err(error) => Either::B(caused(error.code(), &error)),
    }
}

/// Makes a new key pair: the private key as PKCS#8 PEM into a new file with mode 0600, encrypted
/// where there is a secret, the public one as SPKI PEM into a new file beside it. Neither may exist.
/// Answers with the key's description.
#[napi(catch_unwind)]
pub fn generate_key(
    private_path: String,
    public_path: String,
    secret: Option<Secret>,
) -> TextAnswer {
    let made = generate(
        Path::new(&private_path),
        Path::new(&public_path),
        secret.as_ref(),
    );
    match made {
        Ok(value) => text(value),
        Err(failure) => Either::B(failure),
    }
}

fn generate(
    private_path: &Path,
    public_path: &Path,
    secret: Option<&Secret>,
) -> Result<String, Failure> {
    let passphrase = Secret::new_one(secret).map_err(|error| caused(error.code(), &error))?;
    let key = SigningKey::generate().map_err(|error| caused(error.code(), &error))?;
    let private = match passphrase {
        Some(passphrase) => key.to_encrypted_pem(&passphrase),
        None => key.to_pkcs8_pem(),
    };
    let private = private.map_err(|error| caused(error.code(), &error))?;
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
/// `{thumbprint, issuer_id, hex, jwk, pem}` as JSON.
#[napi(catch_unwind)]
pub fn describe_public_key(path: String) -> TextAnswer {
    match read_public(&path).and_then(|key| describe(&key)) {
        Ok(value) => text(value),
        Err(failure) => Either::B(failure),
    }
}

pub(crate) fn read_public(path: &str) -> Result<VerifyingKey, Failure> {
    read_public_with_window(path).map(|(key, _window)| key)
}

/// Reads a public key, and the window that a JWK gives itself.
pub(crate) fn read_public_with_window(path: &str) -> Result<(VerifyingKey, KeyWindow), Failure> {
    let path = Path::new(path);
    let bytes = key_file::read_public(path).map_err(|error| named(path, &error, error.code()))?;
    let key = VerifyingKey::decode(&bytes).map_err(|error| named(path, &error, error.code()))?;
    Ok((key, KeyWindow::of_jwk(&bytes)))
}

/// A failure that names the key's file.
pub(crate) fn named(path: &Path, error: &dyn Error, code: &str) -> Failure {
    let failure = caused(code, error);
    let message = format!("`{}`: {}", path.display(), failure.message);
    Failure { message, ..failure }
}

fn describe(key: &VerifyingKey) -> Result<String, Failure> {
    describe_value(key).map(|value| value.to_string())
}

pub(crate) fn describe_value(key: &VerifyingKey) -> Result<serde_json::Value, Failure> {
    let pem = key
        .to_spki_pem()
        .map_err(|error| caused(error.code(), &error))?;
    let hex = hex(key.as_bytes());
    let jwk: serde_json::Value = serde_json::from_str(&key.to_jwk())
        .map_err(|error| failure("ERR_INTERNAL", error.to_string()))?;
    let (thumbprint, issuer_id) = (key.thumbprint(), key.issuer_id());
    Ok(json!({
        "thumbprint": thumbprint,
        "issuer_id": issuer_id,
        "hex": hex,
        "jwk": jwk,
        "pem": pem,
    }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // writing to a string cannot fail
        let _written = write!(out, "{byte:02x}");
        out
    })
}
