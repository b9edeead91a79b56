// SPDX-License-Identifier: Apache-2.0
//! Output of the command: passed on live, hashed in full, kept up to a limit.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::OwnedFd;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// Receives the output of a run as it comes. A sink that is slow slows the command, since the
/// pipe between them fills.
#[derive(Default)]
pub struct Sinks {
    /// Called with each piece of standard output, in order.
    pub stdout: Option<Box<dyn FnMut(&[u8]) + Send>>,
    /// Called with each piece of standard error, in order.
    pub stderr: Option<Box<dyn FnMut(&[u8]) + Send>>,
}

impl std::fmt::Debug for Sinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sinks").finish_non_exhaustive()
    }
}

/// What is known of one stream at the end.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct StreamOutcome {
    /// SHA-256 of the whole stream, kept or not, 64 lower-case hex digits.
    pub sha256: String,
    /// Length of the whole stream, bytes.
    pub bytes: u64,
    /// Whether less than the whole stream was kept.
    pub truncated: bool,
    /// The beginning of the stream, up to the plan's limit.
    #[serde(skip)]
    pub captured: Vec<u8>,
}

/// Bytes read at a time: the size of a Linux pipe.
const PIECE_BYTES: usize = 65_536;

/// Reads a pipe to its end.
pub(crate) fn pump(
    pipe: OwnedFd,
    keep_bytes: usize,
    mut sink: Option<Box<dyn FnMut(&[u8]) + Send>>,
) -> StreamOutcome {
    let mut pipe = File::from(pipe);
    let mut piece = vec![0_u8; PIECE_BYTES];
    let mut hash = Sha256::new();
    let mut out = StreamOutcome::default();
    loop {
        let read = match pipe.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => piece.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => {
                // a pipe that cannot be read any more has lost its end: say that not all was kept
                out.truncated = true;
                break;
            }
        };
        hash.update(read);
        out.bytes = out.bytes.saturating_add(u64::try_from(read.len()).unwrap_or(u64::MAX));
        let room = keep_bytes.saturating_sub(out.captured.len()).min(read.len());
        out.captured.extend_from_slice(read.get(..room).unwrap_or_default());
        out.truncated |= room < read.len();
        if let Some(sink) = &mut sink {
            sink(read);
        }
    }
    out.sha256 = hex(&hash.finalize());
    out
}

/// Returns lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or(b'?'));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
