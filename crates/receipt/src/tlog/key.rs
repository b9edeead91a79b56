// SPDX-License-Identifier: Apache-2.0
//! The keys of notes: a name, and a public key for one kind of signature.

use std::fmt;
use std::str::FromStr;

use ambit_canon::Digest;

use crate::encoding::{base64, from_base64, from_hex, hex};
use crate::{KeyError, VerifyingKey};

/// What a signature on a note says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignatureKind {
    /// An Ed25519 signature over the note's text (type 0x01 of C2SP `signed-note`): its author's.
    Ed25519,
    /// An Ed25519 signature with its time (type 0x04, C2SP `tlog-cosignature`): a witness's.
    Cosignature,
}

impl SignatureKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// A public key that is trusted on notes under a name, written `name+id+base64` (a *vkey*).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    kind: SignatureKind,
    key: VerifyingKey,
}

impl NoteKey {
    /// Trusts `key` for the text of notes that it signs as `name`.
    ///
    /// # Errors
    ///
    /// [`NoteKeyError::Name`] for a name that is empty or has white space, control characters or
    /// `+` in it.
    pub fn ed25519(name: &str, key: VerifyingKey) -> Result<Self, NoteKeyError> {
        Self::new(name, SignatureKind::Ed25519, key)
    }

    /// Trusts `key` for the cosignatures that it makes as the witness `name`.
    ///
    /// # Errors
    ///
    /// As [`NoteKey::ed25519`].
    pub fn witness(name: &str, key: VerifyingKey) -> Result<Self, NoteKeyError> {
        Self::new(name, SignatureKind::Cosignature, key)
    }

    fn new(name: &str, kind: SignatureKind, key: VerifyingKey) -> Result<Self, NoteKeyError> {
        if !is_name(name) {
            return Err(NoteKeyError::Name);
        }
        let name = name.to_owned();
        Ok(Self { name, kind, key })
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what its signatures say.
    pub const fn kind(&self) -> SignatureKind {
        self.kind
    }

    /// Returns the public key.
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Returns the key's id: the first four bytes of
    /// `SHA-256(name ‖ 0x0A ‖ type ‖ public key)`.
    pub fn id(&self) -> [u8; 4] {
        let mut input = self.name.clone().into_bytes();
        input.extend([b'\n', self.kind.byte()]);
        input.extend(self.key.as_bytes());
        let [a, b, c, d, ..] = *Digest::of(&input).as_bytes();
        [a, b, c, d]
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [[self.kind.byte()].as_slice(), self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, hex(&self.id()), base64(&bytes))
    }
}

impl FromStr for NoteKey {
    type Err = NoteKeyError;

    /// Reads a vkey. The name has no `+`, so it ends at the first.
    fn from_str(text: &str) -> Result<Self, NoteKeyError> {
        let (name, rest) = text.split_once('+').ok_or(NoteKeyError::Malformed)?;
        let (id, bytes) = rest.split_once('+').ok_or(NoteKeyError::Malformed)?;
        let id: [u8; 4] = from_hex(id).ok_or(NoteKeyError::Malformed)?;
        let bytes: [u8; 33] = from_base64(bytes).ok_or(NoteKeyError::Malformed)?;
        let (kind, key) = bytes.split_first_chunk().ok_or(NoteKeyError::Malformed)?;
        let kind = [SignatureKind::Ed25519, SignatureKind::Cosignature]
            .into_iter()
            .find(|known| [known.byte()] == *kind)
            .ok_or(NoteKeyError::Kind)?;
        let key = key.try_into().ok().ok_or(NoteKeyError::Malformed)?;
        let key = VerifyingKey::from_bytes(key).map_err(NoteKeyError::Key)?;
        let read = Self::new(name, kind, key)?;
        if read.id() != id {
            return Err(NoteKeyError::Id);
        }
        Ok(read)
    }
}

/// A text that is not a key for notes.
#[derive(Debug, thiserror::Error)]
pub enum NoteKeyError {
    /// The id is not that of this name and key.
    #[error("the id of the note key is not that of its name and key")]
    Id,
    /// The public key cannot be used.
    #[error("the note key's public key cannot be used")]
    Key(#[source] KeyError),
    /// Of a kind that is not read here.
    #[error("a note key of another kind; accepted: Ed25519 (1) and its cosignatures (4)")]
    Kind,
    /// Not of the form of a note key.
    #[error("malformed note key; accepted: `name+id+base64`")]
    Malformed,
    /// A name that no key can have.
    #[error("malformed name of a note key; accepted: text without white space and `+`")]
    Name,
}

/// Returns whether a key may have this name.
pub(super) fn is_name(name: &str) -> bool {
    let unfit = |c: char| c == '+' || c.is_whitespace() || c < ' ';
    !name.is_empty() && !name.contains(unfit)
}
