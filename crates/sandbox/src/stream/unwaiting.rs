// SPDX-License-Identifier: Apache-2.0
//! A caller's descriptor, read and written without ever waiting for its other end, and without
//! changing how others who hold it see it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Result, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{MsgFlags, recv, send};

/// What always fits into a pipe that `poll(2)` says can be written (`pipe(7)`, `PIPE_BUF`).
const SURE_BYTES: usize = 4096;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// Returns at once: `O_NONBLOCK`, or a regular file.
    Quick,
    /// Returns at once when asked to with each call.
    Socket,
    /// Could not be opened anew: `poll(2)` is all there is.
    Slow,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Unwaiting {
    file: File,
    kind: Kind,
}

impl Unwaiting {
    /// Takes a descriptor to read from.
    ///
    /// # Errors
    /// `EBADF` for one that cannot be read.
    pub(super) fn reading(fd: OwnedFd) -> std::result::Result<Self, Errno> {
        Self::of(fd, OFlag::O_RDONLY)
    }

    /// Takes a descriptor to write to.
    ///
    /// # Errors
    /// `EBADF` for one that cannot be written.
    pub(super) fn writing(fd: OwnedFd) -> std::result::Result<Self, Errno> {
        Self::of(fd, OFlag::O_WRONLY)
    }

    fn of(fd: OwnedFd, access: OFlag) -> std::result::Result<Self, Errno> {
        let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
        let given = flags & OFlag::O_ACCMODE;
        // what is opened anew below must not allow more than the descriptor did
        if (given != access && given != OFlag::O_RDWR) || flags.contains(OFlag::O_PATH) {
            return Err(Errno::EBADF);
        }
        let file = File::from(fd);
        let Ok(metadata) = file.metadata() else {
            return Err(Errno::EBADF);
        };
        if metadata.file_type().is_socket() {
            return Ok(Self {
                file,
                kind: Kind::Socket,
            });
        }
        if metadata.is_file() || flags.contains(OFlag::O_NONBLOCK) {
            return Ok(Self {
                file,
                kind: Kind::Quick,
            });
        }
        // O_NONBLOCK belongs to the open file, which others share: a second one is opened for us
        let anew = OpenOptions::new()
            .read(access == OFlag::O_RDONLY)
            .write(access == OFlag::O_WRONLY)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
            .open(format!("/proc/self/fd/{}", file.as_raw_fd()));
        Ok(match anew {
            Ok(file) => Self {
                file,
                kind: Kind::Quick,
            },
            Err(_) => Self {
                file,
                kind: Kind::Slow,
            },
        })
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Reads once; 0 is the end.
    pub(super) fn read(&self, into: &mut [u8]) -> Result<usize> {
        match self.kind {
            Kind::Quick | Kind::Slow => (&self.file).read(into),
            Kind::Socket => {
                let fd = self.file.as_raw_fd();
                recv(fd, into, MsgFlags::MSG_DONTWAIT).map_err(Into::into)
            }
        }
    }

    /// Writes once; returns how much went.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize> {
        match self.kind {
            Kind::Quick => (&self.file).write(bytes),
            Kind::Slow => {
                let sure = bytes.get(..SURE_BYTES.min(bytes.len()));
                (&self.file).write(sure.unwrap_or_default())
            }
            Kind::Socket => {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                send(self.file.as_raw_fd(), bytes, flags).map_err(Into::into)
            }
        }
    }
}
