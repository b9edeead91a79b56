// SPDX-License-Identifier: Apache-2.0
//! What a witness remembers, and what it refuses to sign.

use std::collections::BTreeMap;
use std::fmt;

use ambit_canon::{Limits, Object, Value, parse, write};

use super::checkpoint::{Checkpoint, OpenedCheckpoint};
use super::hash::Hash;
use super::lines;
use super::note::Note;
use super::verify::{ProofError, verify_consistency};
use crate::encoding::base64;

/// A checkpoint for a witness, with the proof that the log only grew since the last one that the
/// witness signed: the request of C2SP `tlog-witness`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessRequest {
    /// The size of the checkpoint that the proof starts from; 0 for none.
    pub old: u64,
    /// The consistency proof from `old` on.
    pub proof: Vec<Hash>,
    /// The checkpoint's note.
    pub checkpoint: String,
}

impl WitnessRequest {
    /// Reads a request (`old SIZE`, hashes, an empty line, a checkpoint), or a checkpoint alone.
    ///
    /// # Errors
    ///
    /// [`WitnessRefusal::Malformed`] for what is neither, also beyond 2 MiB.
    pub fn parse(bytes: &[u8]) -> Result<Self, WitnessRefusal> {
        let text = std::str::from_utf8(bytes).ok();
        text.filter(|text| text.len() <= MAX_BYTES)
            .and_then(Self::read)
            .ok_or(WitnessRefusal::Malformed)
    }

    fn read(mut text: &str) -> Option<Self> {
        let (mut old, mut proof) = (0, Vec::new());
        if text.starts_with(OLD) {
            old = lines::decimal(lines::next(&mut text)?.strip_prefix(OLD)?)?;
            proof = lines::hashes(&mut text)?;
        }
        let checkpoint = text.to_owned();
        let note = Note::parse(checkpoint.as_bytes()).ok()?;
        Checkpoint::parse(note.text()).ok()?;
        Some(Self {
            old,
            proof,
            checkpoint,
        })
    }
}

impl fmt::Display for WitnessRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{OLD}{}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", base64(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// The last checkpoint of each log that a witness signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WitnessState {
    seen: BTreeMap<String, Checkpoint>,
}

impl WitnessState {
    /// Reads what [`WitnessState::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// [`WitnessRefusal::State`].
    pub fn parse(bytes: &[u8]) -> Result<Self, WitnessRefusal> {
        let limits = Limits {
            max_bytes: MAX_STATE_BYTES,
            ..Limits::default()
        };
        let state = parse(bytes, &limits).ok();
        state
            .as_ref()
            .and_then(Self::read)
            .ok_or(WitnessRefusal::State)
    }

    fn read(state: &Value) -> Option<Self> {
        if state.get("format")?.as_str()? != FORMAT {
            return None;
        }
        let mut seen = BTreeMap::new();
        for text in state.get("checkpoints")?.as_array()? {
            let checkpoint = Checkpoint::parse(text.as_str()?).ok()?;
            if seen.contains_key(checkpoint.origin()) {
                return None;
            }
            seen.insert(checkpoint.origin().to_owned(), checkpoint);
        }
        Some(Self { seen })
    }

    /// Returns the state as canonical JSON: `{checkpoints: [text…], format: "ambit.witness.v1"}`,
    /// one text of a checkpoint for each log.
    pub fn to_json(&self) -> String {
        let texts = self.seen.values().map(|seen| Value::from(seen.text()));
        let mut state = Object::default();
        state.insert("format", FORMAT);
        state.insert("checkpoints", Value::Array(texts.collect()));
        write(&Value::Object(state))
    }

    /// Returns the last checkpoint of a log that was signed.
    pub fn seen(&self, origin: &str) -> Option<&Checkpoint> {
        self.seen.get(origin)
    }

    /// Moves on to a checkpoint whose signature by its log was checked, if the log only grew since
    /// the last one. The first one of a log is taken as it is, and so is the last one again.
    ///
    /// # Errors
    ///
    /// [`WitnessRefusal::RolledBack`] for a smaller one; [`WitnessRefusal::Forked`] for one of the
    /// same size with another root, and where the proof leads to other roots;
    /// [`WitnessRefusal::Old`] for a proof from another size; [`WitnessRefusal::Proof`] for one
    /// that cannot be one.
    pub fn advance(
        &mut self,
        opened: &OpenedCheckpoint,
        old: u64,
        proof: &[Hash],
    ) -> Result<(), WitnessRefusal> {
        let offered = &opened.checkpoint;
        match self.seen.get(offered.origin()) {
            None if old == 0 && proof.is_empty() => {}
            None => return Err(WitnessRefusal::Old { seen: 0, old }),
            Some(seen) => check(seen, offered, old, proof)?,
        }
        self.seen
            .insert(offered.origin().to_owned(), offered.clone());
        Ok(())
    }
}

fn check(
    seen: &Checkpoint,
    offered: &Checkpoint,
    old: u64,
    proof: &[Hash],
) -> Result<(), WitnessRefusal> {
    let size = seen.size();
    if offered.size() < size {
        let offered = offered.size();
        return Err(WitnessRefusal::RolledBack {
            seen: size,
            offered,
        });
    }
    if offered.size() == size {
        let same = offered.root() == seen.root();
        return same.then_some(()).ok_or(WitnessRefusal::Forked { size });
    }
    if old != size {
        return Err(WitnessRefusal::Old { seen: size, old });
    }
    if size == 0 && proof.is_empty() {
        return Ok(());
    }
    let held = verify_consistency(size, offered.size(), seen.root(), offered.root(), proof);
    held.map_err(|error| match error {
        ProofError::Root => WitnessRefusal::Forked { size },
        ProofError::HashSize | ProofError::Length | ProofError::Range => {
            WitnessRefusal::Proof(error)
        }
    })
}

/// Why a witness does not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRefusal {
    /// The log is not the one of which the witness saw a checkpoint of this size.
    #[error("the log forked: it does not continue from the {size} entries that were seen")]
    Forked {
        /// The size of the checkpoint that was seen.
        size: u64,
    },
    /// Neither a request nor a checkpoint.
    #[error("not a checkpoint; expected one, or `{OLD}SIZE` with a proof before it")]
    Malformed,
    /// The proof does not start where the witness stands.
    #[error("the proof is from {old} entries; expected one from {seen}, the last that were seen")]
    Old {
        /// The size of the checkpoint that was seen; 0 for none.
        seen: u64,
        /// The size that the proof starts from.
        old: u64,
    },
    /// The proof has not the form that its sizes ask for.
    #[error("the consistency proof cannot be one")]
    Proof(#[source] ProofError),
    /// The log is smaller than what was seen of it.
    #[error("the log was rolled back: it has {offered} entries, and {seen} were seen")]
    RolledBack {
        /// The size of the checkpoint that was seen.
        seen: u64,
        /// The size of the one that was offered.
        offered: u64,
    },
    /// What the witness remembers cannot be read.
    #[error("the state of the witness is damaged; expected `{FORMAT}`")]
    State,
}

impl WitnessRefusal {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Forked { .. } => "ERR_LEDGER_FORKED",
            Self::Malformed => "ERR_LEDGER_NOTE",
            Self::Old { .. } | Self::Proof(_) => "ERR_LEDGER_PROOF",
            Self::RolledBack { .. } => "ERR_LEDGER_ROLLED_BACK",
            Self::State => "ERR_LEDGER_WITNESS_STATE",
        }
    }
}

const FORMAT: &str = "ambit.witness.v1";
const OLD: &str = "old ";
const MAX_BYTES: usize = 1 << 21;

/// The most bytes of a state: 16 MiB, some hundred thousand logs.
pub(super) const MAX_STATE_BYTES: usize = 1 << 24;
