// SPDX-License-Identifier: Apache-2.0
//! Input and output of the command: output is passed on live, hashed in full, kept up to a limit.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// Receives the pieces of one stream, in order.
pub type Sink = Box<dyn FnMut(&[u8]) + Send>;

/// What goes in, and what receives the output of a run as it comes, both streams on one thread. A sink that is slow slows
/// the command, since the pipe between them fills. A sink that panics is not called again; the
/// run goes on without it.
#[derive(Default)]
pub struct Streams {
    /// What a plan with [`Stdin::Bytes`](crate::Stdin::Bytes) reads; its end comes after it.
    pub stdin: Vec<u8>,
    /// Called with each piece of standard output, in order.
    pub stdout: Option<Sink>,
    /// Called with each piece of standard error, in order.
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

/// The reading end of one stream.
pub(crate) struct Tap {
    pipe: File,
    open: bool,
    ready: bool,
    keep_bytes: usize,
    hash: Sha256,
    sink: Option<Sink>,
    out: StreamOutcome,
}

impl Tap {
    pub(crate) fn new(pipe: OwnedFd, keep_bytes: usize, sink: Option<Sink>) -> Self {
        Self {
            pipe: File::from(pipe),
            open: true,
            ready: false,
            keep_bytes,
            hash: Sha256::new(),
            sink,
            out: StreamOutcome::default(),
        }
    }

    /// Takes one piece; returns how much came. Nothing comes from a pipe that is empty or closed.
    fn take(&mut self, piece: &mut [u8]) -> usize {
        match self.pipe.read(piece) {
            Ok(0) => self.open = false,
            Ok(read) => {
                self.accept(piece.get(..read).unwrap_or_default());
                return read;
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(_) => {
                // a pipe that cannot be read any more has lost its end: say that not all was kept
                self.out.truncated = true;
                self.open = false;
            }
        }
        0
    }

    fn accept(&mut self, read: &[u8]) {
        self.hash.update(read);
        let length = u64::try_from(read.len()).unwrap_or(u64::MAX);
        self.out.bytes = self.out.bytes.saturating_add(length);
        let room = self.keep_bytes.saturating_sub(self.out.captured.len());
        let kept = read.get(..room.min(read.len())).unwrap_or_default();
        self.out.captured.extend_from_slice(kept);
        self.out.truncated |= kept.len() < read.len();
        if let Some(sink) = &mut self.sink {
            // the caller's code: if it panics, the stream is still read and hashed to its end
            if catch_unwind(AssertUnwindSafe(|| sink(read))).is_err() {
                self.sink = None;
            }
        }
    }

    /// Reads what a run that has ended left in the pipe. Something outside the sandbox may hold
    /// the other end (a descriptor sent over a socket) and write for ever, so never more than the
    /// pipe holds, and without waiting.
    fn drain(&mut self, piece: &mut [u8]) {
        let holds = fcntl(&self.pipe, FcntlArg::F_GETPIPE_SZ).unwrap_or_default();
        let mut left = usize::try_from(holds).unwrap_or(PIECE_BYTES);
        let unwaiting = fcntl(&self.pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).is_ok();
        while self.open && unwaiting && left > 0 {
            match self.take(piece) {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
    }

    fn finish(mut self) -> StreamOutcome {
        self.out.sha256 = hex(&self.hash.finalize());
        self.out
    }
}

/// The writing end of standard input, and what is still to be written.
#[derive(Debug)]
pub(crate) struct Feed {
    pipe: File,
    bytes: Vec<u8>,
    written: usize,
}

impl Feed {
    /// Takes a pipe, to be written without waiting.
    pub(crate) fn new(pipe: OwnedFd, bytes: Vec<u8>) -> Result<Self, Errno> {
        fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self {
            pipe: File::from(pipe),
            bytes,
            written: 0,
        })
    }

    /// Writes what fits; returns whether there is more. Who does not read on gets no more.
    fn give(&mut self) -> bool {
        let rest = self.bytes.get(self.written..).unwrap_or_default();
        match self.pipe.write(rest) {
            Ok(written) => self.written = self.written.saturating_add(written),
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(_) => return false,
        }
        self.written < self.bytes.len()
    }
}

/// Writes the input, and reads both streams until both have ended, or `ended` becomes readable: then
/// no process of the sandbox is left, and what is still in the pipes is all there will be.
pub(crate) fn pump(
    mut taps: [Tap; 2],
    mut feed: Option<Feed>,
    ended: BorrowedFd<'_>,
) -> [StreamOutcome; 2] {
    // a reader that is gone is an error of the write, not the end of this process
    let quiet = SigSet::from(Signal::SIGPIPE).thread_block();
    feed = feed.filter(|feed| quiet.is_ok() && !feed.bytes.is_empty());
    let mut piece = vec![0_u8; PIECE_BYTES];
    while feed.is_some() || taps.iter().any(|tap| tap.open) {
        let Some(Ready { over, hungry }) = wait(&mut taps, feed.as_ref(), ended) else {
            continue;
        };
        if hungry {
            feed = feed.and_then(|mut feed| feed.give().then_some(feed));
        }
        for tap in taps.iter_mut().filter(|tap| tap.open && tap.ready) {
            tap.take(&mut piece);
        }
        if over {
            for tap in &mut taps {
                tap.drain(&mut piece);
            }
            break;
        }
    }
    taps.map(Tap::finish)
}

/// What there is to do besides reading.
struct Ready {
    over: bool,
    hungry: bool,
}

/// Marks the taps that have something to read. `None` when interrupted.
fn wait(taps: &mut [Tap; 2], feed: Option<&Feed>, ended: BorrowedFd<'_>) -> Option<Ready> {
    // a closed pipe is left out: it would be reported again and again
    let open = taps.iter().filter(|tap| tap.open);
    let mut fds: Vec<PollFd<'_>> = std::iter::once(ended)
        .chain(open.map(|tap| tap.pipe.as_fd()))
        .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
        .collect();
    let readers = fds.len();
    fds.extend(feed.map(|feed| PollFd::new(feed.pipe.as_fd(), PollFlags::POLLOUT)));
    let polled = poll(&mut fds, PollTimeout::NONE);
    if polled == Err(Errno::EINTR) {
        return None;
    }
    // if nothing can be waited for, read what there is
    let any = |fd: &PollFd<'_>| polled.is_err() || fd.any().unwrap_or(false);
    let ready: Vec<bool> = fds.iter().take(readers).skip(1).map(any).collect();
    let hungry = fds.get(readers).is_some_and(any);
    let over = polled.is_ok() && fds.first().is_some_and(any);
    for (tap, ready) in taps.iter_mut().filter(|tap| tap.open).zip(ready) {
        tap.ready = ready;
    }
    Some(Ready { over, hungry })
}

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
