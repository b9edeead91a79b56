// SPDX-License-Identifier: Apache-2.0
//! Signed notes (C2SP `signed-note`): a text, an empty line, and a line for each signature.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::{NoteKey, SignatureKind, is_name};
use crate::encoding::base64;
use crate::{KeyError, Sign};

/// A note: its text and its signatures, none of which has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    // INVARIANT: `is_text`.
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A line of a note: who says to have signed, by name and key id, and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    // INVARIANT: `is_name`.
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl NoteSignature {
    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the key's id.
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Returns the signature's bytes, whatever their kind.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns whether it names this key.
    pub fn is_by(&self, key: &NoteKey) -> bool {
        self.name == key.name() && self.id == key.id()
    }

    fn read(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix("— ").ok_or(NoteError::Malformed)?;
        let (name, bytes) = rest.split_once(' ').ok_or(NoteError::Malformed)?;
        let bytes = STANDARD.decode(bytes).ok().ok_or(NoteError::Malformed)?;
        match bytes.split_first_chunk() {
            Some((id, bytes)) if is_name(name) && !bytes.is_empty() => Ok(Self {
                name: name.to_owned(),
                id: *id,
                bytes: bytes.to_vec(),
            }),
            Some(_) | None => Err(NoteError::Malformed),
        }
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_slice(), &self.bytes].concat();
        writeln!(f, "— {} {}", self.name, base64(&bytes))
    }
}

impl Note {
    /// Takes a text that is to be signed: not empty, ending with a line feed, without control
    /// characters other than that.
    ///
    /// # Errors
    ///
    /// [`NoteError::Malformed`] and [`NoteError::TooLarge`].
    pub fn new(text: impl Into<String>) -> Result<Self, NoteError> {
        let text = text.into();
        if text.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        if !is_text(&text) {
            return Err(NoteError::Malformed);
        }
        let signatures = Vec::new();
        Ok(Self { text, signatures })
    }

    /// Reads a signed note. The text ends at the last empty line.
    ///
    /// # Errors
    ///
    /// [`NoteError::Malformed`] for anything but UTF-8 without control characters, a text, an empty
    /// line and one signature or more; [`NoteError::TooLarge`] beyond 1 MiB or 100 signatures.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        let note = std::str::from_utf8(bytes)
            .ok()
            .ok_or(NoteError::Malformed)?;
        let (before, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let mut read = Self::new(format!("{before}\n"))?;
        for line in lines.split('\n') {
            if read.signatures.len() >= MAX_SIGNATURES {
                return Err(NoteError::TooLarge);
            }
            read.signatures.push(NoteSignature::read(line)?);
        }
        Ok(read)
    }

    /// Returns the text, with its last line feed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the signatures as they stand, unchecked.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds the signature of the note's author, in the place of one by the same key.
    ///
    /// # Errors
    ///
    /// [`NoteError::Name`] for a name that no key can have, [`NoteError::Sign`], and
    /// [`NoteError::TooLarge`].
    pub fn sign(&mut self, name: &str, key: &dyn Sign) -> Result<(), NoteError> {
        let note_key = NoteKey::ed25519(name, key.verifying_key())
            .ok()
            .ok_or(NoteError::Name)?;
        let signature = key.sign(self.text.as_bytes()).map_err(NoteError::Sign)?;
        self.add(&note_key, signature.to_vec())
    }

    /// Adds a signature's bytes, in the place of one by the same key.
    pub(super) fn add(&mut self, key: &NoteKey, bytes: Vec<u8>) -> Result<(), NoteError> {
        self.signatures.retain(|signature| !signature.is_by(key));
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(NoteError::TooLarge);
        }
        self.signatures.push(NoteSignature {
            name: key.name().to_owned(),
            id: key.id(),
            bytes,
        });
        Ok(())
    }

    /// Returns which of the trusted keys signed the text. Signatures by others are ignored, and so
    /// are keys of witnesses: those sign another text.
    ///
    /// # Errors
    ///
    /// [`NoteError::Signature`] where a signature that names a trusted key is not its own, and
    /// [`NoteError::Unsigned`] where none does.
    pub fn verify<'a>(&self, trusted: &'a [NoteKey]) -> Result<Vec<&'a NoteKey>, NoteError> {
        let mut signers: Vec<&NoteKey> = Vec::new();
        for signature in &self.signatures {
            for key in trusted {
                if key.kind() != SignatureKind::Ed25519 || !signature.is_by(key) {
                    continue;
                }
                let bytes = signature.bytes.as_slice().try_into().ok();
                let holds =
                    bytes.is_some_and(|bytes| key.key().verify(self.text.as_bytes(), bytes));
                if !holds {
                    let name = key.name().to_owned();
                    return Err(NoteError::Signature { name });
                }
                if !signers.contains(&key) {
                    signers.push(key);
                }
            }
        }
        if signers.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(signers)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| line.fmt(f))
    }
}

/// A note that cannot be read, signed or trusted.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// Not of the form of a signed note.
    #[error("not a signed note")]
    Malformed,
    /// A name that no key can have.
    #[error("malformed name of a note's signer")]
    Name,
    /// The key could not sign.
    #[error("cannot sign the note")]
    Sign(#[source] KeyError),
    /// A signature in a trusted key's name is not that key's.
    #[error("the signature of `{name}` is not that of its key over this text")]
    Signature {
        /// The key's name.
        name: String,
    },
    /// More bytes or signatures than a note may have.
    #[error("a note larger than 1 MiB, or with more than 100 signatures")]
    TooLarge,
    /// No trusted key signed it.
    #[error("no trusted key signed the note")]
    Unsigned,
}

fn is_text(text: &str) -> bool {
    text.ends_with('\n') && !text.bytes().any(|byte| byte < 0x20 && byte != b'\n')
}

/// The most bytes that a note may have: 1 MiB.
const MAX_NOTE_BYTES: usize = 1 << 20;

/// The most signatures that a note may have.
const MAX_SIGNATURES: usize = 100;
