// SPDX-License-Identifier: Apache-2.0
//! Every raw system call of the launcher, as safe functions. Sources: man-pages section 2 and
//! `include/uapi/linux`.
//!
//! Two facts hold for all of them and are not repeated: the kernel checks every descriptor and
//! number itself (a wrong one is an error number, never undefined behaviour), and a `&CStr` or
//! slice is alive, initialised and readable for the whole call.

mod arch;
pub(crate) mod files;
pub(crate) mod mounts;
pub(crate) mod process;
pub(crate) mod restrict;
pub(crate) mod terminal;

use arch::{nr, syscall};

/// An error number of the kernel (`errno(3)`), positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) u32);

impl Errno {
    /// A stale object: not the one the policy judged.
    pub(crate) const STALE: Self = Self(116);
    /// An argument the launcher itself could not use.
    pub(crate) const INVALID: Self = Self(22);
    /// No right to do it.
    pub(crate) const NOT_PERMITTED: Self = Self(1);
    /// Interrupted by a signal.
    pub(crate) const INTERRUPTED: Self = Self(4);
}

/// An open descriptor. The launcher never closes one by itself: its few end with it, and the
/// command's process closes all but its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fd(pub(crate) i32);

impl Fd {
    fn word(self) -> usize {
        // a negative descriptor (AT_FDCWD) is sign-extended, as the kernel's `int` expects
        self.0 as isize as usize
    }
}

/// Turns the kernel's raw answer into a value or an error number.
fn answer(raw: isize) -> Result<usize, Errno> {
    usize::try_from(raw)
        .ok()
        .ok_or_else(|| Errno(u32::try_from(raw.unsigned_abs()).unwrap_or(u32::MAX)))
}

/// Leaves the process; as pid 1 this ends every process of the namespace.
pub(crate) fn exit(code: i32) -> ! {
    loop {
        // SAFETY: exit_group(2) takes no memory and does not return.
        let _ = unsafe { syscall(nr::EXIT_GROUP, [code as usize, 0, 0, 0, 0, 0]) };
    }
}
