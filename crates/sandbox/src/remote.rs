// SPDX-License-Identifier: Apache-2.0
//! What another thread can say to a run: signals for the command, a new size for its terminal.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};

use crate::plan::WindowSize;
use crate::sys;

/// The ends of a run that is on its way; none before it and after it.
#[derive(Debug, Default)]
pub(crate) struct Remote {
    ends: Mutex<Ends>,
}

#[derive(Debug, Default)]
struct Ends {
    control: Option<OwnedFd>,
    terminal: Option<OwnedFd>,
}

impl Remote {
    /// Begins to listen; a descriptor that cannot be duplicated leaves nothing to say to.
    pub(crate) fn connect(&self, control: &OwnedFd) {
        self.with(|ends| ends.control = control.try_clone().ok());
    }

    pub(crate) fn connect_terminal(&self, terminal: &OwnedFd) {
        self.with(|ends| ends.terminal = terminal.try_clone().ok());
    }

    pub(crate) fn disconnect(&self) {
        self.with(|ends| *ends = Ends::default());
    }

    /// Sends a signal to the first process of each program that still runs.
    pub(crate) fn signal(&self, number: u8) -> bool {
        self.with(|ends| {
            let Some(control) = &ends.control else {
                return false;
            };
            let word = u64::from(number).to_le_bytes();
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            send(control.as_raw_fd(), &word, flags).is_ok()
        })
    }

    /// Tells the terminal, and whoever runs in its foreground (`SIGWINCH`), of another size.
    pub(crate) fn resize(&self, size: WindowSize) -> Result<(), Errno> {
        self.with(|ends| match &ends.terminal {
            Some(terminal) => sys::resize(terminal.as_fd(), size),
            None => Err(Errno::ENOTTY),
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Ends) -> T) -> T {
        work(&mut self.ends.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
