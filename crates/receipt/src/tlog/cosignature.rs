// SPDX-License-Identifier: Apache-2.0
//! Cosignatures of witnesses (C2SP `tlog-cosignature`, Ed25519).

use super::checkpoint::OpenedCheckpoint;
use super::key::{NoteKey, SignatureKind};
use super::note::{Note, NoteError};
use crate::{Sign, VerifyingKey};

/// A witness's word: as of this time, the checkpoint is the largest that it saw of the log, and
/// the log only grew up to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness.
    pub witness: NoteKey,
    /// When it signed by its own clock, in seconds since 1970-01-01T00:00:00Z, below 2^63.
    pub time: u64,
}

/// Adds a witness's cosignature to a checkpoint. Whether the log only grew is for the caller to
/// check first: see [`super::WitnessState`].
///
/// # Errors
///
/// [`NoteError::Name`] for a name that no key can have, [`NoteError::Sign`],
/// [`NoteError::Malformed`] for a time of 2^63 or more, [`NoteError::TooLarge`].
pub fn cosign(
    opened: &mut OpenedCheckpoint,
    name: &str,
    key: &dyn Sign,
    time: u64,
) -> Result<(), NoteError> {
    let note_key = NoteKey::witness(name, key.verifying_key())
        .ok()
        .ok_or(NoteError::Name)?;
    if time > MAX_TIME {
        return Err(NoteError::Malformed);
    }
    let message = message(time, &opened.note);
    let signature = key.sign(message.as_bytes()).map_err(NoteError::Sign)?;
    let bytes = [time.to_be_bytes().as_slice(), &signature].concat();
    opened.note.add(&note_key, bytes)
}

/// The witnesses that a verifier trusts, and how many of them must have signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WitnessPolicy {
    /// The trusted keys, of kind [`SignatureKind::Cosignature`]; others are ignored.
    pub witnesses: Vec<NoteKey>,
    /// How many different ones must have signed; 0 asks for none.
    pub quorum: usize,
}

impl WitnessPolicy {
    /// Returns the cosignatures of trusted witnesses, one for each public key, in the order of the
    /// note. A witness with the key of the log itself does not count. Signatures of others are
    /// ignored.
    ///
    /// # Errors
    ///
    /// [`WitnessError::Signature`] where a cosignature in a trusted witness's name is not its own,
    /// [`WitnessError::Quorum`] where there are too few.
    pub fn check(&self, opened: &OpenedCheckpoint) -> Result<Vec<Cosignature>, WitnessError> {
        let mut found: Vec<Cosignature> = Vec::new();
        for signature in opened.note.signatures() {
            for witness in &self.witnesses {
                if witness.kind() != SignatureKind::Cosignature || !signature.is_by(witness) {
                    continue;
                }
                let Some(time) = verified(&opened.note, witness.key(), signature.bytes()) else {
                    let name = witness.name().to_owned();
                    return Err(WitnessError::Signature { name });
                };
                let known = |other: &Cosignature| other.witness.key() == witness.key();
                if !found.iter().any(known) && !opened.signers.contains(witness.key()) {
                    let witness = witness.clone();
                    found.push(Cosignature { witness, time });
                }
            }
        }
        if found.len() < self.quorum {
            return Err(WitnessError::Quorum {
                found: found.len(),
                wanted: self.quorum,
            });
        }
        Ok(found)
    }
}

/// A checkpoint that not enough witnesses have seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// Fewer trusted witnesses than were asked for.
    #[error("{found} trusted witnesses signed the checkpoint; expected {wanted}")]
    Quorum {
        /// How many did.
        found: usize,
        /// How many must.
        wanted: usize,
    },
    /// A cosignature in a trusted witness's name is not that witness's.
    #[error("the cosignature of `{name}` is not that of its key over this checkpoint")]
    Signature {
        /// The witness's name.
        name: String,
    },
}

/// Returns the time of a cosignature that holds.
fn verified(note: &Note, key: &VerifyingKey, bytes: &[u8]) -> Option<u64> {
    let (time, signature) = bytes.split_first_chunk()?;
    let time = u64::from_be_bytes(*time);
    let signature = signature.try_into().ok()?;
    let holds = time <= MAX_TIME && key.verify(message(time, note).as_bytes(), signature);
    holds.then_some(time)
}

fn message(time: u64, note: &Note) -> String {
    format!("cosignature/v1\ntime {time}\n{}", note.text())
}

const MAX_TIME: u64 = u64::MAX >> 1;
