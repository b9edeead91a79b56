// SPDX-License-Identifier: Apache-2.0
//! The seccomp filter (`seccomp(2)`).
//!
//! A short prologue of ours judges by number alone, halving the numbers: it kills
//! other architectures, answers `EPERM` to what is denied whole, and `ENOSYS` to what must look
//! absent: x32 calls, `clone3` and `openat2` (their arguments lie in memory where no filter can
//! look; libc falls back to `clone` and `openat`), `io_uring`, and every call newer than those
//! reviewed here. What depends on arguments is written in `seccompiler`'s rules.

mod calls;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

use crate::error::SandboxError;
use crate::plan::Network;
use crate::stream;
use calls::{ABSENT, DENIED, DENIED_HERE, NEW_NAMESPACES, NEWEST_REVIEWED};
use tree::{Answer, Entry, JUMP_EQUAL, LOAD, RETURN, instruction};

type Rules = BTreeMap<libc::c_long, Vec<SeccompRule>>;
type Built<T> = Result<T, seccompiler::BackendError>;

/// A compiled filter.
#[derive(Debug)]
pub(crate) struct Filter {
    /// The bytes of a `struct sock_filter` array.
    pub(crate) bytes: Vec<u8>,
    /// Their SHA-256, 64 lower-case hex digits.
    pub(crate) sha256: String,
}

/// Returns the filter for a network; compiled once per process.
///
/// # Errors
/// [`SandboxError::Compile`]: a defect, since nothing in it depends on input but the network.
pub(crate) fn of(network: Network) -> Result<&'static Filter, SandboxError> {
    static DENY: OnceLock<Filter> = OnceLock::new();
    static FULL: OnceLock<Filter> = OnceLock::new();
    let cell = match network {
        Network::Deny => &DENY,
        Network::Full => &FULL,
    };
    if let Some(filter) = cell.get() {
        return Ok(filter);
    }
    let bytes = compile(network)?;
    let sha256 = stream::sha256(&bytes);
    Ok(cell.get_or_init(|| Filter { bytes, sha256 }))
}

fn compile(network: Network) -> Result<Vec<u8>, SandboxError> {
    let failed = |error: seccompiler::BackendError| SandboxError::Compile {
        what: "the seccomp filter",
        message: error.to_string(),
    };
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(failed)?;
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let rules = rules(network).map_err(failed)?;
    let tree = tree::write(&answers(&rules)).ok_or_else(|| SandboxError::Compile {
        what: "the seccomp filter",
        message: "more calls than a jump can pass".to_owned(),
    })?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, denied, arch).map_err(failed)?;
    let body: BpfProgram = filter.try_into().map_err(failed)?;
    Ok(prologue()
        .into_iter()
        .chain(tree)
        .chain(body)
        .flat_map(|instruction| bytes_of(&instruction))
        .collect())
}

fn bytes_of(instruction: &sock_filter) -> impl Iterator<Item = u8> + use<> {
    let code = instruction.code.to_ne_bytes().into_iter();
    let operand = instruction.k.to_ne_bytes();
    code.chain([instruction.jt, instruction.jf]).chain(operand)
}

/// `AUDIT_ARCH_*` of the architecture this is built for (`include/uapi/linux/audit.h`).
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xC000_00B7;

/// Kills calls of another architecture, whose numbers mean something else, and loads the number.
fn prologue() -> [sock_filter; 4] {
    const OFFSET_OF_NUMBER: u32 = 0;
    const OFFSET_OF_ARCH: u32 = 4;
    [
        instruction(LOAD, 0, 0, OFFSET_OF_ARCH),
        instruction(JUMP_EQUAL, 1, 0, NATIVE),
        instruction(RETURN, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
        instruction(LOAD, 0, 0, OFFSET_OF_NUMBER),
    ]
}

/// Returns the answer of every number: an entry where it differs from that of the number before.
fn answers(rules: &Rules) -> Vec<Entry> {
    let mut out: Vec<Entry> = Vec::new();
    for number in 0..=NEWEST_REVIEWED.saturating_add(1) {
        let answer = answer(number, rules);
        if out.last().is_none_or(|(_, before)| *before != answer) {
            out.push((number, answer));
        }
    }
    out
}

fn answer(number: u32, rules: &Rules) -> Answer {
    let call = libc::c_long::from(number);
    if number > NEWEST_REVIEWED || ABSENT.contains(&call) {
        Answer::Errno(libc::ENOSYS)
    } else if DENIED.contains(&call) || DENIED_HERE.contains(&call) {
        Answer::Errno(libc::EPERM)
    } else if rules.contains_key(&call) {
        Answer::Ask
    } else {
        Answer::Allow
    }
}

fn rules(network: Network) -> Built<Rules> {
    let mut rules = Rules::new();
    rules.insert(libc::SYS_clone, namespace_flags()?);
    rules.insert(libc::SYS_fcntl, watching_files()?);
    rules.insert(libc::SYS_ioctl, terminal_injection()?);
    rules.insert(
        libc::SYS_personality,
        vec![all(&[ne(0, 0)?, ne(0, 0xFFFF_FFFF)?])?],
    );
    rules.insert(
        libc::SYS_execveat,
        vec![all(&[has_bit(4, libc::AT_EMPTY_PATH)?])?],
    );
    rules.insert(libc::SYS_prlimit64, vec![all(&[eq(0, LAUNCHER)?])?]);
    rules.insert(libc::SYS_socket, sockets(network)?);
    rules.insert(libc::SYS_socketpair, socket_pairs(network)?);
    rules.insert(
        libc::SYS_pipe2,
        vec![all(&[has_bit(1, O_NOTIFICATION_PIPE)?])?],
    );
    for (number, given) in set_id_modes()? {
        rules.insert(number, given);
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
const NR_FCHMODAT2: libc::c_long = 452;

fn namespace_flags() -> Built<Vec<SeccompRule>> {
    NEW_NAMESPACES
        .iter()
        .map(|flag| all(&[has_bit(0, *flag)?]))
        .collect()
}

/// `TIOCSTI` and `TIOCLINUX` type into the caller's terminal (`tty_ioctl(4)`).
fn terminal_injection() -> Built<Vec<SeccompRule>> {
    const TIOCLINUX: u64 = 0x541C;
    const TIOCSTI: u64 = 0x5412;
    [TIOCSTI, TIOCLINUX]
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

/// Without a network no socket can be made; `socketpair(2)` still can. With one: unix, IPv4, IPv6
/// and route netlink, which name resolution asks for addresses.
fn sockets(network: Network) -> Built<Vec<SeccompRule>> {
    let known = [
        libc::AF_UNIX,
        libc::AF_INET,
        libc::AF_INET6,
        libc::AF_NETLINK,
    ];
    match network {
        Network::Deny => Ok(Vec::new()),
        Network::Full => {
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

/// Pairs of Unix sockets, and without a network only such as stay a pair: one end of a datagram
/// pair can be given a name, and can send to every named datagram socket in sight (`unix(7)`; the
/// kernel takes `SOCK_RAW` for `SOCK_DGRAM`).
fn socket_pairs(network: Network) -> Built<Vec<SeccompRule>> {
    const TYPE_MASK: u64 = 0xF;
    let mut out = vec![all(&[ne(0, word(libc::AF_UNIX))?])?];
    if network == Network::Deny {
        for kind in [libc::SOCK_DGRAM, libc::SOCK_RAW] {
            let op = SeccompCmpOp::MaskedEq(TYPE_MASK);
            let is_kind = SeccompCondition::new(1, SeccompCmpArgLen::Dword, op, word(kind))?;
            out.push(all(&[is_kind])?);
        }
    }
    Ok(out)
}

/// A pipe for the kernel's notifications (`pipe2(2)`, kernel 5.8), which wants keys or mounts to
/// watch: nothing that a command has.
const O_NOTIFICATION_PIPE: libc::c_int = libc::O_EXCL;

fn word(value: libc::c_int) -> u64 {
    u64::from(value.unsigned_abs())
}

fn all(conditions: &[SeccompCondition]) -> Built<SeccompRule> {
    SeccompRule::new(conditions.to_vec())
}

// The kernel reads these arguments as 32-bit values, so only their low half is compared.
fn eq(argument: u8, value: u64) -> Built<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn ne(argument: u8, value: u64) -> Built<SeccompCondition> {
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
