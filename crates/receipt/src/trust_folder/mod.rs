// SPDX-License-Identifier: Apache-2.0
//! The folder of the keys of others that are trusted.
//!
//! `<name>.jwks.json` is a set of keys. `<name>.key-log.jsonl` is somebody's key log: it was verified
//! from keys that were known from elsewhere, and only a log that goes on from it takes its place.

#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use ambit_canon::{Value, parse, write};

use crate::key::{JwksError, KeyError, KeyForm, KeySet, VerifyingKey};
use crate::key_file::{self, Access, KeyFileError};
use crate::key_log::{KeyLog, KeyLogError, to_jwks};
use crate::verify::LIMITS;

/// The folder of the keys of others that are trusted; it may be missing.
#[derive(Clone, Debug)]
pub struct TrustFolder(PathBuf);

/// A set of trusted keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedSet {
    /// What it is called.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// JWKS document.
    pub jwks: String,
}

/// How keys are trusted.
#[derive(Clone, Debug, Default)]
pub struct Trusting {
    /// How receipts name a single key, if by none of its own ids.
    pub id: Option<String>,
    /// Keys that a key log may begin with, known from elsewhere. A log that goes on from the one that is
    /// there needs none.
    pub roots: Vec<VerifyingKey>,
    /// Whether to take the place of what is there under the name, whatever it says.
    pub replace: bool,
}

impl TrustFolder {
    /// Names the folder.
    pub fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Trusts what `bytes` hold, an SPKI PEM, a JWK, 64 hex digits, 32 raw bytes, a JWKS or a key log, and
    /// keeps it under `name`: letters, digits and `.-_`. The window of a JWK is kept with it.
    ///
    /// # Errors
    ///
    /// [`TrustError`]; nothing is changed then.
    pub fn add(&self, name: &str, bytes: &[u8], how: &Trusting) -> Result<TrustedSet, TrustError> {
        if !is_name(name) {
            return Err(TrustError::Name(name.to_owned()));
        }
        let at = |error| TrustError::Folder(self.0.clone(), error);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .map_err(at)?;
        self.check()?;
        // Held to the end: what is there is not to change between the look and the step.
        let folder = File::open(&self.0).map_err(at)?;
        folder.lock().map_err(at)?;
        let (sets, logs) = (self.file(name, SETS), self.file(name, LOGS));
        let before = read_if_there(&logs)?;
        let is_log =
            before.is_some() || !how.roots.is_empty() || !KeyLog::roots_named(bytes).is_empty();
        let is_object = KeyForm::detect(bytes) == Some(KeyForm::Jwk);
        let (file, other, jwks) = if is_log && (is_object || !how.roots.is_empty()) {
            if how.id.is_some() {
                return Err(TrustError::NotOne);
            }
            let known = before.as_deref().filter(|_| !how.replace);
            (&logs, &sets, followed(bytes, known, &how.roots)?)
        } else {
            (&sets, &logs, set_of(bytes, how.id.as_deref())?)
        };
        let goes_on = file == &logs && before.is_some();
        if !how.replace && (is_there(other) || (is_there(file) && !goes_on)) {
            return Err(TrustError::File(file.clone(), KeyFileError::Exists));
        }
        let text = if file == &logs {
            bytes
        } else {
            jwks.as_bytes()
        };
        key_file::replace(file, text, Access::Public)
            .map_err(|error| TrustError::File(file.clone(), error))?;
        if is_there(other) {
            fs::remove_file(other).map_err(at)?;
        }
        let (name, file) = (name.to_owned(), file.clone());
        Ok(TrustedSet { name, file, jwks })
    }

    /// Returns all sets, by name; none where there is no folder.
    ///
    /// # Errors
    ///
    /// [`TrustError::Access`] where others have rights to the folder, and those of its files.
    pub fn sets(&self) -> Result<Vec<TrustedSet>, TrustError> {
        if !is_there(&self.0) {
            return Ok(Vec::new());
        }
        self.check()?;
        let at = |error| TrustError::Folder(self.0.clone(), error);
        let mut sets = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(at)? {
            let file = entry.map_err(at)?.file_name();
            let Some(file) = file.to_str() else { continue };
            if let Some(name) = file.strip_suffix(SETS) {
                sets.push(self.read(name, SETS)?);
            } else if let Some(name) = file.strip_suffix(LOGS) {
                sets.push(self.read(name, LOGS)?);
            }
        }
        sets.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(sets)
    }

    fn read(&self, name: &str, suffix: &str) -> Result<TrustedSet, TrustError> {
        let file = self.file(name, suffix);
        let bytes = read_public(&file)?;
        let jwks = if suffix == LOGS {
            // verified from keys that were given when it came here, where no one else can write
            followed(&bytes, None, &KeyLog::roots_named(&bytes))?
        } else {
            text_of(&bytes)?
        };
        let name = name.to_owned();
        Ok(TrustedSet { name, file, jwks })
    }

    fn check(&self) -> Result<(), TrustError> {
        key_file::check_folder(&self.0).map_err(|error| TrustError::Access(self.0.clone(), error))
    }

    fn file(&self, name: &str, suffix: &str) -> PathBuf {
        self.0.join(format!("{name}{suffix}"))
    }
}

/// Why keys are not trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The folder is not its owner's alone.
    #[error("`{0}` must be a folder of this user alone, mode 0700")]
    Access(PathBuf, #[source] KeyFileError),
    /// A file could not be read or written.
    #[error("`{0}`")]
    File(PathBuf, #[source] KeyFileError),
    /// The folder could not be read or changed.
    #[error("cannot use the folder `{0}`")]
    Folder(PathBuf, #[source] io::Error),
    /// The bytes are no key.
    #[error(transparent)]
    Key(KeyError),
    /// The key log is not to be believed, or does not go on from the one that was trusted.
    #[error("key log")]
    Log(#[source] KeyLogError),
    /// The name cannot be that of a set.
    #[error("`{0}` is no name for a trusted key; expected letters, digits, `.-_`, and not `own`")]
    Name(String),
    /// An id was given for a set of keys.
    #[error("an id can be given to a single key only")]
    NotOne,
    /// The set has no key of ours.
    #[error("no Ed25519 key in it")]
    Nothing,
    /// The set of keys is malformed.
    #[error(transparent)]
    Set(JwksError),
}

impl TrustError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Access(_, error) | Self::File(_, error) => error.code(),
            Self::Folder(..) => "ERR_KEY_FILE_UNWRITABLE",
            Self::Key(error) => error.code(),
            Self::Log(error) => error.code(),
            Self::Name(_) => "ERR_KEY_NAME",
            Self::NotOne => "ERR_KEY_FORM",
            Self::Nothing => "ERR_KEY_MALFORMED",
            Self::Set(error) => error.code(),
        }
    }
}

/// Returns the keys of a log that may begin with `roots`, and must go on from `known`.
fn followed(
    text: &[u8],
    known: Option<&[u8]>,
    roots: &[VerifyingKey],
) -> Result<String, TrustError> {
    let mut roots = roots.to_vec();
    let known = known.map(|known| {
        let before = KeyLog::roots_named(known);
        let log = KeyLog::verify(known, &before);
        roots.extend(before);
        log
    });
    let known = known.transpose().map_err(TrustError::Log)?;
    let log = KeyLog::verify(text, &roots).map_err(TrustError::Log)?;
    if let Some(known) = known {
        log.check_extends(&known).map_err(TrustError::Log)?;
    }
    Ok(to_jwks(log.states()))
}

/// Returns one key, or a set of them, as a JWKS.
fn set_of(bytes: &[u8], id: Option<&str>) -> Result<String, TrustError> {
    let text = match VerifyingKey::decode(bytes) {
        Ok(key) => of_one(&key, bytes, id),
        // an object that is no key may be a set of keys
        Err(error) if KeyForm::detect(bytes) == Some(KeyForm::Jwk) => match (has_keys(bytes), id) {
            (false, _) => return Err(TrustError::Key(error)),
            (true, Some(_)) => return Err(TrustError::NotOne),
            (true, None) => text_of(bytes)?,
        },
        Err(error) => return Err(TrustError::Key(error)),
    };
    match KeySet::from_jwks(text.as_bytes()) {
        Ok(set) if set.taken == 0 => Err(TrustError::Nothing),
        Ok(_) => Ok(text),
        Err(error) => Err(TrustError::Set(error)),
    }
}

/// A set of one key. What a JWK says of itself, its window above all, stays.
fn of_one(key: &VerifyingKey, bytes: &[u8], id: Option<&str>) -> String {
    let given = parse(bytes, &LIMITS).ok();
    let given = given.as_ref().and_then(Value::as_object).cloned();
    let mut jwk = given.unwrap_or_else(|| {
        [("crv", "Ed25519"), ("kty", "OKP"), ("use", "sig")]
            .into_iter()
            .collect()
    });
    jwk.insert("x", crate::encoding::base64url(key.as_bytes()));
    if let Some(id) = id {
        jwk.insert("kid", id);
    } else if jwk.get("kid").is_none() {
        jwk.insert("kid", key.thumbprint());
    }
    let keys = Value::Array(vec![Value::Object(jwk)]);
    format!(
        "{}\n",
        write(&Value::Object([("keys", keys)].into_iter().collect()))
    )
}

fn has_keys(bytes: &[u8]) -> bool {
    parse(bytes, &LIMITS).is_ok_and(|value| value.get("keys").is_some())
}

fn text_of(bytes: &[u8]) -> Result<String, TrustError> {
    let set = KeySet::from_jwks(bytes).map_err(TrustError::Set);
    set.map(|_| String::from_utf8_lossy(bytes).into_owned())
}

fn read_public(file: &Path) -> Result<Vec<u8>, TrustError> {
    key_file::read_public_set(file).map_err(|error| TrustError::File(file.to_owned(), error))
}

fn read_if_there(file: &Path) -> Result<Option<Vec<u8>>, TrustError> {
    if is_there(file) {
        read_public(file).map(Some)
    } else {
        Ok(None)
    }
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let starts = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    starts && name.len() <= 100 && name.bytes().all(plain) && name != "own"
}

const SETS: &str = ".jwks.json";
const LOGS: &str = ".key-log.jsonl";
