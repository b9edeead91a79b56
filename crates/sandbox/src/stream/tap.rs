// SPDX-License-Identifier: Apache-2.0
//! The reading end of one stream of the command.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use sha2::{Digest as _, Sha256};

use super::unwaiting::Unwaiting;
use super::{Allowance, Listener, PIECE_BYTES, Sink, StreamOutcome, hex};

enum Outlet {
    Call(Listener),
    Descriptor(Unwaiting),
    None,
}

/// The reading end of one stream.
pub(crate) struct Tap {
    source: Option<File>,
    keep_bytes: usize,
    hash: Sha256,
    outlet: Outlet,
    /// What was read and not taken yet, and how much of it was.
    pending: Vec<u8>,
    taken: usize,
    out: StreamOutcome,
}

impl Tap {
    /// Takes the reading end of a pipe, or the outer end of a terminal.
    ///
    /// # Errors
    /// `EBADF` for a sink that cannot be written.
    pub(crate) fn new(pipe: OwnedFd, keep_bytes: usize, sink: Option<Sink>) -> Result<Self, Errno> {
        Self::of(Some(File::from(pipe)), keep_bytes, sink)
    }

    /// Returns the tap of a stream that there is not.
    pub(crate) fn closed(sink: Option<Sink>) -> Result<Self, Errno> {
        Self::of(None, 0, sink)
    }

    fn of(source: Option<File>, keep_bytes: usize, sink: Option<Sink>) -> Result<Self, Errno> {
        Ok(Self {
            source,
            keep_bytes,
            hash: Sha256::new(),
            outlet: match sink {
                None => Outlet::None,
                Some(Sink::Call(function)) => Outlet::Call(function),
                Some(Sink::Descriptor(fd)) => Outlet::Descriptor(Unwaiting::writing(fd)?),
            },
            pending: Vec::new(),
            taken: 0,
            out: StreamOutcome::default(),
        })
    }

    /// Returns whether there is more to read or to pass on.
    pub(super) fn is_open(&self) -> bool {
        self.source.is_some() || self.is_full()
    }

    fn is_full(&self) -> bool {
        self.taken < self.pending.len()
    }

    /// Returns what has to happen before this can go on: first the sink takes what was read.
    pub(super) fn waits_for(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        match (&self.outlet, &self.source) {
            (Outlet::Descriptor(sink), _) if self.is_full() => {
                Some((sink.as_fd(), PollFlags::POLLOUT))
            }
            (_, Some(source)) => Some((source.as_fd(), PollFlags::POLLIN)),
            (_, None) => None,
        }
    }

    /// Does the next thing: passes on what was read, or reads one piece.
    pub(super) fn advance(&mut self, piece: &mut [u8], allowance: &mut Allowance<'_>) {
        if self.is_full() {
            self.pass_on();
        } else {
            self.take(piece, allowance);
        }
        if !self.is_open() {
            // who reads there sees the end at once
            self.outlet = Outlet::None;
        }
    }

    fn pass_on(&mut self) {
        let Outlet::Descriptor(sink) = &self.outlet else {
            self.pending.clear();
            self.taken = 0;
            return;
        };
        let left = self.pending.get(self.taken..).unwrap_or_default();
        match sink.write(left) {
            Ok(written) => self.taken = self.taken.saturating_add(written),
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(_) => {
                // nobody reads there any more: the stream is still read and hashed to its end
                self.outlet = Outlet::None;
                self.pending.clear();
            }
        }
        if !self.is_full() {
            self.pending.clear();
            self.taken = 0;
        }
    }

    /// Takes one piece; returns how much came. Nothing comes from a pipe that is empty or closed.
    fn take(&mut self, piece: &mut [u8], allowance: &mut Allowance<'_>) -> usize {
        let Some(source) = &mut self.source else {
            return 0;
        };
        match source.read(piece) {
            Ok(0) => self.source = None,
            Ok(read) => {
                let passed = allowance.take(read);
                self.out.cut |= passed < read;
                self.out.truncated |= passed < read;
                if passed > 0 {
                    self.accept(piece.get(..passed).unwrap_or_default());
                }
                return read;
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(error) => {
                // a terminal that nobody has open any more ends so (`pty(7)`); a pipe that cannot
                // be read any more has lost its end: say that not all was kept
                self.out.truncated |= error.raw_os_error() != Some(libc::EIO);
                self.source = None;
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
        match &mut self.outlet {
            Outlet::Call(function) => {
                // the caller's code: if it panics, the stream is still read and hashed to its end
                if catch_unwind(AssertUnwindSafe(|| function(read))).is_err() {
                    self.outlet = Outlet::None;
                }
            }
            Outlet::Descriptor(_) => self.pending.extend_from_slice(read),
            Outlet::None => {}
        }
    }

    /// Reads what a run that has ended left in the pipe. Something outside the sandbox may hold
    /// the other end (a descriptor sent over a socket) and write for ever, so never more than the
    /// pipe holds, and without waiting. What the sink takes at once it gets.
    pub(super) fn drain(&mut self, piece: &mut [u8], allowance: &mut Allowance<'_>) {
        if let Some(source) = &self.source {
            let holds = fcntl(source, FcntlArg::F_GETPIPE_SZ).unwrap_or_default();
            let mut left = usize::try_from(holds).unwrap_or_default().max(PIECE_BYTES);
            let unwaiting = fcntl(source, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).is_ok();
            while self.source.is_some() && unwaiting && left > 0 {
                match self.take(piece, allowance) {
                    0 => break,
                    read => left = left.saturating_sub(read),
                }
            }
        }
        if self.is_full() {
            self.pass_on();
        }
    }

    pub(super) fn finish(mut self) -> StreamOutcome {
        self.out.sha256 = hex(&self.hash.finalize());
        if let Outlet::Descriptor(_) = self.outlet {
            self.pending.drain(..self.taken.min(self.pending.len()));
            self.out.rest = self.pending;
        }
        self.out
    }
}
