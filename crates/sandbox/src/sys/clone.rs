// SPDX-License-Identifier: Apache-2.0
//! Starting a process that shares our memory and has a stack of its own: `clone3(2)`, and `clone(2)`
//! where a container's filter answers that there is no such call.

use std::arch::asm;
use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;

use nix::errno::Errno;

use super::{NULL, StartStage};

/// What the new process does, on its own stack. Its answer is the exit code.
pub(super) type Entry = extern "C" fn(*mut c_void) -> c_int;

/// A child's stack, in units of the alignment it needs.
pub(super) struct Stack(Vec<u128>);

/// 64 KiB: plenty for a child's few frames.
const STACK_UNITS: usize = 64 * 1024 / size_of::<u128>();

impl Stack {
    pub(super) fn new() -> Self {
        Self(vec![0; STACK_UNITS])
    }

    pub(super) fn span(&mut self) -> Span {
        let ends = self.0.as_mut_ptr_range();
        Span {
            start: ends.start.cast(),
            end: ends.end.cast(),
        }
    }
}

/// Where a stack lies; both ends are aligned to 16 bytes.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: *mut c_void,
    end: *mut c_void,
}

/// A process that is to be started.
pub(super) struct New {
    /// `CLONE_*` flags: `CLONE_VM` and `CLONE_VFORK` are among them.
    pub(super) flags: c_int,
    pub(super) entry: Entry,
    pub(super) argument: *mut c_void,
    pub(super) stack: Span,
    /// Descriptor of a group of cgroup v2.
    pub(super) cgroup: Option<RawFd>,
}

/// `struct clone_args` of `clone3(2)` up to `cgroup` (version 2, kernel 5.7).
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// `CLONE_INTO_CGROUP` (`linux/sched.h`).
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// `clone3(2)`, the same number on every architecture.
const CLONE3: isize = 435;

impl New {
    /// Starts it. Returns its number, and its pidfd if the flags ask for one, else -1.
    ///
    /// # Safety
    /// `argument` is what `entry` takes; it and the stack stay untouched until the new process has
    /// executed another program or ended, as `CLONE_VFORK` sees to. `entry` makes raw system calls
    /// only, and leaves by returning.
    pub(super) unsafe fn start(&self) -> Result<(libc::pid_t, RawFd), (StartStage, Errno)> {
        // SAFETY: the same demands as ours.
        match unsafe { self.by_clone3() } {
            Err(Errno::ENOSYS) if self.cgroup.is_none() => {}
            Err(errno) if self.cgroup.is_some() => return Err((StartStage::Cgroup, errno)),
            done => return done.map_err(|errno| (StartStage::Clone, errno)),
        }
        let mut pidfd: RawFd = -1;
        let (stack, argument) = (self.stack.end, self.argument);
        // SAFETY: the stack's end is 16-byte aligned; with CLONE_PIDFD the kernel writes one int to
        // the fifth argument; the rest is the caller's promise.
        let pid = unsafe { libc::clone(self.entry, stack, self.flags, argument, &raw mut pidfd) };
        if pid < 0 {
            return Err((StartStage::Clone, Errno::last()));
        }
        Ok((pid, pidfd))
    }

    /// # Safety
    /// As [`Self::start`].
    unsafe fn by_clone3(&self) -> Result<(libc::pid_t, RawFd), Errno> {
        let mut pidfd: RawFd = -1;
        let start = self.stack.start as usize as u64;
        let mut args = CloneArgs {
            flags: u64::from(self.flags.unsigned_abs()),
            stack: start,
            stack_size: (self.stack.end as usize as u64).saturating_sub(start),
            ..CloneArgs::default()
        };
        if self.flags & libc::CLONE_PIDFD != 0 {
            args.pidfd = (&raw mut pidfd) as usize as u64;
        }
        if let Some(group) = self.cgroup {
            args.flags |= INTO_CGROUP;
            args.cgroup = u64::from(group.unsigned_abs());
        }
        // SAFETY: `args` is alive and as long as it is said to be; the rest is the caller's promise.
        let answer = unsafe { clone3(&raw const args, self.entry, self.argument) };
        match libc::pid_t::try_from(answer) {
            Ok(pid) if pid > 0 => Ok((pid, pidfd)),
            Ok(error) => Err(Errno::from_raw(error.saturating_neg())),
            Err(_) => Err(Errno::EOVERFLOW),
        }
    }
}

/// The raw call; the child calls `entry` and exits with its answer, and never comes back here.
/// Returns the kernel's answer: a process number, or an error number negated.
///
/// # Safety
/// As [`New::start`]; `args` names a stack whose end is aligned to 16 bytes.
#[cfg(target_arch = "x86_64")]
unsafe fn clone3(args: *const CloneArgs, entry: Entry, argument: *mut c_void) -> isize {
    let answer: isize;
    // SAFETY: the x86-64 Linux calling convention (`syscall(2)`). In the child, where rax is 0, the
    // stack pointer is the end of the new stack, and what `call` needs is in registers that the kernel
    // keeps; `exit` ends it.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r13",
            "call r12",
            "mov edi, eax",
            "mov eax, {exit}",
            "syscall",
            "ud2",
            "2:",
            exit = const libc::SYS_exit,
            inlateout("rax") CLONE3 => answer,
            in("rdi") args,
            in("rsi") size_of::<CloneArgs>(),
            in("r12") entry as usize,
            in("r13") argument,
            in("rdx") NULL,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    answer
}

/// As the other.
///
/// # Safety
/// As the other.
#[cfg(target_arch = "aarch64")]
unsafe fn clone3(args: *const CloneArgs, entry: Entry, argument: *mut c_void) -> isize {
    let answer: isize;
    // SAFETY: the arm64 Linux calling convention (`syscall(2)`); as above, x0 being 0 in the child.
    unsafe {
        asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x22",
            "blr x21",
            "mov x8, {exit}",
            "svc 0",
            "brk 1",
            "2:",
            exit = const libc::SYS_exit,
            in("x8") CLONE3,
            inlateout("x0") args as isize => answer,
            in("x1") size_of::<CloneArgs>(),
            in("x2") NULL,
            in("x21") entry as usize,
            in("x22") argument,
        );
    }
    answer
}
