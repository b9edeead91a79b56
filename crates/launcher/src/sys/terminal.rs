// SPDX-License-Identifier: Apache-2.0
//! Terminals (`pty(7)`, `ioctl_tty(2)`).

use core::ffi::CStr;

use super::{Errno, Fd, answer, files, nr, syscall};

/// Makes a terminal of this size; returns its outer and its inner end.
pub(crate) fn make(multiplexer: &CStr, columns: u16, rows: u16) -> Result<(Fd, Fd), Errno> {
    const TIOCSPTLCK: usize = 0x4004_5431;
    const TIOCGPTPEER: usize = 0x5441; // kernel 4.13
    const TIOCSWINSZ: usize = 0x5414;
    const O_RDWR_NOCTTY_CLOEXEC: usize = 2 | 0o400 | 0o2_000_000;
    let outer = files::open_terminal(multiplexer)?;
    let unlocked = 0_i32;
    // SAFETY: TIOCSPTLCK reads one int.
    unsafe { ioctl(outer, TIOCSPTLCK, (&raw const unlocked) as usize) }?;
    // SAFETY: TIOCGPTPEER takes flags, no memory.
    let inner = unsafe { ioctl(outer, TIOCGPTPEER, O_RDWR_NOCTTY_CLOEXEC) }?;
    let inner = Fd(i32::try_from(inner).ok().ok_or(Errno::INVALID)?);
    let size = [rows, columns, 0, 0];
    // SAFETY: TIOCSWINSZ reads `struct winsize`, four unsigned shorts.
    unsafe { ioctl(inner, TIOCSWINSZ, size.as_ptr() as usize) }?;
    Ok((outer, inner))
}

/// Makes the terminal the controlling one of this session, which has none, and this process group
/// its foreground.
pub(crate) fn control(terminal: Fd) -> Result<(), Errno> {
    const TIOCSCTTY: usize = 0x540E;
    // SAFETY: TIOCSCTTY takes a number, no memory.
    unsafe { ioctl(terminal, TIOCSCTTY, 0) }.map(|_| ())
}

/// # Safety
/// `argument` is what the request demands: a number, or the address of live memory.
unsafe fn ioctl(fd: Fd, request: usize, argument: usize) -> Result<usize, Errno> {
    // SAFETY: the caller's promise.
    answer(unsafe { syscall(nr::IOCTL, [fd.word(), request, argument, 0, 0, 0]) })
}
