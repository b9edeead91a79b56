// SPDX-License-Identifier: Apache-2.0
//! Processes, signals and waiting.

use core::ffi::CStr;

use super::{Errno, Fd, answer, files, nr, syscall};
use ambit_launcher::{Resource, Usage};

const SIGCHLD: usize = 17;

/// Which side of a fork this is.
pub(crate) enum Forked {
    Child,
    Parent(usize),
}

/// Forks (`clone(2)` with SIGCHLD); memory is copied on write, the launcher has one thread.
pub(crate) fn fork() -> Result<Forked, Errno> {
    // SAFETY: without CLONE_VM and with no new stack both sides return on their own copy of this
    // one; no lock or thread exists whose state could be lost.
    match answer(unsafe { syscall(nr::CLONE, [SIGCHLD, 0, 0, 0, 0, 0]) })? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid)),
    }
}

/// Replaces the process. Returns only with an error.
///
/// `argv` and `env` are arrays of addresses of NUL-terminated strings, ended by 0.
pub(crate) fn execute(path: &CStr, argv: &Pointers, env: &Pointers) -> Errno {
    let words = [path.as_ptr() as usize, argv.start(), env.start(), 0, 0, 0];
    // SAFETY: execve(2) reads the path and both arrays; `Pointers` holds addresses of live
    // `&'static CStr`s and ends with 0.
    match answer(unsafe { syscall(nr::EXECVE, words) }) {
        Ok(_) => Errno::INVALID,
        Err(errno) => errno,
    }
}

/// An array of string addresses for `execve(2)`.
pub(crate) struct Pointers {
    words: &'static mut [usize],
    used: usize,
}

impl Pointers {
    /// Makes room for `count` strings and the final 0.
    pub(crate) fn with_capacity(count: u32) -> Result<Self, Errno> {
        let words = usize::try_from(count)
            .ok()
            .ok_or(Errno::INVALID)?
            .saturating_add(1);
        Ok(Self {
            words: files::zeroed_words(words)?,
            used: 0,
        })
    }

    /// Adds a string; the last word stays 0.
    pub(crate) fn push(&mut self, string: &'static CStr) -> Result<(), Errno> {
        let last = self.words.len().saturating_sub(1);
        let slot = self.words.get_mut(self.used).filter(|_| self.used < last);
        *slot.ok_or(Errno::INVALID)? = string.as_ptr() as usize;
        self.used = self.used.saturating_add(1);
        Ok(())
    }

    fn start(&self) -> usize {
        self.words.as_ptr() as usize
    }
}

/// Starts a new session without a controlling terminal.
pub(crate) fn new_session() -> Result<(), Errno> {
    // SAFETY: setsid(2) takes no memory.
    answer(unsafe { syscall(nr::SETSID, [0; 6]) }).map(|_| ())
}

/// Sends a signal to a process.
pub(crate) fn kill(pid: usize, signal: u64) -> Result<(), Errno> {
    // SAFETY: kill(2) takes no memory.
    answer(unsafe { syscall(nr::KILL, [pid, signal as usize, 0, 0, 0, 0]) }).map(|_| ())
}

/// Sets the file mode creation mask and returns the one before.
pub(crate) fn set_umask(mask: usize) -> usize {
    // SAFETY: umask(2) takes no memory and cannot fail.
    let before = unsafe { syscall(nr::UMASK, [mask, 0, 0, 0, 0, 0]) };
    before.unsigned_abs()
}

/// Applies a limit to this process.
pub(crate) fn set_limit(limit: Resource) -> Result<(), Errno> {
    let pair = [limit.soft, limit.hard];
    let args = [0, limit.number as usize, pair.as_ptr() as usize, 0, 0, 0];
    // SAFETY: prlimit64(2) reads `struct rlimit64`, two u64.
    answer(unsafe { syscall(nr::PRLIMIT64, args) }).map(|_| ())
}

/// Replaces the signal mask: every signal blocked, or none.
pub(crate) fn block_signals(all: bool) -> Result<(), Errno> {
    const SIG_SETMASK: usize = 2;
    let mask: u64 = if all { u64::MAX } else { 0 };
    let args = [SIG_SETMASK, (&raw const mask) as usize, 0, 8, 0, 0];
    // SAFETY: rt_sigprocmask(2) reads 8 bytes, the size of a kernel signal set.
    answer(unsafe { syscall(nr::RT_SIGPROCMASK, args) }).map(|_| ())
}

/// Returns a descriptor that becomes readable when a child changes state.
pub(crate) fn child_events() -> Result<Fd, Errno> {
    const SFD_CLOEXEC: usize = 0o2_000_000;
    let mask: u64 = 1 << (SIGCHLD - 1);
    let args = [usize::MAX, (&raw const mask) as usize, 8, SFD_CLOEXEC, 0, 0];
    // SAFETY: signalfd4(2) reads 8 bytes, the size of a kernel signal set.
    files::descriptor(unsafe { syscall(nr::SIGNALFD4, args) })
}

#[repr(C)]
struct PollFd {
    fd: i32,
    events: i16,
    seen: i16,
}

/// `struct timespec` of a 64-bit kernel; none used here is negative.
#[repr(C)]
struct Timespec {
    seconds: u64,
    nanoseconds: u64,
}

/// A moment on the clock that never jumps (`CLOCK_MONOTONIC`), or never.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    at_ms: Option<u64>,
}

impl Deadline {
    /// Returns the moment `after_ms` milliseconds from now; 0 means never.
    pub(crate) fn after(after_ms: u64) -> Result<Self, Errno> {
        let at_ms = if after_ms == 0 {
            None
        } else {
            Some(now_ms()?.saturating_add(after_ms))
        };
        Ok(Self { at_ms })
    }

    /// Returns the milliseconds until then, 0 once it has come; `None` when it never does.
    pub(crate) fn left_ms(self) -> Result<Option<u64>, Errno> {
        match self.at_ms {
            None => Ok(None),
            Some(at_ms) => Ok(Some(at_ms.saturating_sub(now_ms()?))),
        }
    }
}

fn now_ms() -> Result<u64, Errno> {
    const CLOCK_MONOTONIC: usize = 1;
    let mut now = Timespec {
        seconds: 0,
        nanoseconds: 0,
    };
    let args = [CLOCK_MONOTONIC, (&raw mut now) as usize, 0, 0, 0, 0];
    // SAFETY: clock_gettime(2) writes one `struct timespec`, two words of 8 bytes.
    answer(unsafe { syscall(nr::CLOCK_GETTIME, args) })?;
    let part = now.nanoseconds / 1_000_000;
    Ok(now.seconds.saturating_mul(1000).saturating_add(part))
}

/// Waits until either descriptor has something, at most `left_ms` milliseconds (`None`: for ever);
/// returns which did.
pub(crate) fn wait_either(
    first: Fd,
    second: Fd,
    left_ms: Option<u64>,
) -> Result<(bool, bool), Errno> {
    const POLLIN: i16 = 1;
    let mut fds = [
        PollFd {
            fd: first.0,
            events: POLLIN,
            seen: 0,
        },
        PollFd {
            fd: second.0,
            events: POLLIN,
            seen: 0,
        },
    ];
    let mut left = left_ms.map(|ms| Timespec {
        seconds: ms / 1000,
        nanoseconds: (ms % 1000).saturating_mul(1_000_000),
    });
    let timeout = left.as_mut().map_or(0, |left| (&raw mut *left) as usize);
    let args = [fds.as_mut_ptr() as usize, fds.len(), timeout, 0, 0, 0];
    // SAFETY: ppoll(2) reads and writes two `struct pollfd` and one `struct timespec`, all
    // exclusively ours and alive during the call; a null timeout and mask are allowed.
    answer(unsafe { syscall(nr::PPOLL, args) })?;
    let [a, b] = fds;
    Ok((a.seen != 0, b.seen != 0))
}

/// Reaps one dead child without waiting; `None` when there is none now.
pub(crate) fn reap() -> Result<Option<(usize, u32)>, Errno> {
    const WNOHANG: usize = 1;
    const WALL: usize = 0x4000_0000;
    // a child that made us its tracer (`PTRACE_TRACEME`) tells of every stop, and has not ended
    const STOPPED: u32 = 0x7F;
    let mut status = 0_u32;
    let args = [
        usize::MAX,
        (&raw mut status) as usize,
        WNOHANG | WALL,
        0,
        0,
        0,
    ];
    loop {
        // SAFETY: wait4(2) writes one int; a null rusage is allowed.
        match answer(unsafe { syscall(nr::WAIT4, args) })? {
            0 => return Ok(None),
            pid if status & 0xFF != STOPPED => return Ok(Some((pid, status))),
            _ => {}
        }
    }
}

/// Waits for the next child to end and reaps it; an error says that there is none.
pub(crate) fn reap_next() -> Result<(), Errno> {
    const WALL: usize = 0x4000_0000;
    let args = [usize::MAX, 0, WALL, 0, 0, 0];
    // SAFETY: wait4(2) allows a null status and a null rusage.
    answer(unsafe { syscall(nr::WAIT4, args) }).map(|_| ())
}

/// Returns the number of this process.
pub(crate) fn own_id() -> Result<usize, Errno> {
    // SAFETY: getpid(2) takes no memory.
    answer(unsafe { syscall(nr::GETPID, [0; 6]) })
}

/// Returns the number of the process that started this one.
pub(crate) fn parent() -> Result<usize, Errno> {
    // SAFETY: getppid(2) takes no memory.
    answer(unsafe { syscall(nr::GETPPID, [0; 6]) })
}

/// Returns what all reaped descendants used.
pub(crate) fn usage_of_children() -> Usage {
    const RUSAGE_CHILDREN: usize = usize::MAX;
    let mut words = [0_u64; 18];
    let args = [RUSAGE_CHILDREN, words.as_mut_ptr() as usize, 0, 0, 0, 0];
    // SAFETY: getrusage(2) writes `struct rusage`, 18 words of 8 bytes on 64-bit Linux.
    let got = answer(unsafe { syscall(nr::GETRUSAGE, args) });
    // two `struct timeval` (seconds, microseconds), then the resident set
    let [user, user_part, system, system_part, max_rss_kib, ..] = words;
    let total = |seconds: u64, part: u64| seconds.saturating_mul(1_000_000).saturating_add(part);
    got.map_or_else(
        |_| Usage::default(),
        |_| Usage {
            user_us: total(user, user_part),
            system_us: total(system, system_part),
            max_rss_kib,
        },
    )
}
