// SPDX-License-Identifier: Apache-2.0
//! Calls that are judged by their arguments.

use seccompiler::{SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};

use super::calls::NEW_NAMESPACES;
use super::{Kind, Rules, host};
use crate::plan::Network;
use crate::surface::Profile;

pub(super) type Built<T> = Result<T, seccompiler::BackendError>;

/// Returns the rules of a kind of filter; a call that one of its rules meets is denied.
pub(super) fn of(kind: Kind) -> Built<Rules> {
    let mut rules = Rules::new();
    rules.insert(libc::SYS_clone, namespace_flags()?);
    rules.insert(libc::SYS_fcntl, watching_files()?);
    rules.insert(libc::SYS_ioctl, terminal_injection()?);
    rules.insert(libc::SYS_personality, personalities(kind.profile)?);
    rules.insert(libc::SYS_prctl, process_controls(kind.profile)?);
    if !kind.memory {
        rules.insert(
            libc::SYS_execveat,
            vec![all(&[has_bit(4, libc::AT_EMPTY_PATH)?])?],
        );
        rules.insert(
            libc::SYS_memfd_create,
            vec![all(&[lacks(1, MFD_NOEXEC_SEAL)?])?],
        );
    }
    rules.insert(libc::SYS_prlimit64, vec![all(&[eq(0, LAUNCHER)?])?]);
    rules.insert(libc::SYS_socket, sockets(kind)?);
    rules.insert(libc::SYS_socketpair, socket_pairs(kind.network)?);
    rules.insert(
        libc::SYS_pipe2,
        vec![all(&[has_bit(1, O_NOTIFICATION_PIPE)?])?],
    );
    for (number, given) in set_id_modes()? {
        rules.insert(number, given);
    }
    if let Some(on) = kind.host {
        host::add(on, kind.network, &mut rules)?;
    }
    Ok(rules)
}

/// Pid of the launcher in every sandbox. `prlimit(2)` asks for the same user only, so without a
/// rule the command could limit it to death and have its own end go unreported.
const LAUNCHER: u64 = 1;

/// Set-user-ID and set-group-ID bits: a file that carries them gives whoever executes it outside
/// the identity of the caller. Inside they have no effect (`nosuid`).
fn set_id_modes() -> Built<Vec<(libc::c_long, Vec<SeccompRule>)>> {
    const BITS: [libc::mode_t; 2] = [libc::S_ISUID, libc::S_ISGID];
    let mode_at = |argument: u8| -> Built<Vec<SeccompRule>> {
        BITS.into_iter()
            .map(|bit| all(&[has(argument, bit)?]))
            .collect()
    };
    // the mode counts only when a file is made, else the register holds anything
    let creating_at = |flags: u8| -> Built<Vec<SeccompRule>> {
        let mut out = Vec::new();
        for made in [libc::O_CREAT, libc::O_TMPFILE & !libc::O_DIRECTORY] {
            for bit in BITS {
                let mode = flags.saturating_add(1);
                out.push(all(&[has_bit(flags, made)?, has(mode, bit)?])?);
            }
        }
        Ok(out)
    };
    let mut out = vec![
        (libc::SYS_fchmod, mode_at(1)?),
        (libc::SYS_fchmodat, mode_at(2)?),
        (NR_FCHMODAT2, mode_at(2)?),
        (libc::SYS_mknodat, mode_at(2)?),
        (libc::SYS_openat, creating_at(2)?),
    ];
    #[cfg(target_arch = "x86_64")]
    out.extend([
        (libc::SYS_chmod, mode_at(1)?),
        (libc::SYS_creat, mode_at(1)?),
        (libc::SYS_mknod, mode_at(1)?),
        (libc::SYS_open, creating_at(1)?),
    ]);
    Ok(out)
}

/// `fchmodat2(2)` (kernel 6.6), the same number everywhere.
pub(super) const NR_FCHMODAT2: libc::c_long = 452;

fn namespace_flags() -> Built<Vec<SeccompRule>> {
    NEW_NAMESPACES
        .iter()
        .map(|flag| all(&[has_bit(0, *flag)?]))
        .collect()
}

/// `MFD_NOEXEC_SEAL` of `memfd_create(2)` (kernel 6.3): a file that can never be executed.
const MFD_NOEXEC_SEAL: u32 = 8;

/// Only Linux itself, asked or set; for debuggers also with fixed addresses (`personality(2)`).
fn personalities(profile: Profile) -> Built<Vec<SeccompRule>> {
    const ADDR_NO_RANDOMIZE: u64 = 0x0004_0000;
    let mut none = vec![ne(0, 0)?, ne(0, 0xFFFF_FFFF)?];
    if profile == Profile::Compat {
        none.push(ne(0, ADDR_NO_RANDOMIZE)?);
    }
    Ok(vec![all(&none)?])
}

/// Operations of `prctl(2)` by which a process reaches beyond itself: memory merged with that of
/// other processes tells what they hold, core scheduling and machine checks bind other processes
/// and the machine, and a map of memory set by hand misleads who looks at it. Emulators hand calls
/// to themselves, and a debugger is let in by its child, only in `compat`.
fn process_controls(profile: Profile) -> Built<Vec<SeccompRule>> {
    const PR_SCHED_CORE: u64 = 62;
    const PR_SET_MEMORY_MERGE: u64 = 67;
    const PR_SET_IO_FLUSHER: u64 = 57;
    const PR_SET_SYSCALL_USER_DISPATCH: u64 = 59;
    let mut denied = vec![
        word(libc::PR_MCE_KILL),
        word(libc::PR_SET_MM),
        PR_SCHED_CORE,
        PR_SET_IO_FLUSHER,
        PR_SET_MEMORY_MERGE,
    ];
    if profile == Profile::Strict {
        denied.extend([word(libc::PR_SET_PTRACER), PR_SET_SYSCALL_USER_DISPATCH]);
    }
    denied
        .into_iter()
        .map(|operation| all(&[eq(0, operation)?]))
        .collect()
}

/// `TIOCSTI` and `TIOCLINUX` type into the caller's terminal (`tty_ioctl(4)`); `TIOCSETD` loads line
/// disciplines, code of the kernel that no command needs.
fn terminal_injection() -> Built<Vec<SeccompRule>> {
    const TIOCLINUX: u64 = 0x541C;
    const TIOCSETD: u64 = 0x5423;
    const TIOCSTI: u64 = 0x5412;
    [TIOCSTI, TIOCLINUX, TIOCSETD]
        .into_iter()
        .map(|request| all(&[eq(1, request)?]))
        .collect()
}

/// A lease or delegation holds up whoever opens or changes the file outside, and a directory
/// notification follows what others do; a descriptor that may only read is enough (`fcntl(2)`).
fn watching_files() -> Built<Vec<SeccompRule>> {
    [libc::F_SETLEASE, libc::F_NOTIFY, F_SETDELEG]
        .into_iter()
        .map(|command| all(&[eq(1, word(command))?]))
        .collect()
}

/// `F_SETDELEG` of `fcntl(2)` (kernel 6.19): a lease that directories have too.
const F_SETDELEG: libc::c_int = 1040;

/// Without a network no socket can be made; `socketpair(2)` still can. In `compat` unix streams can:
/// a browser takes its lock by listening on one, but cannot connect. With a network: unix, IPv4,
/// IPv6 and route netlink, which name resolution asks for addresses.
fn sockets(kind: Kind) -> Built<Vec<SeccompRule>> {
    let known = [
        libc::AF_UNIX,
        libc::AF_INET,
        libc::AF_INET6,
        libc::AF_NETLINK,
    ];
    match (kind.network, kind.profile) {
        (Network::Deny, Profile::Strict) => Ok(Vec::new()),
        (Network::Deny, Profile::Compat) => only_unix_streams(),
        (Network::Full, Profile::Strict | Profile::Compat) => {
            let other: Vec<_> = known
                .iter()
                .map(|family| ne(0, word(*family)))
                .collect::<Built<_>>()?;
            let netlink = [
                eq(0, word(libc::AF_NETLINK))?,
                ne(2, word(libc::NETLINK_ROUTE))?,
            ];
            Ok(vec![all(&other)?, all(&netlink)?])
        }
    }
}

/// Without a network a pair must not lead elsewhere: a datagram socket, though one of a pair, can
/// send to any that listens on a file it sees (`unix(7)`).
fn socket_pairs(network: Network) -> Built<Vec<SeccompRule>> {
    match network {
        Network::Deny => only_unix_streams(),
        Network::Full => Ok(vec![all(&[ne(0, word(libc::AF_UNIX))?])?]),
    }
}

/// `SOCK_RAW` of a unix socket means `SOCK_DGRAM`; the upper bits of the type are flags.
fn only_unix_streams() -> Built<Vec<SeccompRule>> {
    let mut out = datagrams()?;
    out.push(all(&[ne(0, word(libc::AF_UNIX))?])?);
    Ok(out)
}

pub(super) fn datagrams() -> Built<Vec<SeccompRule>> {
    const TYPE: u64 = 0xF;
    [libc::SOCK_DGRAM, libc::SOCK_RAW]
        .into_iter()
        .map(|kind| all(&[masked(1, TYPE, word(kind))?]))
        .collect()
}

/// A pipe for the kernel's notifications (`pipe2(2)`, kernel 5.8), which wants keys or mounts to
/// watch: nothing that a command has.
const O_NOTIFICATION_PIPE: libc::c_int = libc::O_EXCL;

pub(super) fn word(value: libc::c_int) -> u64 {
    u64::from(value.unsigned_abs())
}

pub(super) fn all(conditions: &[SeccompCondition]) -> Built<SeccompRule> {
    SeccompRule::new(conditions.to_vec())
}

// The kernel reads these arguments as 32-bit values, so only their low half is compared.
pub(super) fn eq(argument: u8, value: u64) -> Built<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

pub(super) fn ne(argument: u8, value: u64) -> Built<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

fn has_bit(argument: u8, bit: libc::c_int) -> Built<SeccompCondition> {
    has(argument, bit.unsigned_abs())
}

fn has(argument: u8, bit: u32) -> Built<SeccompCondition> {
    let mask = u64::from(bit);
    let op = SeccompCmpOp::MaskedEq(mask);
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, mask)
}

/// Compares the bits of a mask.
pub(super) fn masked(argument: u8, mask: u64, value: u64) -> Built<SeccompCondition> {
    let op = SeccompCmpOp::MaskedEq(mask);
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)
}

fn lacks(argument: u8, bit: u32) -> Built<SeccompCondition> {
    let op = SeccompCmpOp::MaskedEq(u64::from(bit));
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, 0)
}
