// SPDX-License-Identifier: Apache-2.0
//! The one instruction that enters the kernel, and the numbers of the calls we use
//! (`arch/x86/entry/syscalls/syscall_64.tbl`, `include/uapi/asm-generic/unistd.h`).

#[cfg(target_arch = "x86_64")]
pub(super) use x86_64::{nr, syscall};

#[cfg(target_arch = "aarch64")]
pub(super) use aarch64::{nr, syscall};

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use core::arch::asm;

    /// Enters the kernel and returns its raw answer: a value, or an error number negated.
    ///
    /// # Safety
    /// The arguments must satisfy what the call named by `number` demands of memory.
    #[inline]
    pub(in crate::sys) unsafe fn syscall(number: usize, args: [usize; 6]) -> isize {
        let [rdi, rsi, rdx, r10, r8, r9] = args;
        let answer: isize;
        // SAFETY: the x86-64 Linux calling convention (`syscall(2)`): number in rax, arguments in
        // rdi rsi rdx r10 r8 r9, rcx and r11 clobbered; memory effects are the caller's promise.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") number => answer,
                in("rdi") rdi, in("rsi") rsi, in("rdx") rdx, in("r10") r10, in("r8") r8, in("r9") r9,
                lateout("rcx") _, lateout("r11") _,
                options(nostack),
            );
        }
        answer
    }

    pub(in crate::sys) mod nr {
        pub(in crate::sys) const CAPGET: usize = 125;
        pub(in crate::sys) const CAPSET: usize = 126;
        pub(in crate::sys) const CHDIR: usize = 80;
        pub(in crate::sys) const CLOCK_GETTIME: usize = 228;
        pub(in crate::sys) const CLONE: usize = 56;
        pub(in crate::sys) const CLOSE_RANGE: usize = 436;
        pub(in crate::sys) const DUP3: usize = 292;
        pub(in crate::sys) const EXECVE: usize = 59;
        pub(in crate::sys) const EXIT_GROUP: usize = 231;
        pub(in crate::sys) const GETPID: usize = 39;
        pub(in crate::sys) const GETPPID: usize = 110;
        pub(in crate::sys) const GETRUSAGE: usize = 98;
        pub(in crate::sys) const IOCTL: usize = 16;
        pub(in crate::sys) const KILL: usize = 62;
        pub(in crate::sys) const LANDLOCK_ADD_RULE: usize = 445;
        pub(in crate::sys) const LANDLOCK_CREATE_RULESET: usize = 444;
        pub(in crate::sys) const LANDLOCK_RESTRICT_SELF: usize = 446;
        pub(in crate::sys) const MKDIRAT: usize = 258;
        pub(in crate::sys) const MMAP: usize = 9;
        pub(in crate::sys) const MOUNT: usize = 165;
        pub(in crate::sys) const MOUNT_SETATTR: usize = 442;
        pub(in crate::sys) const MOVE_MOUNT: usize = 429;
        pub(in crate::sys) const OPENAT: usize = 257;
        pub(in crate::sys) const OPENAT2: usize = 437;
        pub(in crate::sys) const OPEN_TREE: usize = 428;
        pub(in crate::sys) const PIPE2: usize = 293;
        pub(in crate::sys) const PIVOT_ROOT: usize = 155;
        pub(in crate::sys) const PPOLL: usize = 271;
        pub(in crate::sys) const PRCTL: usize = 157;
        pub(in crate::sys) const PREAD64: usize = 17;
        pub(in crate::sys) const PRLIMIT64: usize = 302;
        pub(in crate::sys) const READ: usize = 0;
        pub(in crate::sys) const RECVMSG: usize = 47;
        pub(in crate::sys) const RT_SIGPROCMASK: usize = 14;
        pub(in crate::sys) const SECCOMP: usize = 317;
        pub(in crate::sys) const SENDMSG: usize = 46;
        pub(in crate::sys) const SETHOSTNAME: usize = 170;
        pub(in crate::sys) const SETSID: usize = 112;
        pub(in crate::sys) const SIGNALFD4: usize = 289;
        pub(in crate::sys) const STATX: usize = 332;
        pub(in crate::sys) const SYMLINKAT: usize = 266;
        pub(in crate::sys) const UMASK: usize = 95;
        pub(in crate::sys) const UMOUNT2: usize = 166;
        pub(in crate::sys) const WAIT4: usize = 61;
        pub(in crate::sys) const WRITE: usize = 1;
    }
}

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use core::arch::asm;

    /// Enters the kernel and returns its raw answer: a value, or an error number negated.
    ///
    /// # Safety
    /// The arguments must satisfy what the call named by `number` demands of memory.
    #[inline]
    pub(in crate::sys) unsafe fn syscall(number: usize, args: [usize; 6]) -> isize {
        let [x0, x1, x2, x3, x4, x5] = args;
        let answer: isize;
        // SAFETY: the arm64 Linux calling convention (`syscall(2)`): number in x8, arguments in
        // x0 to x5, answer in x0; memory effects are the caller's promise.
        unsafe {
            asm!(
                "svc 0",
                in("x8") number,
                inlateout("x0") x0 => answer,
                in("x1") x1, in("x2") x2, in("x3") x3, in("x4") x4, in("x5") x5,
                options(nostack),
            );
        }
        answer
    }

    pub(in crate::sys) mod nr {
        pub(in crate::sys) const CAPGET: usize = 90;
        pub(in crate::sys) const CAPSET: usize = 91;
        pub(in crate::sys) const CHDIR: usize = 49;
        pub(in crate::sys) const CLOCK_GETTIME: usize = 113;
        pub(in crate::sys) const CLONE: usize = 220;
        pub(in crate::sys) const CLOSE_RANGE: usize = 436;
        pub(in crate::sys) const DUP3: usize = 24;
        pub(in crate::sys) const EXECVE: usize = 221;
        pub(in crate::sys) const EXIT_GROUP: usize = 94;
        pub(in crate::sys) const GETPID: usize = 172;
        pub(in crate::sys) const GETPPID: usize = 173;
        pub(in crate::sys) const GETRUSAGE: usize = 165;
        pub(in crate::sys) const IOCTL: usize = 29;
        pub(in crate::sys) const KILL: usize = 129;
        pub(in crate::sys) const LANDLOCK_ADD_RULE: usize = 445;
        pub(in crate::sys) const LANDLOCK_CREATE_RULESET: usize = 444;
        pub(in crate::sys) const LANDLOCK_RESTRICT_SELF: usize = 446;
        pub(in crate::sys) const MKDIRAT: usize = 34;
        pub(in crate::sys) const MMAP: usize = 222;
        pub(in crate::sys) const MOUNT: usize = 40;
        pub(in crate::sys) const MOUNT_SETATTR: usize = 442;
        pub(in crate::sys) const MOVE_MOUNT: usize = 429;
        pub(in crate::sys) const OPENAT: usize = 56;
        pub(in crate::sys) const OPENAT2: usize = 437;
        pub(in crate::sys) const OPEN_TREE: usize = 428;
        pub(in crate::sys) const PIPE2: usize = 59;
        pub(in crate::sys) const PIVOT_ROOT: usize = 41;
        pub(in crate::sys) const PPOLL: usize = 73;
        pub(in crate::sys) const PRCTL: usize = 167;
        pub(in crate::sys) const PREAD64: usize = 67;
        pub(in crate::sys) const PRLIMIT64: usize = 261;
        pub(in crate::sys) const READ: usize = 63;
        pub(in crate::sys) const RECVMSG: usize = 212;
        pub(in crate::sys) const RT_SIGPROCMASK: usize = 135;
        pub(in crate::sys) const SECCOMP: usize = 277;
        pub(in crate::sys) const SENDMSG: usize = 211;
        pub(in crate::sys) const SETHOSTNAME: usize = 161;
        pub(in crate::sys) const SETSID: usize = 157;
        pub(in crate::sys) const SIGNALFD4: usize = 74;
        pub(in crate::sys) const STATX: usize = 291;
        pub(in crate::sys) const SYMLINKAT: usize = 36;
        pub(in crate::sys) const UMASK: usize = 166;
        pub(in crate::sys) const UMOUNT2: usize = 39;
        pub(in crate::sys) const WAIT4: usize = 260;
        pub(in crate::sys) const WRITE: usize = 64;
    }
}
