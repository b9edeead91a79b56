// SPDX-License-Identifier: Apache-2.0
//! The writing end of the command's standard input, and what is still to be written.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;

use super::PIECE_BYTES;
use super::unwaiting::Unwaiting;

/// What comes after the input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Finish {
    /// The writing end is closed.
    Close,
    /// `^D` is typed, which a terminal at the start of a line turns into an end (`termios(3)`, VEOF),
    /// and elsewhere into the end of that line, so that it takes two. The end of the terminal itself
    /// would be a hangup.
    Type,
}

/// `^D`.
const END_OF_TRANSMISSION: u8 = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Feed {
    sink: File,
    bytes: Vec<u8>,
    written: usize,
    source: Option<Unwaiting>,
    finish: Finish,
    /// Whether what was written ends within a line.
    within_line: bool,
}

/// What to wait for, of which end.
pub(super) enum Waits<'a> {
    /// Until the command can be given more.
    Room(BorrowedFd<'a>),
    /// Until there is more to give; and for the command to let go of its end.
    More(BorrowedFd<'a>, BorrowedFd<'a>),
}

impl Feed {
    /// Takes a pipe or terminal, to be written without waiting: first `bytes`, then whatever comes
    /// from `source`.
    ///
    /// # Errors
    /// `EBADF` for a source that cannot be read.
    pub(crate) fn new(
        sink: OwnedFd,
        bytes: Vec<u8>,
        source: Option<OwnedFd>,
        finish: Finish,
    ) -> Result<Self, Errno> {
        fcntl(&sink, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self {
            sink: File::from(sink),
            bytes,
            written: 0,
            source: source.map(Unwaiting::reading).transpose()?,
            finish,
            within_line: false,
        })
    }

    fn has_more(&self) -> bool {
        self.written < self.bytes.len()
    }

    pub(super) fn waits_for(&self) -> Waits<'_> {
        match &self.source {
            Some(source) if !self.has_more() => Waits::More(source.as_fd(), self.sink.as_fd()),
            Some(_) | None => Waits::Room(self.sink.as_fd()),
        }
    }

    /// Does the next thing; `None` when all is done, or the command reads no more.
    pub(super) fn advance(mut self, seen: PollFlags, at_sink: PollFlags) -> Option<Self> {
        let gone = PollFlags::POLLERR | PollFlags::POLLNVAL;
        if !self.has_more() {
            if at_sink.intersects(gone) {
                return None;
            }
            if !seen.is_empty() {
                self.refill();
            }
            return self.or_end();
        }
        if seen.is_empty() {
            return Some(self);
        }
        let rest = self.bytes.get(self.written..).unwrap_or_default();
        match self.sink.write(rest) {
            Ok(written) => {
                let last = rest.get(..written).and_then(<[u8]>::last);
                self.within_line = last.is_some_and(|last| !matches!(last, b'\n' | b'\r'));
                self.written = self.written.saturating_add(written);
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            // who does not read on gets no more
            Err(_) => return None,
        }
        self.or_end()
    }

    fn refill(&mut self) {
        let Some(source) = &self.source else {
            return;
        };
        self.bytes.resize(PIECE_BYTES, 0);
        let read = match source.read(&mut self.bytes) {
            Ok(0) => {
                self.source = None;
                0
            }
            Ok(read) => read,
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) =>
            {
                0
            }
            Err(_) => {
                self.source = None;
                0
            }
        };
        self.bytes.truncate(read);
        self.written = 0;
    }

    /// Goes on unless everything was written and no more comes.
    pub(super) fn or_end(mut self) -> Option<Self> {
        if self.has_more() || self.source.is_some() {
            return Some(self);
        }
        match self.finish {
            Finish::Close => None,
            Finish::Type => {
                self.finish = Finish::Close;
                let times = if self.within_line { 2 } else { 1 };
                self.bytes = vec![END_OF_TRANSMISSION; times];
                self.written = 0;
                Some(self)
            }
        }
    }
}
