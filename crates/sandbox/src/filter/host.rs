// SPDX-License-Identifier: Apache-2.0
//! What the filter has to hold where there are no namespaces: the command sees the processes and the
//! files of the machine, and what Landlock does not govern is denied here.

use seccompiler::SeccompRule;

use super::rules::{Built, NR_FCHMODAT2, all, datagrams, eq, masked, ne, word};
use super::{Network, Rules};

/// How much Landlock governs of what namespaces would have kept apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Host {
    /// Before ABI 3: neither truncating nor signals nor unix sockets.
    Bare,
    /// Before ABI 6: neither signals nor unix sockets.
    Truncating,
    /// Before ABI 9: no unix sockets that have a name in a folder.
    Scoped,
    /// All of it.
    Resolving,
}

impl Host {
    /// Returns what an ABI version governs.
    pub(crate) const fn of_abi(version: u32) -> Self {
        match version {
            0..=2 => Self::Bare,
            3..=5 => Self::Truncating,
            6..=8 => Self::Scoped,
            _ => Self::Resolving,
        }
    }

    /// Returns whether the kernel keeps signals inside.
    pub(crate) const fn scopes_signals(self) -> bool {
        matches!(self, Self::Scoped | Self::Resolving)
    }

    pub(super) const fn slot(self) -> usize {
        match self {
            Self::Bare => 0,
            Self::Truncating => 1,
            Self::Scoped => 2,
            Self::Resolving => 3,
        }
    }
}

/// Calls that are denied whatever their arguments are. Landlock does not govern metadata, so none
/// can be changed, nor watched; System V objects and message queues are those of the machine.
pub(super) const DENIED: &[libc::c_long] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    NR_FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_inotify_add_watch,
    libc::SYS_lremovexattr,
    libc::SYS_lsetxattr,
    libc::SYS_mq_getsetattr,
    libc::SYS_mq_notify,
    libc::SYS_mq_open,
    libc::SYS_mq_timedreceive,
    libc::SYS_mq_timedsend,
    libc::SYS_mq_unlink,
    libc::SYS_msgctl,
    libc::SYS_msgget,
    libc::SYS_msgrcv,
    libc::SYS_msgsnd,
    libc::SYS_removexattr,
    libc::SYS_semctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_setxattr,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_shmget,
    libc::SYS_utimensat,
    NR_REMOVEXATTRAT,
    NR_SETXATTRAT,
];

/// Calls that only x86-64 has.
#[cfg(target_arch = "x86_64")]
pub(super) const DENIED_HERE: &[libc::c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_futimesat,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
];
#[cfg(target_arch = "aarch64")]
pub(super) const DENIED_HERE: &[libc::c_long] = &[];

/// `setxattrat(2)` and `removexattrat(2)` (kernel 6.13).
const NR_SETXATTRAT: libc::c_long = 463;
const NR_REMOVEXATTRAT: libc::c_long = 466;

/// Further calls that are denied where the kernel does not keep signals inside, `kill(2)` aside.
pub(super) const SIGNALS: &[libc::c_long] = &[
    libc::SYS_pidfd_send_signal,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_tgkill,
    libc::SYS_tkill,
];

/// Adds what depends on arguments.
pub(super) fn add(host: Host, network: Network, rules: &mut Rules) -> Built<()> {
    // of another process of the same user: its limits, its place among the others
    rules.insert(libc::SYS_prlimit64, vec![all(&[ne(0, 0)?])?]);
    for number in [
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setattr,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setscheduler,
    ] {
        rules.insert(number, vec![all(&[ne(0, 0)?])?]);
    }
    let whose = |itself: u64| -> Built<Vec<SeccompRule>> {
        Ok(vec![all(&[ne(0, itself)?])?, all(&[ne(1, 0)?])?])
    };
    rules.insert(libc::SYS_setpriority, whose(PRIO_PROCESS)?);
    rules.insert(libc::SYS_ioprio_set, whose(IOPRIO_WHO_PROCESS)?);
    extend(rules, libc::SYS_ioctl, attributes_of_files()?);
    if network == Network::Full && host != Host::Resolving {
        extend(
            rules,
            libc::SYS_socket,
            vec![all(&[eq(0, word(libc::AF_UNIX))?])?],
        );
        // one of a pair sends to any that listens on a file, granted or not
        extend(rules, libc::SYS_socketpair, datagrams()?);
    }
    if !host.scopes_signals() {
        rules.insert(libc::SYS_kill, vec![all(&[ne(0, 0)?, ne(1, 0)?])?]);
        extend(rules, libc::SYS_fcntl, owners_of_signals()?);
        extend(rules, libc::SYS_ioctl, owners_by_ioctl()?);
    }
    if host == Host::Bare {
        for (number, flags) in opening() {
            extend(rules, number, truncating_at(flags)?);
        }
    }
    Ok(())
}

/// Returns whether a call is denied whatever its arguments are.
pub(super) fn is_denied(call: libc::c_long, host: Host) -> bool {
    DENIED.contains(&call)
        || DENIED_HERE.contains(&call)
        || (!host.scopes_signals() && SIGNALS.contains(&call))
        || (host == Host::Bare && call == libc::SYS_truncate)
}

const PRIO_PROCESS: u64 = 0;
const IOPRIO_WHO_PROCESS: u64 = 1;

fn extend(rules: &mut Rules, number: libc::c_long, more: Vec<SeccompRule>) {
    match rules.get_mut(&number) {
        // a call without a rule is denied whatever its arguments are
        Some(known) if known.is_empty() => {}
        Some(known) => known.extend(more),
        None => drop(rules.insert(number, more)),
    }
}

/// Attributes of files that a descriptor for reading is enough to set (`ioctl_iflags(2)`, fs-verity):
/// all requests of the kinds `f`, `X` and `v`, of FAT (`r`), F2FS and Bcachefs; and of Btrfs, which
/// makes snapshots in a folder that can only be read, but for copies, which take a descriptor for
/// writing (`ioctl_ficlone(2)`).
fn attributes_of_files() -> Built<Vec<SeccompRule>> {
    const KIND: u64 = 0xFF00;
    const BTRFS: u64 = 0x9400;
    const FICLONE: u64 = 0x4004_9409;
    const FICLONERANGE: u64 = 0x4020_940D;
    let whole = [0x6600, 0x5800, 0x7600, 0x7200, 0xF500, 0xBC00].into_iter();
    let mut out: Vec<_> = whole
        .map(|kind| all(&[masked(1, KIND, kind)?]))
        .collect::<Built<_>>()?;
    out.push(all(&[
        masked(1, KIND, BTRFS)?,
        ne(1, FICLONE)?,
        ne(1, FICLONERANGE)?,
    ])?);
    Ok(out)
}

/// The kernel signals whom a descriptor's owner names (`F_SETOWN`, `F_SETOWN_EX`; `fcntl(2)`).
fn owners_of_signals() -> Built<Vec<SeccompRule>> {
    const F_SETOWN: u64 = 8;
    const F_SETOWN_EX: u64 = 15;
    [F_SETOWN, F_SETOWN_EX]
        .into_iter()
        .map(|command| all(&[eq(1, command)?]))
        .collect()
}

/// The same by `ioctl(2)`.
fn owners_by_ioctl() -> Built<Vec<SeccompRule>> {
    const FIOSETOWN: u64 = 0x8901;
    const SIOCSPGRP: u64 = 0x8902;
    [FIOSETOWN, SIOCSPGRP]
        .into_iter()
        .map(|request| all(&[eq(1, request)?]))
        .collect()
}

/// Calls that open, and where their flags are.
fn opening() -> Vec<(libc::c_long, u8)> {
    let everywhere = [(libc::SYS_openat, 2)];
    #[cfg(target_arch = "x86_64")]
    let more = [(libc::SYS_open, 1)];
    #[cfg(target_arch = "aarch64")]
    let more = [];
    everywhere.into_iter().chain(more).collect()
}

/// Truncating by a descriptor that is not open for writing: before ABI 3 nothing is asked.
fn truncating_at(flags: u8) -> Built<Vec<SeccompRule>> {
    let truncate = word(libc::O_TRUNC);
    let (access, write) = (word(libc::O_ACCMODE), word(libc::O_WRONLY));
    let mask = truncate | access;
    let both = truncate | write | word(libc::O_RDWR);
    Ok(vec![
        all(&[masked(flags, mask, truncate)?])?,
        all(&[masked(flags, mask, both)?])?,
    ])
}
