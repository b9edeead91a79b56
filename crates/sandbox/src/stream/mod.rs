// SPDX-License-Identifier: Apache-2.0
//! Input and output of the command: output is passed on live, hashed in full, kept up to a limit.
//!
//! A thread of the run copies what comes. It holds at most one piece of each stream that was not
//! passed on yet, and reads no further until it was: a slow reader slows the command.

mod allowance;
mod feed;
mod pump;
mod tap;
mod unwaiting;

use std::fmt;
use std::os::fd::OwnedFd;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub(crate) use allowance::Allowance;
pub(crate) use feed::{Feed, Finish};
pub(crate) use pump::pump;
pub(crate) use tap::Tap;

/// A function that takes pieces of a stream.
pub(crate) type Listener = Box<dyn FnMut(&[u8]) + Send>;

/// Where the pieces of one stream go, in order.
pub enum Sink {
    /// Called with each piece. One that is slow slows the command; one that panics is not called
    /// again, and the run goes on without it.
    Call(Listener),
    /// Written to. Nobody waits for its reader once the run has ended: what it has not taken by
    /// then stands in [`StreamOutcome::rest`]. A reader that is gone is no reason to end a run.
    Descriptor(OwnedFd),
}

impl Sink {
    /// Returns a sink that calls a function with each piece.
    pub fn call(function: impl FnMut(&[u8]) + Send + 'static) -> Self {
        Self::Call(Box::new(function))
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(_) => f.write_str("Call"),
            Self::Descriptor(fd) => f.debug_tuple("Descriptor").field(fd).finish(),
        }
    }
}

/// What goes in, and what receives the output of a run as it comes, both streams on one thread.
#[derive(Default)]
pub struct Streams {
    /// What a plan with [`Stdin::Bytes`](crate::Stdin::Bytes) reads; its end comes after it.
    pub stdin: Vec<u8>,
    /// What a plan with [`Stdin::Stream`](crate::Stdin::Stream) reads, copied on as it comes: the
    /// command never gets the descriptor itself, which may be a terminal, a socket or a file that
    /// can be written. Without one there is nothing to read.
    pub input: Option<OwnedFd>,
    /// Values of the plan's [`secrets`](crate::LaunchPlan::secrets), in their order; wiped once the
    /// command has them.
    pub secrets: Vec<Zeroizing<Vec<u8>>>,
    /// Called once every program of the command is executing.
    pub started: Option<Box<dyn FnOnce(Option<u32>) + Send>>,
    /// Receives standard output, or what a terminal shows.
    pub stdout: Option<Sink>,
    /// Receives standard error.
    pub stderr: Option<Sink>,
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

/// What is known of one stream at the end.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct StreamOutcome {
    /// SHA-256 of all that was passed on, kept or not, 64 lower-case hex digits: the whole stream, or
    /// its beginning where a limit on output was reached.
    pub sha256: String,
    /// Length of what was passed on, bytes.
    pub bytes: u64,
    /// Whether less than the whole stream was kept.
    pub truncated: bool,
    /// The beginning of the stream, up to the plan's limit.
    #[serde(skip)]
    pub captured: Vec<u8>,
    /// The end of the stream that a [`Sink::Descriptor`] had not taken when the run ended: at most
    /// what a pipe and one piece hold.
    #[serde(skip)]
    pub rest: Vec<u8>,
    /// Whether some of it was not passed on, for the limit on output.
    #[serde(skip)]
    pub(crate) cut: bool,
}

impl StreamOutcome {
    /// Returns the outcome of a stream that nothing was written to.
    pub(crate) fn empty() -> Self {
        Self {
            sha256: sha256(&[]),
            ..Self::default()
        }
    }
}

/// Bytes read at a time: the size of a Linux pipe.
const PIECE_BYTES: usize = 65_536;

/// Returns the SHA-256 of some bytes, 64 lower-case hex digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Returns lower-case hex.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or(b'?'));
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
