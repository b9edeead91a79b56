// SPDX-License-Identifier: Apache-2.0
//! The limit on output.

use nix::sys::eventfd::EventFd;

/// How much output may still be passed on, of both streams together.
#[derive(Debug)]
pub(crate) struct Allowance<'a> {
    left: Option<u64>,
    /// Made readable once more came than there was left.
    over: &'a EventFd,
}

impl<'a> Allowance<'a> {
    /// Without a limit everything is passed on.
    pub(crate) const fn new(max_bytes: Option<u64>, over: &'a EventFd) -> Self {
        Self {
            left: max_bytes,
            over,
        }
    }

    /// Returns how much of so many bytes is passed on.
    pub(super) fn take(&mut self, read: usize) -> usize {
        let Some(left) = &mut self.left else {
            return read;
        };
        let passed = read.min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left = left.saturating_sub(u64::try_from(passed).unwrap_or(u64::MAX));
        if passed < read {
            // INVARIANT: 1 for each piece never fills an eventfd, so this never waits for room
            let _told = self.over.write(1);
        }
        passed
    }
}
